/** What is reported of each try of a call on a trunk. */
import type { Instant } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';

/** Synthetic calls are counted apart. */
export type CallPurpose = 'sos' | 'call' | 'synthetic';

/** One thing that happened to one try on one trunk. */
export type TryReport = {
  readonly trunk: string;
  /** Which try: the id of its channel. Absent: the first 18x of a try cannot be told from a second one, and both are measured. */
  readonly id?: string;
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
