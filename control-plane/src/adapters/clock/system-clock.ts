/** The machine's time: the wall clock as it stood when the process began, carried on by the monotonic clock. */
import { randomUUID } from 'node:crypto';
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { Clock, IdSource } from '../../ports/clock.ts';

/** setTimeout's longest wait; longer ones are taken in pieces. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export function systemClock(): Clock {
  const now = (): Instant => (performance.timeOrigin + performance.now()) as Instant;
  return {
    now,
    wall: () => Date.now() as Instant,
    at(at, callback) {
      let timer: NodeJS.Timeout;
      const arm = (): void => {
        const leftMs = at - now();
        if (leftMs > LONGEST_TIMEOUT_MS) timer = setTimeout(arm, LONGEST_TIMEOUT_MS);
        // setTimeout may fire up to a millisecond early: the rest is waited for.
        else if (leftMs > 0) timer = setTimeout(arm, Math.max(1, Math.ceil(leftMs)));
        else callback();
      };
      timer = setTimeout(arm, Math.min(Math.max(0, at - now()), LONGEST_TIMEOUT_MS));
      return () => {
        clearTimeout(timer);
      };
    },
  };
}

export const randomIds: IdSource = {
  sessionId: () => randomUUID() as SessionId,
};
