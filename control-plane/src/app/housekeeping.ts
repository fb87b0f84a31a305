/** What has to be cleared away from time to time so that no table grows for ever. */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { RecordKeeping } from '../ports/record-keeping.ts';

const EVERY_MS = 600_000;
/** A panel that was away for longer gets a snapshot. */
const FEED_KEPT_MS = 7 * 24 * 3_600_000;

/** Cleans up now and every ten minutes; a failure is logged and tried again next time. Returns how to stop it. */
export function keepHouse(records: RecordKeeping, clock: Clock, log: Log): () => void {
  let cancel: () => void = () => undefined;
  const round = async (): Promise<void> => {
    const now = clock.now();
    try {
      const feed = await records.dropFeedBefore((now - FEED_KEPT_MS) as Instant);
      const expired = await records.dropExpired(now);
      if (feed + expired > 0) log.info('cleared away', { feed, expired });
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
