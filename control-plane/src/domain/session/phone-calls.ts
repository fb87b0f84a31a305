/** The phone calls of a session as a whole. */
import type { LegId } from '../ids.ts';
import type { Draft } from './draft.ts';

type HangupReason = 'stream-won' | 'session-ended' | 'normal';

/** Gives up the calls that run or are due; `except` stays: the duty phone that hears her. */
export function cancelPhones(draft: Draft, reason: HangupReason, except: LegId | null = null): void {
  draft.clearTimers('citizen-ring', 'operator-ring', 'citizen-redial');
  draft.hangupAll('citizen-phone', reason);
  draft.hangupAll('operator-phone', reason, except);
  draft.changeFallback({ citizenRedialDue: false });
}
