/** How often synthetic calls may be placed: every call costs money, and a bound on a day's calls is a bound on their price. */
import type { Instant } from '../ids.ts';

const DAY_MS = 86_400_000;

export interface SyntheticPace {
  /** Between two rounds at least; a round calls over each trunk once. */
  readonly everyMs: number;
  readonly callsPerDay: number;
}

/** The day's calls are spread over the day: where there are more trunks than they suffice for, rounds are rarer. */
export function roundMs({ everyMs, callsPerDay }: SyntheticPace, trunks: number): number {
  return Math.max(everyMs, Math.ceil((trunks * DAY_MS) / callsPerDay));
}

/** Calls that still count against the day at `now`. */
export function ofToday(placedAt: readonly Instant[], now: Instant): readonly Instant[] {
  return placedAt.filter((at) => at > now - DAY_MS);
}
