/** A core whose wall clock is off, as if somebody had set the clock of its host. */
import type { CoreEnv } from './rig.ts';

/** Set before it started. Only `performance.timeOrigin` counts: the gateway takes its time from there (adapters/clock). */
export function skewedClock(stepMs: number): CoreEnv {
  const origin = `performance.timeOrigin + ${stepMs}`;
  return preloaded(`Object.defineProperty(performance, 'timeOrigin', { value: ${origin} });`);
}

/** Set while it runs, when `STEP_SIGNAL` comes: the wall clock jumps, and the monotonic one goes on. */
export function steppingClock(stepMs: number): CoreEnv {
  return preloaded(
    `const real = Date.now; process.once('${STEP_SIGNAL}', () => { Date.now = () => real() + ${stepMs}; });`,
  );
}

/** Nobody else sends it to a process without a terminal. */
export const STEP_SIGNAL = 'SIGWINCH';

function preloaded(script: string): CoreEnv {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}
