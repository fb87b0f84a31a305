/**
 * The operator's client is gone in the middle of her stream: the same operator may come back for
 * `policy.operatorReofferMs`, then the next one is offered. Her own call is not touched meanwhile.
 */
import { parseAor } from '../ids.ts';
import type { AddressOfRecord, Instant } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg, LegOutcome } from './leg.ts';

/** Two contacts of one panel within this are one. */
const JUST_DIALLED_MS = 1000;
/** He was asked and said no. */
const REFUSALS: readonly LegOutcome[] = ['rejected', 'busy', 'completed'];
/** It may work the next time, unless it failed at once; with anything else his contact is waited for. */
const WORTH_ANOTHER: readonly LegOutcome[] = ['no-answer', 'media-failed'];

/** His leg ended (`silent` false), or stands and says nothing any more. He is called (again) at once. */
export function beginReoffer(draft: Draft, leg: Leg, silent: boolean): void {
  const { reoffer, policy } = draft.facts;
  if (leg.party.role === 'citizen' || leg.aor === null) return;
  const { operatorId } = leg.party;
  if (reoffer) {
    if (!silent) draft.change({ reoffer: { ...reoffer, silentLeg: null } });
    return;
  }
  const waitMs = silent ? policy.operatorReofferMs / 2 : policy.operatorReofferMs;
  const until = (draft.at + waitMs) as Instant;
  draft.change({ reoffer: { operatorId, aor: leg.aor, silentLeg: silent ? leg.id : null, until } });
  draft.setTimer('operator-reoffer', waitMs);
  draft.publish('sos.reoffered', { operatorId, reason: silent ? 'operator-silent' : 'operator-gone' });
  callAgain(draft);
}

/** A contact of his appeared, perhaps of another panel: he is called there. `false`: not waited for. */
export function operatorBack(draft: Draft, aor: AddressOfRecord): boolean {
  const { reoffer } = draft.facts;
  const owner = parseAor(aor);
  if (!reoffer || owner?.role !== 'operator' || owner.operatorId !== reoffer.operatorId) return false;
  if (draft.phase === 'phone-connected') return false;
  draft.change({ reoffer: { ...reoffer, aor } });
  callAgain(draft);
  return true;
}

/** A call to him within the time failed. `false`: there is no use in waiting for him. */
export function reofferFailed(draft: Draft, leg: Leg, outcome: LegOutcome): boolean {
  if (REFUSALS.includes(outcome)) return false;
  if (!WORTH_ANOTHER.includes(outcome)) return true;
  // what fails at once does so each time: it would be called as fast as it can fail
  if (draft.at - leg.dialledAt < JUST_DIALLED_MS) return false;
  callAgain(draft);
  return true;
}

/** Somebody hears her, or the time is over. */
export function endReoffer(draft: Draft): void {
  if (!draft.facts.reoffer) return;
  draft.change({ reoffer: null });
  draft.clearTimers('operator-reoffer');
}

/** Calls that he has not answered end; one that stands may still speak, and then has her again. */
export function hangUpUnanswered(draft: Draft): void {
  const { reoffer } = draft.facts;
  for (const leg of draft.standing('operator-app'))
    if (leg.state !== 'answered' && isHis(leg, reoffer?.operatorId)) draft.hangup(leg, 'no-answer');
}

export function isHis(leg: Leg, operatorId: string | undefined): boolean {
  return leg.party.role !== 'citizen' && leg.party.operatorId === operatorId;
}

/** Offers her to whoever is free, but for those who failed in this round. */
export function offerNext(draft: Draft, leg: Leg): void {
  if (leg.party.role === 'citizen') return;
  offerNextAfter(draft, leg.party.operatorId);
}

export function offerNextAfter(draft: Draft, operatorId: string): void {
  const tried = [
    ...draft.facts.triedOperators.filter((id) => id !== operatorId),
    operatorId as (typeof draft.facts.triedOperators)[number],
  ];
  draft.change({ triedOperators: tried });
  draft.order({ type: 'roster.assign', exclude: tried });
}

function callAgain(draft: Draft): void {
  const { reoffer } = draft.facts;
  if (!reoffer) return;
  const { operatorId, aor } = reoffer;
  const isCalled = draft
    .standing('operator-app')
    .some((leg) => leg.aor === aor && leg.state !== 'answered' && draft.at - leg.dialledAt < JUST_DIALLED_MS);
  if (!isCalled) draft.dialApp('operator-app', { role: 'operator', operatorId }, aor);
}
