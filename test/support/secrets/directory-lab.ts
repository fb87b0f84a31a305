/** A directory of secrets for tests, and what reads it. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectorySecrets } from '../../../control-plane/src/adapters/secrets/directory-secrets.ts';
import type { ChangingLab } from '../../contract/secret-source.contract.ts';
import { keptAlerts } from '../kept-alerts.ts';
import { keptLog } from '../kept-log.ts';
import { manualClock, type ManualClock } from '../manual-clock.ts';
import { silentMetrics } from '../silent-metrics.ts';

export interface DirectoryLab extends ChangingLab {
  readonly directory: string;
  readonly clock: ManualClock;
}

export function openDirectoryLab({ isSystemds = false } = {}): DirectoryLab {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  const directory = join(folder, 'credentials');
  mkdirSync(directory, { mode: 0o700 });
  const [alerts, log, clock] = [keptAlerts(), keptLog(), manualClock()];
  const source = new DirectorySecrets({ directory, isSystemds, clock, log, alerts, metrics: silentMetrics });
  const away = `${directory}.away`;
  const present = (): string => (existsSync(directory) ? directory : away);
  const fileOf = (reference: string): string => join(present(), reference.replaceAll('/', '.'));
  return {
    source,
    alerts,
    log,
    clock,
    directory,
    place: 'directory',
    put: async (values) => {
      for (const [reference, value] of Object.entries(values)) {
        // As one does it: a file beside it takes its place.
        await writeFile(`${fileOf(reference)}.new`, value, { mode: 0o600 });
        await rename(`${fileOf(reference)}.new`, fileOf(reference));
      }
    },
    remove: (reference) => rm(fileOf(reference)),
    lose: () => rename(directory, away),
    restore: () => rename(away, directory),
    close: async () => {
      await source.stop();
      chmodSync(present(), 0o700);
      rmSync(folder, { recursive: true });
    },
  };
}
