/** The phone fallback: both phones at once, her call, the bridge, and what a hang-up means. */
import { bridgeIdOf, legIdOf } from '../ids.ts';
import type { Instant, LegId } from '../ids.ts';
import type { Draft } from './draft.ts';
import { isUp } from './leg.ts';
import type { Leg, LegFailure, LegOutcome, Party } from './leg.ts';
import type { FallbackReason } from './session.ts';
import { becomeActiveIfBoth } from './confirm-active.ts';
import { dialReachableDevices } from './dial-citizen-app.ts';
import { failHandOver } from './hand-over.ts';
import { placeListeners } from './listen.ts';
import { alertUnanswered, bridgePhones, chainPhoneEnded } from './operator-chain.ts';
import { cancelPhones, CLEARING_MS, forgetClearing, isClearing, setWaiting } from './phone-calls.ts';

/** Her phone may ring: a verified number, no wish for silence, and no hang-up of hers since. */
export function mayRing(draft: Draft): boolean {
  const { profile, hungUp } = draft.facts;
  return profile.phone === 'verified' && !profile.silent && !hungUp;
}

/** FB-2, FB-4: the record is written in this transaction, both phones are dialled right after it. */
export function startFallback(draft: Draft, reason: FallbackReason, detail: string): void {
  const { policy, assignment, fallback: before } = draft.facts;
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
      waiting: { citizen: false, operator: false },
      unansweredDue: false,
      attempts: before?.attempts ?? [],
    },
  });
  if (mode === 'both') draft.changeFallback({ callReference: callCitizen(draft) });
  if (reason === 'operator-absent') draft.raise('operator-absent');
  if (!streamIsGood && mode === 'operators-only') alertNotRinging(draft);
  draft.order({
    type: 'roster.chain',
    first: assignment?.state === 'assigned' ? assignment.operatorId : null,
  });
  draft.publish('phone-fallback-active', { reason, detail, mode });
}

/** Nobody rings her, and no stream stands: somebody has to know. */
function alertNotRinging(draft: Draft): void {
  draft.raise(draft.facts.profile.phone === 'verified' ? 'citizen-silent' : 'phone-unusable');
}

/** Calls her, or does so as soon as the call before has gone. Returns the leg that it is, or will be. */
function callCitizen(draft: Draft): LegId {
  const { policy, citizenId, fallback, id, attempts } = draft.facts;
  const party: Party = { role: 'citizen', citizenId };
  if (isClearing(draft, party)) {
    setWaiting(draft, { citizen: true });
    draft.setTimer('citizen-redial', CLEARING_MS);
    return legIdOf(id, 'citizen-phone', attempts['citizen-phone'] + 1);
  }
  const legId = draft.dialPhone('citizen-phone', party, policy.citizenRingMs);
  draft.changeFallback({ citizenCalls: (fallback?.citizenCalls ?? 0) + 1, citizenRedialDue: false });
  setWaiting(draft, { citizen: false });
  draft.clearTimers('citizen-redial');
  draft.setTimer('citizen-ring', policy.citizenRingMs);
  return legId;
}

/** The call connects when this commits: from now on WebRTC cannot win (FB-8, decision 13). */
export function citizenPhoneAnswered(draft: Draft, leg: Leg): void {
  draft.clearTimers('citizen-ring', 'citizen-redial', 'retry');
  draft.stopWatchdog();
  draft.phase = 'phone-connected';
  draft.citizenPhone = leg.id;
  draft.bridgedWith = null;
  draft.changeFallback({ citizenRedialDue: false, unansweredDue: false });
  const operator = draft.standing('operator-phone').find(isUp);
  if (operator) bridgePhones(draft, leg.id, operator);
  else draft.order({ type: 'pbx.hold', legId: leg.id });
}

/** The phone bridge stands: the WebRTC attempt is given up (FB-9). */
export function phonesBridged(draft: Draft, technology: string): void {
  draft.clearTimers('hand-over');
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
  draft.clearTimers('operator-reoffer');
  draft.change({ reoffer: null });
  if (draft.citizenPhone && draft.bridgedWith)
    draft.changeFallback({ bridged: [draft.citizenPhone, draft.bridgedWith] });
  placeListeners(draft);
  draft.publish('phone-connected', { technology });
}

