/** A core whose wall clock is off: its host's clock was stepped before it started. */
import type { CoreEnv } from './rig.ts';

/** Only `performance.timeOrigin` counts: the gateway takes its time from there (adapters/clock). */
export function skewedClock(stepMs: number): CoreEnv {
  const origin = `performance.timeOrigin + ${stepMs}`;
  const script = `Object.defineProperty(performance, 'timeOrigin', { value: ${origin} });`;
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  return { NODE_OPTIONS: `--import=${url}` };
}
