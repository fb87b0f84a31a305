/**
 * Handing her to another operator. The new one is called beside the old one, who keeps her until the new one hears her
 * (a stream) or has answered (a phone call); if that does not come about, nothing has changed. Panels only listen, so
 * on the telephone the new one is called on the duty phone.
 */
import type { AddressOfRecord, OperatorId } from '../ids.ts';
import { assign } from './assign.ts';
import type { Draft } from './draft.ts';
import type { Acceptance, Leg, Party } from './leg.ts';
import type { HandOver } from './session.ts';
import { MAX_ASKED_ATTEMPTS } from './listen.ts';
import { isClearing, setWaiting } from './phone-calls.ts';

type Taker = HandOver['to'];

/** On the telephone she needs somebody who can speak. */
export function mediumOf(draft: Draft): 'panel' | 'phone' {
  return draft.phase === 'phone-connected' ? 'phone' : 'panel';
}

/** Whether another one may be asked for now: one hand-over at a time, and only by who has her (`asker` null: anybody). */
export function mayHandOver(draft: Draft, asker: OperatorId | null): boolean {
  const { assignment, handOver, attempts } = draft.facts;
  if (handOver) return false;
  const kind = mediumOf(draft) === 'phone' ? 'operator-phone' : 'operator-app';
  if (attempts[kind] >= MAX_ASKED_ATTEMPTS) return false;
  return asker === null || (assignment?.state === 'assigned' && assignment.operatorId === asker);
}

/** Who has her now is not who is sought. */
export function askForNext(draft: Draft, to: OperatorId | null): void {
  const { assignment } = draft.facts;
  const talking = draft.bridgedWith === null ? null : (draft.leg(draft.bridgedWith)?.party ?? null);
  const exclude = [
    ...(assignment?.state === 'assigned' ? [assignment.operatorId] : []),
    ...(talking === null || talking.role === 'citizen' ? [] : [talking.operatorId]),
  ];
  draft.order({ type: 'roster.hand-over', to, by: mediumOf(draft), exclude });
}

/** Calls the new operator. `false`: he has her already, or there is no way to him. */
export function beginHandOver(draft: Draft, to: Taker, aor: AddressOfRecord | null): boolean {
  const legId = mediumOf(draft) === 'phone' ? callPhone(draft, to) : callPanel(draft, to, aor);
  if (legId === null) return false;
  draft.change({ handOver: { to, legId, since: draft.at } });
  draft.publish('sos.hand-over', { to: to.operatorId });
  return true;
}

function callPanel(draft: Draft, to: Taker, aor: AddressOfRecord | null): Leg['id'] | null {
  if (aor === null) return null;
  const legId = draft.dialApp('operator-app', to, aor);
  draft.setTimer('transfer', draft.facts.policy.operatorRingMs);
  return legId;
}

/** Who is asked for by name takes her with the same gesture as in the chain; who stands in none, by pressing 1. */
function withAcceptance(draft: Draft, to: Taker): Taker {
  if (to.role === 'citizen' || to.acceptance) return to;
  const listed = draft.facts.fallback?.chain.find((party) => isOf(party, to.operatorId));
  const acceptance = listed ? acceptanceOf(listed) : 'press-1';
  return acceptance === undefined ? to : { ...to, acceptance };
}

function acceptanceOf(party: Party): Acceptance | undefined {
  return party.role === 'citizen' ? undefined : party.acceptance;
}

function callPhone(draft: Draft, asked: Taker): Leg['id'] | null {
  const { policy, fallback } = draft.facts;
  const to = withAcceptance(draft, asked);
  const talking = draft.bridgedWith === null ? null : draft.leg(draft.bridgedWith);
  if (talking && isOf(talking.party, to.operatorId)) return null;
  // Never two of our calls to one person (decision 17).
  if (isClearing(draft, to)) return null;
  const rings = draft
    .standing('operator-phone')
    .find((leg) => leg !== talking && isOf(leg.party, to.operatorId));
  if (rings) return rings.id;
  if (talking) {
    const legId = draft.dialPhone('operator-phone', to, policy.operatorRingMs);
    draft.setTimer('transfer', policy.operatorRingMs);
    return legId;
  }
  // She hears the holding prompt: he becomes the first of the chain, and the others follow him.
  draft.hangupAll('operator-phone', 'cancelled');
  const others = (fallback?.chain ?? []).filter((party) => !isOf(party, to.operatorId));
  draft.changeFallback({ chain: [to, ...others], chainAt: 0, chainExhausted: false });
  setWaiting(draft, { operator: false });
  draft.setTimer('operator-ring', policy.operatorRingMs);
  return draft.dialPhone('operator-phone', to, policy.operatorRingMs);
}

/** The new operator hears her, or speaks with her: she is his. */
export function completeHandOver(draft: Draft, leg: Leg): void {
  const { handOver, assignment } = draft.facts;
  if (handOver?.legId !== leg.id) return;
  const from = assignment?.state === 'assigned' ? assignment.operatorId : null;
  const { operatorId } = handOver.to;
  draft.change({ handOver: null });
  draft.clearTimers('transfer');
  assign(draft, operatorId, leg.aor);
  draft.publish('sos.handed-over', { from, to: operatorId });
}

/** It did not come about; who had her has her still. */
export function failHandOver(draft: Draft, reason: string): void {
  const { handOver } = draft.facts;
  if (!handOver) return;
  draft.change({ handOver: null });
  draft.clearTimers('transfer');
  draft.publish('sos.hand-over-failed', { to: handOver.to.operatorId, reason });
}

/** He was called for long enough and does not hear her. */
export function transferDue(draft: Draft): void {
  const { handOver } = draft.facts;
  if (!handOver) return;
  const leg = draft.leg(handOver.legId);
  if (leg && !leg.ending) draft.hangup(leg, 'no-answer');
  failHandOver(draft, 'no-answer');
  // Who had her on the telephone may have gone meanwhile: then the duty phones are called anew.
  const isNobodyLeft = leg?.kind === 'operator-phone' && draft.standing('operator-phone').length === 0;
  if (isNobodyLeft) draft.order({ type: 'roster.chain', first: null });
}

/** Whatever ended the new operator's call ended the hand-over. */
export function lapseHandOver(draft: Draft): void {
  const { handOver } = draft.facts;
  if (!handOver) return;
  const leg = draft.leg(handOver.legId);
  if (!leg || leg.ending) failHandOver(draft, 'overtaken');
}

function isOf(party: Party, operatorId: OperatorId): boolean {
  return party.role !== 'citizen' && party.operatorId === operatorId;
}
