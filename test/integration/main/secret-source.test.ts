/** Secrets as the gateway's process has them: chosen by its settings, read again on SIGHUP. */
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecretsConfig } from '../../../control-plane/src/config/config.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { startSecretSource } from '../../../control-plane/src/main/secret-source.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { keptAlerts } from '../../support/kept-alerts.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';
import { openFakeVaultLab } from '../../support/vault/vault-lab.ts';

const PASSWORD = 'trunks/tata/password';

describe('main secret-source', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'secret-source-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (value: string): void =>
    writeFileSync(join(folder, 'trunks.tata.password'), value, { mode: 0o600 });
  const start = (config: SecretsConfig) =>
    startSecretSource(config, [PASSWORD], {
      alerts: keptAlerts(),
      clock: manualClock(Date.now()),
      log: silentLog,
      metrics: silentMetrics,
    });

  it('TEL-6: takes them from where the settings say', async () => {
    write('of-a-file');
    const vault = await openFakeVaultLab();
    await vault.put({ [PASSWORD]: 'of-vault' });
    const { admin } = vault;
    const places: readonly (readonly [SecretsConfig, string])[] = [
      [{ kind: 'directory', directory: folder, isSystemds: false }, 'of-a-file'],
      [
        { kind: 'environment', values: { HAMRAHI_SECRET_TRUNKS_TATA_PASSWORD: new Secret('of-a-variable') } },
        'of-a-variable',
      ],
      [
        {
          kind: 'vault',
          address: vault.vault.address,
          caFile: null,
          namespace: null,
          authMount: admin.authMount,
          roleId: await admin.roleId(),
          secretId: { kind: 'value', value: await admin.secretId() },
          isWrapped: false,
          mount: admin.mount,
          prefix: admin.prefix,
          pollMs: 60_000,
        },
        'of-vault',
      ],
    ];
    for (const [config, expected] of places) {
      const { source, ready } = await start(config);
      await ready;
      expect(source.get(PASSWORD)?.reveal()).to.equal(expected);
      await source.stop();
    }
    await vault.close();
  });

  it('TEL-6: SIGHUP finds a new value at once, as long as it runs', async () => {
    write('first');
    const listeners = process.listenerCount('SIGHUP');
    const { source, ready } = await start({ kind: 'directory', directory: folder, isSystemds: false });
    await ready;
    write('second');
    process.kill(process.pid, 'SIGHUP');
    await eventually('it is read', () => (source.get(PASSWORD)?.reveal() === 'second' ? true : null));
    await source.stop();
    expect(process.listenerCount('SIGHUP')).to.equal(listeners);
  });
});
