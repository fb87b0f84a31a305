/** A wait with a deadline. */
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';

/** After the deadline the answer may lie unread in this process, when it was busy: it gets this long to be read. */
const GRACE_MS = 15;

/** What the promise brings, or `late` after the deadline; rejects as the promise does. The promise itself goes on. */
export async function within<T, Late>(
  clock: Clock,
  deadlineMs: number,
  promise: Promise<T>,
  late: Late,
): Promise<T | Late> {
  let cancel = (): void => undefined;
  const after = (ms: number, then: () => void): void => {
    cancel = clock.at((clock.now() + ms) as Instant, then);
  };
  const deadline = new Promise<Late>((resolve) => {
    after(deadlineMs, () => after(GRACE_MS, () => resolve(late)));
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    cancel();
    promise.catch(() => undefined);
  }
}
