/** Where the secrets of trunk files come from, by the settings; SIGHUP has it look for changes. */
import { DirectorySecrets } from '../adapters/secrets/directory-secrets.ts';
import { EnvironmentSecrets } from '../adapters/secrets/environment-secrets.ts';
import { VaultSecrets } from '../adapters/secrets/vault-secrets.ts';
import type { SecretsConfig } from '../config/config.ts';
import type { Trunk } from '../domain/trunk/trunk.ts';
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

/** Started: what could be read in time is there. */
export async function startSecretSource(
  config: SecretsConfig,
  references: readonly string[],
  { alerts, clock, log, metrics }: SecretPorts,
): Promise<SecretSource> {
  const source = createSecretSource(config, { alerts, clock, log, metrics });
  const look = (): void => {
    log.info('looking for changed secrets', { signal: 'SIGHUP' });
    void source.refresh();
  };
  process.on('SIGHUP', look);
  await source.start(references);
  return {
    start: (others) => source.start(others),
    refresh: () => source.refresh(),
    get: (reference) => source.get(reference),
    onChange: (listener) => source.onChange(listener),
    stop: () => {
      process.off('SIGHUP', look);
      return source.stop();
    },
  };
}

function createSecretSource(config: SecretsConfig, ports: SecretPorts): SecretSource {
  switch (config.kind) {
    case 'directory':
      return new DirectorySecrets({ ...config, ...ports });
    case 'environment':
      return new EnvironmentSecrets({ ...config, ...ports });
    case 'vault':
      return new VaultSecrets({ ...config, ...ports });
  }
}

/** Each once. */
export function secretsOf(trunks: readonly Trunk[]): readonly string[] {
  return [...new Set(trunks.flatMap(({ auth }) => (auth.kind === 'ip' ? [] : [auth.secret])))];
}
