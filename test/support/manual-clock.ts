/** A clock that a test winds forward. Callbacks run in order of their time, each with the clock standing at it. */
import type { Instant } from '../../control-plane/src/domain/ids.ts';
import type { Clock } from '../../control-plane/src/ports/clock.ts';

export interface ManualClock extends Clock {
  /** Lets promises settle between callbacks, so that what they order is due in the same walk. */
  advance(byMs: number): Promise<void>;
  /** Callbacks that wait. */
  readonly waiting: number;
  /** Time goes by while this process does not run: what is due is due afterwards. */
  jump(byMs: number): void;
  /** Sets the machine's clock: deadlines do not move. */
  step(byMs: number): void;
}

export function manualClock(startAt = 1_000_000): ManualClock {
  let now = startAt;
  let steppedMs = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now as Instant,
    wall: () => (now + steppedMs) as Instant,
    jump(byMs) {
      now += byMs;
    },
    step(byMs) {
      steppedMs += byMs;
    },
    at(at, callback) {
      const timer = { at, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(byMs) {
      const until = now + byMs;
      for (;;) {
        await settle();
        const [due] = [...timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.callback();
      }
      now = until;
    },
    get waiting() {
      return timers.size;
    },
  };
}
