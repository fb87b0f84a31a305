/** Trunks that a test puts in force and changes, without files. */
import { TrunkBook } from '../../control-plane/src/app/trunk-book.ts';
import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';
import type { TrunkReading } from '../../control-plane/src/ports/trunks.ts';
import { keptAlerts } from './kept-alerts.ts';
import { silentLog } from './silent-log.ts';
import { silentMetrics } from './silent-metrics.ts';

export interface TrunkList {
  readonly book: TrunkBook;
  readonly alerts: ReturnType<typeof keptAlerts>;
  /** What the next reading of the files says. */
  reading: TrunkReading;
  /** In force when it resolves. */
  put(trunks: readonly Trunk[]): Promise<void>;
}

export async function trunkList(trunks: readonly Trunk[]): Promise<TrunkList> {
  const alerts = keptAlerts();
  const list: { reading: TrunkReading } = { reading: { ok: true, trunks } };
  const source = { read: () => Promise.resolve(list.reading) };
  const book = new TrunkBook({ source, alerts, log: silentLog, metrics: silentMetrics });
  await book.start();
  return Object.assign(list, {
    book,
    alerts,
    put: async (after: readonly Trunk[]) => {
      list.reading = { ok: true, trunks: after };
      await book.reload();
    },
  });
}
