/** A process of its own that reads one secret from a Vault: `read-once.ts <settings.json> <reference>`. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import { VaultSecrets } from '../../../control-plane/src/adapters/secrets/vault-secrets.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { keptAlerts } from '../kept-alerts.ts';
import { silentLog } from '../silent-log.ts';
import { silentMetrics } from '../silent-metrics.ts';

const [, , settingsFile = '', reference = ''] = process.argv;
const settings = JSON.parse(readFileSync(settingsFile, 'utf8')) as Record<string, string>;
const { address = '', mount = '', prefix = '', authMount = '', roleId = '', secretId = '' } = settings;
const source = new VaultSecrets({
  address,
  mount,
  prefix,
  authMount,
  roleId: new Secret(roleId),
  secretId: { kind: 'value', value: new Secret(secretId) },
  isWrapped: false,
  caFile: null,
  namespace: null,
  pollMs: 60_000,
  clock: systemClock(),
  log: silentLog,
  metrics: silentMetrics,
  alerts: keptAlerts(),
});
await source.start([reference]);
process.stdout.write(`read ${source.get(reference)?.reveal().length ?? 0} characters\n`);
await source.stop();
