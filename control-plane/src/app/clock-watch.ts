/**
 * Notices that somebody set the machine's clock. Deadlines run on the monotonic clock and are not touched by it; what
 * the next process reads from the database is off by the step, and so are this one's own times until it is started anew.
 */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';

const LOOK_EVERY_MS = 1000;
/** Slewing (at most 0.5 ms a second) is no step, nor is a slow reading. */
const STEP_MS = 100;

/** `stepped` is told after each step how far the clock is off by all of them. Returns how to stop it. */
export function watchClock(
  clock: Clock,
  log: Log,
  metrics: Metrics,
  stepped: (offsetMs: number) => void = () => undefined,
): () => void {
  const offset = (): number => clock.wall() - clock.now();
  const first = offset();
  let before = first;
  let cancel: () => void = () => undefined;
  const look = (): void => {
    const now = offset();
    const stepMs = Math.round(now - before);
    before = now;
    metrics.gauge('hamrahi_clock_offset_ms', now - first);
    if (Math.abs(stepMs) >= STEP_MS) {
      metrics.count('hamrahi_clock_steps_total', { direction: stepMs > 0 ? 'forward' : 'back' });
      log.error('The clock of this machine was set while we ran.', {
        code: 'ERR_CLOCK_STEP',
        stepMs,
        offsetMs: Math.round(now - first),
      });
      stepped(Math.round(now - first));
    }
    again();
  };
  const again = (): void => {
    cancel = clock.at((clock.now() + LOOK_EVERY_MS) as Instant, look);
  };
  again();
  return () => cancel();
}
