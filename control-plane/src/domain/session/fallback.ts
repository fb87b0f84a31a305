/** The phone fallback: both phones at once, the operators' chain, the bridge, and what a hang-up means. */
import { bridgeIdOf } from '../ids.ts';
import type { LegId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg, LegFailure, Party } from './leg.ts';
import type { FallbackReason } from './session.ts';
import { heard } from './confirm-active.ts';
import { dialReachableDevices } from './dial-citizen-app.ts';
import { cancelPhones } from './phone-calls.ts';

/** Her phone may ring: a verified number, and no wish for silence. */
function mayRing(draft: Draft): boolean {
  const { profile } = draft.facts;
  return profile.phone === 'verified' && !profile.silent;
}

/** FB-2, FB-4: the record is written in this transaction, both phones are dialled right after it. */
export function startFallback(draft: Draft, reason: FallbackReason, detail: string): void {
  const { policy, profile, assignment } = draft.facts;
  const streamIsGood = reason === 'operator-absent' && policy.operatorAbsent === 'dial-operator';
  const mode = streamIsGood || !mayRing(draft) ? 'operators-only' : 'both';
  draft.stopWatchdog();
  draft.clearTimers('retry');
  draft.phase = 'phone-fallback-active';
  draft.change({
    fallback: {
      mode,
      reason,
      detail,
      failedAt: draft.at,
      initiatedAt: draft.at,
      callReference: '',
      chain: [],
      chainAt: 0,
      chainExhausted: false,
      citizenCalls: 0,
      citizenRedialDue: false,
    },
  });
  if (mode === 'both') draft.changeFallback({ callReference: callCitizen(draft) });
  if (reason === 'operator-absent') draft.raise('operator-absent');
  if (!streamIsGood && profile.phone !== 'verified') draft.raise('phone-unusable');
  draft.order({
    type: 'roster.chain',
    first: assignment?.state === 'assigned' ? assignment.operatorId : null,
  });
  draft.publish('phone-fallback-active', { reason, detail, mode });
}

function callCitizen(draft: Draft): LegId {
  const { policy, citizenId, fallback } = draft.facts;
  const legId = draft.dialPhone('citizen-phone', { role: 'citizen', citizenId }, policy.citizenRingMs);
  draft.changeFallback({ citizenCalls: (fallback?.citizenCalls ?? 0) + 1, citizenRedialDue: false });
  draft.setTimer('citizen-ring', policy.citizenRingMs);
  return legId;
}

/** The duty phones to try, in order; the supervisor stands last (FB-7). */
export function chainFound(draft: Draft, chain: readonly Party[]): void {
  if (draft.phase !== 'phone-fallback-active' && draft.phase !== 'phone-connected') return;
  draft.changeFallback({ chain, chainAt: 0, chainExhausted: false });
  const standing = draft.standing('operator-phone').at(-1);
  if (!standing) callChainAt(draft, 0);
  else if (standing.state === 'answered') operatorPhoneUp(draft, standing);
}

function callChainAt(draft: Draft, index: number): void {
  const { fallback, policy } = draft.facts;
  const callee = fallback?.chain[index];
  if (!callee) {
    draft.changeFallback({ chainExhausted: true });
    draft.raise('operators-unreachable');
    draft.setTimer('operator-ring', policy.citizenRedialAfterMs);
    return;
  }
  draft.changeFallback({ chainAt: index });
  const legId = draft.dialPhone('operator-phone', callee, policy.operatorRingMs);
  if (fallback.callReference === '') draft.changeFallback({ callReference: legId });
  draft.setTimer('operator-ring', policy.operatorRingMs);
}

/** Nobody took this duty phone: the next one, or the chain from its beginning once it was exhausted. */
export function operatorRingDue(draft: Draft): void {
  const { fallback } = draft.facts;
  if (!fallback || (draft.phase !== 'phone-fallback-active' && draft.phase !== 'phone-connected')) return;
  if (draft.standing('operator-phone').some((leg) => leg.state === 'answered')) return;
  draft.hangupAll('operator-phone', 'no-answer');
  if (fallback.chainExhausted) draft.order({ type: 'roster.chain', first: null });
  else callChainAt(draft, fallback.chainAt + 1);
}

/** The call connects when this commits: from now on WebRTC cannot win (FB-8, decision 13). */
export function citizenPhoneAnswered(draft: Draft, leg: Leg): void {
  draft.clearTimers('citizen-ring', 'citizen-redial', 'retry');
  draft.stopWatchdog();
  draft.phase = 'phone-connected';
  draft.citizenPhone = leg.id;
  draft.bridgedWith = null;
  draft.changeFallback({ citizenRedialDue: false });
  const operator = draft.standing('operator-phone').find((one) => one.state === 'answered');
  if (operator) bridgePhones(draft, leg.id, operator.id);
  else draft.order({ type: 'pbx.hold', legId: leg.id });
}

export function operatorPhoneAnswered(draft: Draft, leg: Leg): void {
  draft.clearTimers('operator-ring');
  draft.changeFallback({ chainExhausted: false });
  operatorPhoneUp(draft, leg);
}

/** Her stream (re)appeared while a duty phone was held: it is joined to her. */
export function joinHeldOperator(draft: Draft): void {
  const held = draft.standing('operator-phone').find((leg) => leg.state === 'answered');
  if (held && draft.phase === 'phone-fallback-active') operatorPhoneUp(draft, held);
}

/** An answered duty phone goes where she is: her call, her stream, or the holding prompt until there is one. */
function operatorPhoneUp(draft: Draft, leg: Leg): void {
  if (draft.phase === 'phone-connected' && draft.citizenPhone) {
    bridgePhones(draft, draft.citizenPhone, leg.id);
  } else if (draft.facts.stream.streamingSince !== null) {
    draft.join(bridgeIdOf(draft.facts.id, 'stream'), leg.id, 'listens');
    heard(draft, leg);
  } else {
    draft.order({ type: 'pbx.hold', legId: leg.id });
  }
}

