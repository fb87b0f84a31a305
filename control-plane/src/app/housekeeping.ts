/** What has to be cleared away from time to time so that no table grows for ever. */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { RecordKeeping } from '../ports/record-keeping.ts';

const EVERY_MS = 600_000;
/** A panel that was away for longer gets a snapshot. */
const FEED_KEPT_MS = 7 * 24 * 3_600_000;

/** How long records of ended sessions are kept; `null`: for good. */
export interface Retention {
  readonly personalMs: number | null;
  readonly eventsMs: number | null;
  readonly ledgerMs: number | null;
}

export const KEEP_ALL: Retention = { personalMs: null, eventsMs: null, ledgerMs: null };

/** Cleans up now and every ten minutes; a failure is logged and tried again next time. Returns how to stop it. */
export function keepHouse(
  records: RecordKeeping,
  clock: Clock,
  log: Log,
  kept: Retention = KEEP_ALL,
): () => void {
  let cancel: () => void = () => undefined;
  const round = async (): Promise<void> => {
    const now = clock.now();
    try {
      const feed = await records.dropFeedBefore((now - FEED_KEPT_MS) as Instant);
      const expired = await records.dropExpired(now);
      const before = (keptMs: number): Instant => (now - keptMs) as Instant;
      const personal =
        kept.personalMs === null ? 0 : await records.dropPersonalBefore(before(kept.personalMs), now);
      const events = kept.eventsMs === null ? 0 : await records.dropEventsBefore(before(kept.eventsMs), now);
      const ledger = kept.ledgerMs === null ? 0 : await records.dropLedgerBefore(before(kept.ledgerMs), now);
      if (feed + expired + personal + events + ledger > 0)
        log.info('cleared away', { feed, expired, personal, events, ledger });
    } catch (error) {
      log.warn('clearing away failed; it is tried again', { error: String(error) });
    }
  };
  const next = (): void => {
    void round();
    cancel = clock.at((clock.now() + EVERY_MS) as Instant, next);
  };
  next();
  return () => {
    cancel();
  };
}
