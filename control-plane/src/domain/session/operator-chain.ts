/** The operators' duty phones, one after the other, and where the one that is taken belongs (FB-3, FB-7). */
import { bridgeIdOf } from '../ids.ts';
import type { LegId } from '../ids.ts';
import { assignVoice } from './assign.ts';
import type { Draft } from './draft.ts';
import { isUp } from './leg.ts';
import type { Leg, Party } from './leg.ts';
import { heard } from './confirm-active.ts';
import { completeHandOver } from './hand-over.ts';
import { CLEARING_MS, forgetClearing, isClearing, setWaiting } from './phone-calls.ts';

/** The duty phones to try, in order; the supervisor stands last. Asked for again, whoever was called longest ago is first. */
export function chainFound(draft: Draft, found: readonly Party[]): void {
  if (draft.phase !== 'phone-fallback-active' && draft.phase !== 'phone-connected') return;
  const isFirst = draft.facts.fallback?.chain.length === 0;
  draft.changeFallback({
    chain: isFirst ? found : longestAgoFirst(draft, found),
    chainAt: 0,
    chainExhausted: false,
  });
  setWaiting(draft, { operator: false });
  const standing = draft.standing('operator-phone').at(-1);
  if (!standing) callChainAt(draft, 0);
  else if (isUp(standing)) operatorPhoneUp(draft, standing);
}

function longestAgoFirst(draft: Draft, found: readonly Party[]): readonly Party[] {
  const attempts = draft.facts.fallback?.attempts ?? [];
  const lastCalled = (party: Party): number =>
    attempts.findLast((attempt) => isSameOperator(attempt.party, party))?.dialledAt ?? 0;
  return found.toSorted((a, b) => lastCalled(a) - lastCalled(b));
}

function isSameOperator(one: Party, other: Party): boolean {
  return one.role !== 'citizen' && other.role !== 'citizen' && one.operatorId === other.operatorId;
}

function callChainAt(draft: Draft, from: number): void {
  const { fallback, policy } = draft.facts;
  const index = nextInTime(draft, from);
  const callee = fallback?.chain[index];
  if (!callee) {
    chainIsExhausted(draft);
    return;
  }
  draft.changeFallback({ chainAt: index });
  if (isClearing(draft, callee)) {
    setWaiting(draft, { operator: true });
    draft.setTimer('operator-ring', CLEARING_MS);
    return;
  }
  setWaiting(draft, { operator: false });
  const legId = draft.dialPhone('operator-phone', callee, policy.operatorRingMs);
  if (fallback.callReference === '') draft.changeFallback({ callReference: legId });
  draft.setTimer('operator-ring', policy.operatorRingMs);
}

/**
 * The whole chain fits her ringing (decision 15): an operator after whom no time would be left for the supervisor is
 * passed over until the next round, and nobody is begun with whose ringing would outlast hers.
 */
function nextInTime(draft: Draft, from: number): number {
  const { fallback, policy } = draft.facts;
  const hers = draft.standing('citizen-phone').find((leg) => leg.state !== 'answered');
  const chain = fallback?.chain ?? [];
  if (!hers || from === 0) return from;
  const leftMs = hers.dialledAt + policy.citizenRingMs - draft.at;
  if (chain[from]?.role === 'supervisor') return leftMs >= policy.operatorRingMs ? from : chain.length;
  const supervisor = chain.findIndex((party, index) => index > from && party.role === 'supervisor');
  if (supervisor < 0) return leftMs >= policy.operatorRingMs ? from : chain.length;
  return leftMs >= 2 * policy.operatorRingMs ? from : supervisor;
}

/** Everybody was tried: the alert of FB-7, then what waited for it, and all of it anew after a while. */
function chainIsExhausted(draft: Draft): void {
  const { policy } = draft.facts;
  draft.changeFallback({ chainExhausted: true });
  setWaiting(draft, { operator: false });
  draft.raise('operators-unreachable');
  chainIsSettled(draft);
  draft.setTimer('operator-ring', policy.citizenRedialAfterMs);
}

/** Somebody of the chain is there, or nobody is: what it held back is told now (FB-6 after FB-7). */
function chainIsSettled(draft: Draft): void {
  if (draft.facts.fallback?.unansweredDue !== true) return;
  draft.changeFallback({ unansweredDue: false });
  draft.raise('citizen-unanswered');
}

/** The alert of FB-6: now, or once the operators' chain has come to its end. */
export function alertUnanswered(draft: Draft): void {
  const isUnderWay =
    draft.facts.fallback?.chainExhausted === false && !draft.standing('operator-phone').some(isUp);
  if (isUnderWay) draft.changeFallback({ unansweredDue: true });
  else draft.raise('citizen-unanswered');
}

