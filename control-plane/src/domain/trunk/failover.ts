/**
 * Whether a call that one trunk did not bring to anybody may go by another. An explicit table: what a person or her
 * telephone has said is said (486, 603), what a network has said of itself is asked of another network.
 */
import type { LegOutcome } from '../session/leg.ts';
import type { CauseOverride } from './trunk.ts';

export interface TryEnd {
  readonly outcome: LegOutcome;
  /** What the carrier answered; null: nothing (timeout, broken transport), or we ended it. */
  readonly sipStatus: number | null;
  /** Q.850 cause; a carrier's Reason header, where it sent one, else the engine's mapping of the status. */
  readonly q850: number | null;
}

/** No route to the network or destination (Q.850 2, 3): another carrier may have one. */
const NO_ROUTE: ReadonlySet<number> = new Set([2, 3]);

/**
 * `rang`: a 180 was seen. From then on the next contact may be tried, never the next trunk. `overrides`: the trunk's own
 * table, which stands above this one.
 */
export function mayTryOtherTrunk(end: TryEnd, rang: boolean, overrides: readonly CauseOverride[]): boolean {
  const { outcome, sipStatus, q850 } = end;
  if (rang) return false;
  const override = overrides.find((entry) => entry.sipStatus === sipStatus);
  if (override !== undefined) return override.tryOtherTrunk;
  // Redirections are not followed: another trunk may reach her without.
  if (sipStatus !== null && sipStatus >= 300 && sipStatus < 400) return true;
  switch (outcome) {
    case 'trunk-unreachable':
    case 'congestion':
    case 'media-failed':
      return true;
    case 'invalid-number':
      return sipStatus === 404 && q850 !== null && NO_ROUTE.has(q850);
    case 'busy':
    case 'rejected':
    case 'no-answer':
    case 'unreachable':
    case 'completed':
    case 'cancelled':
    case 'lost':
      return false;
  }
}

/** No trunk took the call: the network failed, not the person. */
export function isTrunkFailure(outcome: LegOutcome): boolean {
  return outcome === 'trunk-unreachable' || outcome === 'congestion';
}
