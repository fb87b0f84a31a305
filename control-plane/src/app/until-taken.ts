/** Work at the store, offered again while the store does not take it. */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';
import { StoreError } from '../ports/session-store.ts';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;

export interface Taken<T> {
  readonly result: T;
  /** An earlier try may have been committed all the same: what follows from it was never carried out. */
  readonly inDoubt: boolean;
}

/**
 * Repeats `work` after a `StoreError` until the deadline, then throws the last one; other errors at once. A commit
 * whose outcome is unknown is repeated too: doubled events change nothing.
 */
export async function untilTaken<T>(
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<Taken<T>> {
  const giveUpAt = clock.now() + deadlineMs;
  let inDoubt = false;
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
    try {
      return { result: await work(), inDoubt };
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === 'ERR_STORE_FENCED') throw error;
      if (clock.now() + waitMs > giveUpAt) throw error;
      inDoubt ||= error.code === 'ERR_STORE_UNKNOWN_OUTCOME';
      metrics.count('hamrahi_core_store_retries_total', { code: error.code });
      log.warn('The store did not take an event; it is offered again.', { code: error.code, waitMs });
    }
    await new Promise<void>((resolve) => {
      clock.at((clock.now() + waitMs) as Instant, resolve);
    });
  }
}
