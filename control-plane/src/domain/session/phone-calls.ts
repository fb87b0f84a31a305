/** The phone calls of a session as a whole: giving them up, and never two of ours to one person (decision 17). */
import type { LegId, LegKind } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Party } from './leg.ts';
import type { Fallback } from './session.ts';

type HangupReason = 'stream-won' | 'session-ended' | 'normal';

/** How long a call that was given up may take to go before the next one to the same person is dialled all the same. */
export const CLEARING_MS = 2000;

/** Gives up the calls that run or are due; `except` stays: the duty phone that hears her. */
export function cancelPhones(draft: Draft, reason: HangupReason, except: LegId | null = null): void {
  draft.clearTimers('citizen-ring', 'operator-ring', 'citizen-redial', 'hand-over');
  draft.hangupAll('citizen-phone', reason);
  draft.hangupAll('operator-phone', reason, except);
  draft.changeFallback({
    citizenRedialDue: false,
    unansweredDue: false,
    waiting: { citizen: false, operator: false },
  });
}

export function setWaiting(draft: Draft, change: Partial<Fallback['waiting']>): void {
  const { fallback } = draft.facts;
  if (fallback) draft.changeFallback({ waiting: { ...fallback.waiting, ...change } });
}

/** A call of ours to this person is still on its way out. */
export function isClearing(draft: Draft, party: Party): boolean {
  return draft.facts.legs.some((leg) => leg.ending && isPhone(leg.kind) && isSame(leg.party, party));
}

/** The engine never told the end of a call that it was to hang up: it counts as lost, and is hung up should it turn up. */
export function forgetClearing(draft: Draft, party: Party): void {
  for (const leg of draft.facts.legs) {
    if (!leg.ending || !isPhone(leg.kind) || !isSame(leg.party, party)) continue;
    draft.hangup(leg, 'normal');
    draft.removeLeg(leg.id);
    draft.noteAttempt(leg.id, { endedAt: draft.at, outcome: 'lost' });
    const change = { state: 'ended', at: draft.at, outcome: 'lost', sipStatus: null, q850: null } as const;
    draft.order({ type: 'leg.record', legId: leg.id, change });
  }
}

function isPhone(kind: LegKind): boolean {
  return kind === 'citizen-phone' || kind === 'operator-phone';
}

function isSame(one: Party, other: Party): boolean {
  if (one.role === 'citizen' || other.role === 'citizen') return one.role === other.role;
  return one.operatorId === other.operatorId;
}
