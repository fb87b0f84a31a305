/** What is known of how trunks do. It orders them; it never empties the list (decision: one missed OPTIONS vetoes no SOS). */
import type { Instant } from '../domain/ids.ts';
import type { LegOutcome } from '../domain/session/leg.ts';

/** Synthetic calls are counted apart. */
export type CallPurpose = 'sos' | 'call' | 'synthetic';

/** One thing that happened to one try on one trunk. */
export type TryReport = {
  readonly trunk: string;
  readonly purpose: CallPurpose;
  readonly at: Instant;
  /** Milliseconds since its INVITE was ordered. */
  readonly afterMs: number;
} & (
  | { readonly what: 'dialled' | 'progress' | 'ringing' | 'answered' }
  /** `silent`: no response at all came in time, not even 100. `cancelled`: by us, it says nothing of the trunk. */
  | {
      readonly what: 'ended';
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
      readonly silent: boolean;
      readonly wasAnswered: boolean;
    }
);

export type TrunkState = 'up' | 'doubtful' | 'down';

export interface TrunkHealth {
  report(report: TryReport): void;
  /** The engine's word by OPTIONS. */
  qualified(trunk: string, up: boolean, at: Instant): void;
  stateOf(trunk: string): TrunkState;
  /** From the INVITE to the first 18x, as measured of late; null: too few calls to say. */
  p95PostDialDelayMs(trunk: string): number | null;
}
