/** Where the secrets of trunk files come from, by the settings; SIGHUP has it look for changes. */
import { DirectorySecrets } from '../adapters/secrets/directory-secrets.ts';
import { EnvironmentSecrets } from '../adapters/secrets/environment-secrets.ts';
import type { SecretsConfig } from '../config/config.ts';
import { secretOf, type Trunk } from '../domain/trunk/trunk.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { OpsAlerts } from '../ports/ops-alerts.ts';
import type { SecretSource } from '../ports/secret-source.ts';

export interface SecretPorts {
  readonly alerts: OpsAlerts;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface StartedSecrets {
  readonly source: SecretSource;
  /**
   * What could be read in time is there: a moment later, or some seconds where Vault is away. A start that waits for it
   * waits for Vault; who does not is told of each value as it comes.
   */
  readonly ready: Promise<void>;
}

export async function startSecretSource(
  config: SecretsConfig,
  references: readonly string[],
  ports: SecretPorts,
): Promise<StartedSecrets> {
  const source = await createSecretSource(config, ports);
  const look = (): void => {
    ports.log.info('looking for changed secrets', { signal: 'SIGHUP' });
    void source.refresh();
  };
  process.on('SIGHUP', look);
  const stop = (): Promise<void> => {
    process.off('SIGHUP', look);
    return source.stop();
  };
  return {
    source: {
      start: (others) => source.start(others),
      refresh: () => source.refresh(),
      get: (reference) => source.get(reference),
      onChange: (listener) => source.onChange(listener),
      stop,
    },
    ready: source.start(references),
  };
}

async function createSecretSource(config: SecretsConfig, ports: SecretPorts): Promise<SecretSource> {
  switch (config.kind) {
    case 'directory':
      return new DirectorySecrets({ ...config, ...ports });
    case 'environment':
      return new EnvironmentSecrets({ ...config, ...ports });
    case 'vault': {
      // Its packages take a fifth of a second to load: a start without Vault does without.
      const { VaultSecrets } = await import('../adapters/secrets/vault-secrets.ts');
      return new VaultSecrets({ ...config, ...ports });
    }
  }
}

/** Each once. */
export function secretsOf(trunks: readonly Trunk[]): readonly string[] {
  return [...new Set(trunks.map(secretOf).filter((reference) => reference !== null))];
}