/** Nobody stands in the phone bridge with her any more: who listens in goes back to the stream's. */
function leavePhoneBridge(draft: Draft): void {
  const { fallback } = draft.facts;
  if (!fallback?.bridged) return;
  const { bridged: _, ...rest } = fallback;
  draft.change({ fallback: rest });
  placeListeners(draft);
}

/** Nobody told of a bridge in time: both are told to join once more, and WebRTC goes all the same (decision 13). */
export function handOverDue(draft: Draft): void {
  const { citizenPhone, bridgedWith } = draft;
  if (draft.phase !== 'phone-connected' || citizenPhone === null || bridgedWith === null) return;
  const bridge = bridgeIdOf(draft.facts.id, 'phone');
  draft.join(bridge, citizenPhone, 'both');
  draft.join(bridge, bridgedWith, 'both');
  phonesBridged(draft, 'unconfirmed');
}

export function citizenPhoneEnded(draft: Draft, leg: Leg, failure: LegFailure): void {
  if (draft.phase === 'phone-connected' && draft.citizenPhone === leg.id) callEnded(draft, failure);
  else if (draft.phase === 'phone-fallback-active' && !calledAgain(draft, leg, failure))
    citizenUnanswered(draft);
}

/** While a call that the engine lost may go on ringing, her phone is busy with it: tried again after this. */
const GHOST_RETRY_MS = 3_000;

/**
 * The engine lost the call that rang, or the node died that commanded it: she has declined nothing, and may have picked
 * up. She is called again at once, once per ring time. The lost call may ring on as a ghost; a *busy* meanwhile is not
 * believed (decision 17).
 */
function calledAgain(draft: Draft, leg: Leg, { outcome }: LegFailure): boolean {
  const { fallback, policy } = draft.facts;
  const lostRinging = outcome === 'lost' && leg.state === 'ringing';
  if (!fallback || !(lostRinging || outcome === 'busy')) return false;
  const mayHaveGhost = fallback.ghostUntil !== undefined && draft.at < fallback.ghostUntil;
  if (mayHaveGhost !== (outcome === 'busy')) return false;
  draft.clearTimers('citizen-ring');
  // Not one of those that she left unanswered.
  draft.changeFallback({ citizenCalls: Math.max(0, fallback.citizenCalls - 1) });
  if (outcome === 'busy') {
    draft.changeFallback({ citizenRedialDue: true });
    draft.setTimer('citizen-redial', GHOST_RETRY_MS);
  } else {
    draft.changeFallback({ ghostUntil: (draft.at + policy.citizenRingMs) as Instant });
    callCitizen(draft);
  }
  return true;
}

