/** What one thing that happened to a try says of its trunk: for its state, and for its success rate. */
import type { LegOutcome } from '../session/leg.ts';
import type { TryResult } from './call-window.ts';
import type { CallEvidence } from './trunk-evidence.ts';
import type { CallPurpose } from './try-report.ts';

export interface TryEnd {
  readonly purpose: CallPurpose;
  readonly outcome: LegOutcome;
  readonly sipStatus: number | null;
  readonly silent: boolean;
  readonly wasAnswered: boolean;
}

/** `null`: it says nothing of the trunk, or nothing new (it was answered, and counted then). */
export function resultOfEnd({
  outcome,
  silent,
  wasAnswered,
}: Pick<TryEnd, 'outcome' | 'silent' | 'wasAnswered'>): TryResult | null {
  if (wasAnswered) return null;
  if (silent) return 'failed';
  switch (outcome) {
    case 'cancelled':
    case 'lost':
      return null;
    case 'completed':
      return 'answered';
    case 'busy':
    case 'no-answer':
    case 'rejected':
      return 'reached';
    case 'unreachable':
    case 'invalid-number':
    case 'congestion':
    case 'trunk-unreachable':
    case 'media-failed':
      return 'failed';
  }
}

/**
 * What its last word says of the carrier now. `null`: nothing; it was a person's doing, ours or the engine's, or was
 * counted when it rang.
 */
export function evidenceOfEnd({
  purpose,
  outcome,
  sipStatus,
  silent,
  wasAnswered,
}: TryEnd): CallEvidence | null {
  if (wasAnswered) return null;
  if (silent) return 'bad';
  // Whom the backend calls may be barred there, and refused as our account would be.
  if (outcome === 'trunk-unreachable') return purpose === 'call' && sipStatus !== null ? 'refused' : 'bad';
  if (outcome === 'congestion') return 'full';
  return outcome === 'busy' || outcome === 'rejected' ? 'good' : null;
}