function bridgePhones(draft: Draft, citizen: LegId, operator: LegId): void {
  const bridge = bridgeIdOf(draft.facts.id, 'phone');
  draft.join(bridge, citizen, 'both');
  draft.join(bridge, operator, 'both');
  draft.bridgedWith = operator;
}

/** The phone bridge stands: the WebRTC attempt is given up (FB-9). */
export function phonesBridged(draft: Draft, technology: string): void {
  draft.hangupAll('citizen-app', 'phone-won');
  draft.hangupAll('operator-app', 'phone-won');
  draft.order({ type: 'pbx.close-bridge', bridgeId: bridgeIdOf(draft.facts.id, 'stream') });
  draft.changeStream({
    leg: null,
    streamingSince: null,
    heardBy: null,
    heardSince: null,
    sound: null,
    lost: false,
  });
  draft.publish('phone-connected', { technology });
}

export function citizenPhoneEnded(draft: Draft, leg: Leg, failure: LegFailure): void {
  if (draft.phase === 'phone-connected' && draft.citizenPhone === leg.id) callEnded(draft, failure);
  else if (draft.phase === 'phone-fallback-active') citizenUnanswered(draft);
}

/** FB-6: nobody answered, or it was busy or declined. One more call by itself; the operator's phone is held meanwhile. */
export function citizenUnanswered(draft: Draft): void {
  const { fallback, policy } = draft.facts;
  if (!fallback) return;
  draft.clearTimers('citizen-ring');
  draft.raise('citizen-unanswered');
  if (fallback.citizenCalls <= policy.citizenRedials) {
    draft.changeFallback({ citizenRedialDue: true });
    draft.setTimer('citizen-redial', policy.citizenRedialAfterMs);
  } else {
    giveUpCalling(draft, 'citizen-unanswered');
  }
}

/** No call runs any more; the session stays open, the stream may come back, the operator may redial. */
function giveUpCalling(draft: Draft, reason: string): void {
  cancelPhones(draft, 'normal');
  draft.phase = 'degraded';
  draft.change({ degradedReason: reason });
  draft.publish('sos.degraded', { reason });
  takeUpStream(draft);
}

function takeUpStream(draft: Draft): void {
  if (draft.standing('citizen-app').length === 0) dialReachableDevices(draft);
  if (draft.standing('operator-app').length === 0) draft.order({ type: 'roster.assign', exclude: [] });
}

/**
 * The connected call ended. She hung up: nobody rings her again by himself (it may give her away); the operator
 * decides. The network lost it: both phones are dialled again.
 */
function callEnded(draft: Draft, failure: LegFailure): void {
  draft.citizenPhone = null;
  draft.bridgedWith = null;
  if (failure.outcome === 'completed') {
    draft.raise('citizen-hung-up');
    giveUpCalling(draft, 'citizen-hung-up');
    return;
  }
  draft.raise('voice-lost');
  cancelPhones(draft, 'normal');
  startFallback(draft, 'media-lost', failure.outcome);
  takeUpStream(draft);
}

export function operatorPhoneEnded(draft: Draft, leg: Leg): void {
  const { fallback, stream, policy } = draft.facts;
  if (stream.heardBy === leg.id) draft.changeStream({ heardBy: null, heardSince: null });
  if (!fallback) return;
  if (draft.phase === 'active') {
    draft.phase = 'degraded';
    draft.change({ degradedReason: 'operator-gone' });
    draft.publish('sos.degraded', { reason: 'operator-gone' });
    draft.startWatchdog(policy.watchdogMs);
    takeUpStream(draft);
    return;
  }
  if (draft.phase !== 'phone-fallback-active' && draft.phase !== 'phone-connected') return;
  if (draft.standing('operator-phone').length > 0) return;
  const wasTalking = draft.bridgedWith === leg.id;
  if (wasTalking && draft.citizenPhone) {
    draft.bridgedWith = null;
    draft.order({ type: 'pbx.hold', legId: draft.citizenPhone });
    draft.raise('voice-lost');
  }
  if (leg.state === 'answered') draft.order({ type: 'roster.chain', first: null });
  else callChainAt(draft, fallback.chainAt + 1);
}

export function citizenRedialDue(draft: Draft): void {
  if (draft.phase !== 'phone-fallback-active' || !draft.facts.fallback?.citizenRedialDue) return;
  callCitizen(draft);
}

/** The operator: "not reached, redial". Her present call, if any, is a recording or nobody: it is given up. */
export function redial(draft: Draft): boolean {
  if (!mayRing(draft)) return false;
  switch (draft.phase) {
    case 'connecting':
    case 'active':
      return false;
    case 'degraded':
      startFallback(draft, 'redial', 'operator');
      return true;
    case 'phone-fallback-active':
    case 'phone-connected': {
      for (const leg of draft.standing('operator-phone')) {
        if (leg.state === 'answered') draft.order({ type: 'pbx.hold', legId: leg.id });
      }
      draft.hangupAll('citizen-phone', 'normal');
      draft.phase = 'phone-fallback-active';
      draft.citizenPhone = null;
      draft.bridgedWith = null;
      draft.changeFallback({ mode: 'both', callReference: callCitizen(draft) });
      draft.publish('phone-fallback-active', { reason: 'redial', detail: 'operator', mode: 'both' });
      if (draft.standing('operator-phone').length === 0) draft.order({ type: 'roster.chain', first: null });
      return true;
    }
  }
}
