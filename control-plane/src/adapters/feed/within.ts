import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';

/** What the promise brings, or `late` when it takes longer than this; rejects as the promise does. */
export async function within<T, L>(
  clock: Clock,
  deadlineMs: number,
  promise: Promise<T>,
  late: L,
): Promise<T | L> {
  let cancel = (): void => undefined;
  const deadline = new Promise<L>((resolve) => {
    cancel = clock.at((clock.now() + deadlineMs) as Instant, () => resolve(late));
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    cancel();
  }
}