/** Nobody took this duty phone: the next one, or the chain from its beginning once it was exhausted. */
export function operatorRingDue(draft: Draft): void {
  const { fallback } = draft.facts;
  if (!fallback || (draft.phase !== 'phone-fallback-active' && draft.phase !== 'phone-connected')) return;
  if (draft.standing('operator-phone').some(isUp)) return;
  const callee = fallback.chain[fallback.chainAt];
  if (fallback.waiting.operator && callee) {
    forgetClearing(draft, callee);
    callChainAt(draft, fallback.chainAt);
    return;
  }
  draft.hangupAll('operator-phone', 'no-answer');
  if (fallback.chainExhausted) draft.order({ type: 'roster.chain', first: null });
  else callChainAt(draft, fallback.chainAt + 1);
}

/** The call before has gone: whoever waited for that is called. */
export function operatorCleared(draft: Draft): void {
  const { fallback } = draft.facts;
  const callee = fallback?.chain[fallback.chainAt];
  if (fallback?.waiting.operator !== true || !callee || isClearing(draft, callee)) return;
  callChainAt(draft, fallback.chainAt);
}

/** A phone that has to accept is asked to, and given the time for it; its ringing is over (decision 16). */
export function operatorPhoneAnswered(draft: Draft, leg: Leg): void {
  if (!leg.accepted) {
    draft.order({ type: 'pbx.ask-acceptance', legId: leg.id });
    draft.setTimer('operator-ring', draft.facts.policy.operatorAcceptMs);
    if (draft.facts.handOver?.legId === leg.id)
      draft.setTimer('transfer', draft.facts.policy.operatorAcceptMs);
    return;
  }
  taken(draft, leg);
}

/** The 1 was pressed. */
export function operatorPhoneAccepted(draft: Draft, leg: Leg): void {
  draft.replaceLeg(leg.id, { accepted: true });
  draft.publish('phone.accepted', { leg: leg.kind });
  taken(draft, { ...leg, accepted: true });
}

function taken(draft: Draft, leg: Leg): void {
  draft.clearTimers('operator-ring');
  draft.changeFallback({ chainExhausted: false });
  chainIsSettled(draft);
  const others = draft.standing('operator-phone').filter((other) => other.id !== leg.id);
  operatorPhoneUp(draft, leg);
  if (draft.facts.handOver?.legId !== leg.id) return;
  // Both stand in the bridge for a moment: she is never alone in it.
  for (const other of others) draft.hangup(other, 'normal');
  completeHandOver(draft, leg);
}

/** Her stream (re)appeared while a duty phone was held: it is joined to her. */
export function joinHeldOperator(draft: Draft): void {
  const held = draft.standing('operator-phone').find(isUp);
  if (held && draft.phase === 'phone-fallback-active') operatorPhoneUp(draft, held);
}

/** An answered duty phone goes where she is: her call, her stream, or the holding prompt until there is one. */
function operatorPhoneUp(draft: Draft, leg: Leg): void {
  if (draft.phase === 'phone-connected' && draft.citizenPhone) {
    bridgePhones(draft, draft.citizenPhone, leg);
  } else if (draft.facts.stream.streamingSince !== null) {
    draft.join(bridgeIdOf(draft.facts.id, 'stream'), leg.id, 'listens');
    heard(draft, leg);
  } else {
    draft.order({ type: 'pbx.hold', legId: leg.id });
  }
}

/** They speak: whoever's duty phone it is has her. */
export function bridgePhones(draft: Draft, citizen: LegId, operator: Leg): void {
  const bridge = bridgeIdOf(draft.facts.id, 'phone');
  draft.join(bridge, citizen, 'both');
  draft.join(bridge, operator.id, 'both');
  draft.bridgedWith = operator.id;
  assignVoice(draft, operator);
  draft.setTimer('hand-over', draft.facts.policy.handOverMs);
}

/** Her call in which nobody speaks any more: the prompt, and the duty phones anew. */
export function holdCitizen(draft: Draft, citizen: LegId): void {
  draft.bridgedWith = null;
  draft.clearTimers('hand-over');
  draft.order({ type: 'pbx.hold', legId: citizen });
  draft.raise('voice-lost');
}

/** A duty phone ended by itself: it was taken and dropped, or it was not taken at all. */
export function chainPhoneEnded(draft: Draft, leg: Leg): void {
  const { fallback, policy } = draft.facts;
  if (!fallback) return;
  const wasTalking = draft.bridgedWith === leg.id;
  if (wasTalking && draft.citizenPhone) holdCitizen(draft, draft.citizenPhone);
  if (draft.standing('operator-phone').length > 0) {
    // Whoever was to take her over is the one that the chain waits for now.
    if (!wasTalking) return;
    draft.clearTimers('transfer');
    draft.setTimer('operator-ring', policy.operatorRingMs);
    return;
  }
  if (isUp(leg)) draft.order({ type: 'roster.chain', first: null });
  else callChainAt(draft, fallback.chainAt + 1);
}