/** FB-6: nobody answered, or it was busy or declined. One more call by itself; the operator's phone is held meanwhile. */
export function citizenUnanswered(draft: Draft): void {
  const { fallback, policy } = draft.facts;
  if (!fallback) return;
  draft.clearTimers('citizen-ring');
  if (fallback.citizenCalls <= policy.citizenRedials) {
    alertUnanswered(draft);
    draft.changeFallback({ citizenRedialDue: true });
    draft.setTimer('citizen-redial', policy.citizenRedialAfterMs);
  } else {
    draft.raise('citizen-unanswered');
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

/** Streaming and heard by nobody, it gets a deadline of its own: duty phones join it. */
function takeUpStream(draft: Draft): void {
  const { policy, stream } = draft.facts;
  if (draft.standing('citizen-app').length === 0) dialReachableDevices(draft);
  if (draft.standing('operator-app').length === 0) draft.order({ type: 'roster.assign', exclude: [] });
  if (draft.phase === 'degraded' && stream.streamingSince !== null && draft.facts.watchdogAt === null)
    draft.startWatchdog(policy.watchdogMs);
}

/**
 * The connected call ended. She hung up: nobody rings her again by himself (it may give her away); the operator
 * decides. The network lost it: she is dialled again, and whoever spoke with her is held meanwhile.
 */
function callEnded(draft: Draft, failure: LegFailure): void {
  const hasHungUp = failure.outcome === 'completed';
  draft.citizenPhone = null;
  draft.bridgedWith = null;
  draft.clearTimers('hand-over');
  leavePhoneBridge(draft);
  draft.raise(hasHungUp ? 'citizen-hung-up' : 'voice-lost');
  if (takenUpByStream(draft)) return;
  if (hasHungUp) {
    draft.change({ hungUp: true });
    giveUpCalling(draft, 'citizen-hung-up');
    return;
  }
  startFallback(draft, 'media-lost', failure.outcome);
  takeUpStream(draft);
}

/** The call is over and both facts of the stream hold: it was kept for this (decision 13). The record of the call stays. */
function takenUpByStream(draft: Draft): boolean {
  const { streamingSince, heardBy } = draft.facts.stream;
  if (streamingSince === null || heardBy === null) return false;
  draft.citizenPhone = null;
  draft.bridgedWith = null;
  leavePhoneBridge(draft);
  cancelPhones(draft, 'stream-won', heardBy);
  draft.phase = 'degraded';
  becomeActiveIfBoth(draft);
  return true;
}

export function operatorPhoneEnded(draft: Draft, leg: Leg, outcome: LegOutcome): void {
  const { stream, policy, handOver } = draft.facts;
  if (handOver?.legId === leg.id) failHandOver(draft, outcome);
  if (stream.heardBy === leg.id) draft.changeStream({ heardBy: null, heardSince: null });
  switch (draft.phase) {
    case 'active':
      if (stream.heardBy !== leg.id) return;
      draft.phase = 'degraded';
      draft.change({ degradedReason: 'operator-gone' });
      draft.publish('sos.degraded', { reason: 'operator-gone' });
      draft.startWatchdog(policy.watchdogMs);
      takeUpStream(draft);
      return;
    case 'phone-fallback-active':
    case 'phone-connected':
      chainPhoneEnded(draft, leg);
      return;
    case 'connecting':
    case 'degraded':
      return;
  }
}

/** The time for one more call to her. While her packets flow her phone is left in peace (decision 8). */
export function citizenRedialDue(draft: Draft): void {
  const { fallback, stream, policy, citizenId } = draft.facts;
  if (draft.phase !== 'phone-fallback-active' || !fallback) return;
  if (fallback.waiting.citizen) {
    forgetClearing(draft, { role: 'citizen', citizenId });
    callCitizen(draft);
    return;
  }
  if (!fallback.citizenRedialDue) return;
  if (stream.streamingSince !== null && policy.operatorAbsent === 'dial-operator')
    draft.setTimer('citizen-redial', policy.citizenRedialAfterMs);
  else callCitizen(draft);
}

/** The call before has gone: she is called now, if she was to be. */
export function citizenCleared(draft: Draft): void {
  if (draft.facts.fallback?.waiting.citizen === true && draft.phase === 'phone-fallback-active')
    callCitizen(draft);
}

/**
 * The operator: "not reached, redial". Her present call, if any, is a recording or nobody: it is given up. Refused
 * while her phone rings already, while her stream is live, and always where it must not ring.
 */
export function redial(draft: Draft): boolean {
  const { profile, fallback } = draft.facts;
  if (profile.phone !== 'verified' || profile.silent) return false;
  const rings = draft.standing('citizen-phone').some((leg) => leg.state !== 'answered');
  if (rings || fallback?.waiting.citizen === true) return false;
  switch (draft.phase) {
    case 'connecting':
    case 'active':
      return false;
    case 'degraded':
      draft.change({ hungUp: false });
      startFallback(draft, 'redial', 'operator');
      return true;
    case 'phone-fallback-active':
    case 'phone-connected': {
      if (takenUpByStream(draft)) return true;
      draft.change({ hungUp: false });
      for (const leg of draft.standing('operator-phone')) {
        if (isUp(leg)) draft.order({ type: 'pbx.hold', legId: leg.id });
      }
      draft.hangupAll('citizen-phone', 'normal');
      draft.clearTimers('hand-over');
      draft.stopWatchdog();
      draft.phase = 'phone-fallback-active';
      draft.citizenPhone = null;
      draft.bridgedWith = null;
      leavePhoneBridge(draft);
      draft.changeFallback({ mode: 'both', callReference: callCitizen(draft) });
      draft.publish('phone-fallback-active', { reason: 'redial', detail: 'operator', mode: 'both' });
      const isUnderWay = draft.standing('operator-phone').length > 0 || fallback?.waiting.operator === true;
      if (!isUnderWay) draft.order({ type: 'roster.chain', first: null });
      return true;
    }
  }
}
