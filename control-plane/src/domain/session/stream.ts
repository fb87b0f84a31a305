/** The one-way stream: her app's leg, the operator's, the two facts that make it active, and the one retry. */
import { bridgeIdOf } from '../ids.ts';
import type { AddressOfRecord, LegId, OperatorId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg, LegFailure } from './leg.ts';
import { becomeActiveIfBoth } from './confirm-active.ts';
import { dialCitizenApp, dialReachableDevices } from './dial-citizen-app.ts';
import { joinHeldOperator, startFallback } from './fallback.ts';
import { isReachable } from './session.ts';

const MAX_FAILURES = 10;

/** The contact of a device of hers appeared: the offer goes out, also in the middle of a session when the stream is gone. */
export function citizenContactOnline(draft: Draft, aor: AddressOfRecord): void {
  setOnline(draft, aor, true);
  if (draft.phase === 'phone-connected') return;
  const { stream } = draft.facts;
  const standing = draft.standing('citizen-app');
  if (standing.some((leg) => leg.streaming) && !stream.lost) return;
  const justDialled = standing.some(
    (leg) => leg.aor === aor && leg.state !== 'answered' && draft.at - leg.dialledAt < 1000,
  );
  if (!justDialled) dialCitizenApp(draft, aor);
}

export function setOnline(draft: Draft, aor: AddressOfRecord, online: boolean): void {
  draft.change({
    devices: draft.facts.devices.map((device) => (device.aor === aor ? { aor, online } : device)),
  });
}

/** An operator was chosen: their panel is called at once, beside the citizen. */
export function operatorAssigned(draft: Draft): void {
  const { assignment } = draft.facts;
  draft.clearTimers('no-operator');
  if (assignment?.state !== 'assigned' || draft.phase === 'phone-connected') return;
  const party = { role: 'operator', operatorId: assignment.operatorId } as const;
  draft.dialApp('operator-app', party, assignment.aor);
}

export function appAnswered(draft: Draft, leg: Leg): void {
  const bridge = bridgeIdOf(draft.facts.id, 'stream');
  if (leg.kind === 'citizen-app') {
    draft.order({ type: 'pbx.watch-media', legId: leg.id });
    draft.join(bridge, leg.id, 'speaks');
  } else {
    draft.join(bridge, leg.id, 'listens');
  }
}

/** Her packets arrive on this leg: it wins over the other attempts. */
export function streaming(draft: Draft, leg: Leg): void {
  draft.replaceLeg(leg.id, { streaming: true });
  draft.hangupAll('citizen-app', 'cancelled', leg.id);
  draft.changeStream({ leg: leg.id, streamingSince: draft.at, sound: leg.sound, lost: false });
  draft.publish('sos.streaming', { legId: leg.id });
  if (leg.sound) draft.publish('sos.sound', { talking: true });
  if (draft.phase === 'phone-connected' && draft.bridgedWith !== null) draft.hangup(leg, 'phone-won');
  else if (draft.phase !== 'active') joinHeldOperator(draft);
  becomeActiveIfBoth(draft);
}

/** Sound in the packets of one of her attempts. It often comes before the packets count as a stream. */
export function soundHeard(draft: Draft, leg: Leg): void {
  draft.replaceLeg(leg.id, { sound: true });
  if (draft.facts.stream.leg !== leg.id) return;
  draft.changeStream({ sound: true });
  draft.publish('sos.sound', { talking: true });
}

/** Three seconds without a confirmed stream (RTC-7): degraded, and one retry beside the first attempt. */
export function retryDue(draft: Draft): void {
  const { stream, assignment } = draft.facts;
  if (stream.streamingSince === null) {
    const reachable = isReachable(draft.facts);
    degrade(draft, reachable ? 'timeout-no-media' : 'timeout-no-contact');
    if (reachable) retryCitizen(draft);
    return;
  }
  degrade(draft, 'timeout-not-heard');
  const silent = draft.standing('operator-app').filter((leg) => leg.state === 'answered');
  if (assignment?.state === 'assigned' && silent.length > 0) {
    for (const leg of silent) draft.hangup(leg, 'cancelled');
    draft.dialApp('operator-app', { role: 'operator', operatorId: assignment.operatorId }, assignment.aor);
    draft.publish('sos.retried', { leg: 'operator-app' });
  }
}

function retryCitizen(draft: Draft): void {
  if (draft.facts.stream.retryUsed) return;
  draft.changeStream({ retryUsed: true });
  dialReachableDevices(draft);
  draft.publish('sos.retried', { leg: 'citizen-app' });
}

export function degrade(draft: Draft, reason: string): void {
  if (draft.phase === 'connecting' || draft.phase === 'active') draft.phase = 'degraded';
  if (draft.facts.degradedReason === reason) return;
  draft.change({ degradedReason: reason });
  draft.publish('sos.degraded', { reason });
}

/**
 * A word for the record that tells one signalling error from another (FB-4). 408 beside `media-failed` is the reason
 * that an app gives with its BYE when ICE failed, not an answer to our INVITE.
 */
export function failureDetail({ sipStatus, outcome }: Pick<LegFailure, 'sipStatus' | 'outcome'>): string {
  const isIceFailure = outcome === 'media-failed' && sipStatus === 408;
  return sipStatus === null || isIceFailure ? outcome : `sip-${sipStatus}`;
}

/** One of her attempts ended without our order. */
export function citizenAppEnded(draft: Draft, leg: Leg, failure: LegFailure): void {
  const { stream, policy } = draft.facts;
  const wasTheStream = stream.leg === leg.id;
  if (wasTheStream) draft.changeStream({ leg: null, streamingSince: null, sound: null, lost: true });
  if (failure.outcome === 'unreachable') {
    // Her contact is not there (any more): not a signalling error (decision 4); the next contact brings the offer.
    if (leg.aor !== null) setOnline(draft, leg.aor, false);
  } else {
    draft.changeStream({ failures: [...stream.failures, failure].slice(-MAX_FAILURES) });
  }
  if (draft.phase === 'active') {
    degrade(draft, 'stream-ended');
    draft.publish('sos.media-lost', { reason: failureDetail(failure) });
    draft.startWatchdog(policy.mediaLostMs);
    dialReachableDevices(draft);
    return;
  }
  if (draft.phase !== 'connecting' && draft.phase !== 'degraded') return;
  if (failure.outcome === 'unreachable' || draft.facts.watchdogAt === null) return;
  degrade(draft, `signalling-error-${failureDetail(failure)}`);
  if (!stream.retryUsed) {
    draft.clearTimers('retry');
    retryCitizen(draft);
  } else if (draft.standing('citizen-app').length === 0) {
    startFallback(draft, 'signalling-error', failureDetail(failure));
  }
}

/** The operator's panel failed or went: the next one is offered; her retry is untouched (decision 11). */
export function operatorAppEnded(draft: Draft, leg: Leg): void {
  const wasHearing = draft.facts.stream.heardBy === leg.id;
  if (wasHearing) notHeardAnyMore(draft, 'operator-gone');
  if (draft.phase === 'phone-connected' || draft.standing('operator-app').length > 0) return;
  if (draft.phase === 'active' && !wasHearing) return;
  offerNext(draft, leg);
}

/** Nothing from the panel that heard her: the next operator is offered beside it; if it speaks again, it has her again. */
export function operatorSilent(draft: Draft, leg: Leg): void {
  notHeardAnyMore(draft, 'operator-silent');
  if (draft.phase !== 'phone-connected') offerNext(draft, leg);
}

/**
 * A client of an operator was shut out: its legs end, and the next operator is offered at once. Nobody waits for one
 * who may not come back. A duty phone goes on: it is another key to another door. `false`: it concerned nothing here.
 */
export function operatorRevoked(draft: Draft, operatorId: OperatorId, aor: AddressOfRecord): boolean {
  const { assignment, stream } = draft.facts;
  const legs = draft.facts.legs.filter((leg) => leg.kind !== 'citizen-app' && leg.aor === aor && !leg.ending);
  const isAssigned = assignment?.state === 'assigned' && assignment.aor === aor;
  if (legs.length === 0 && !isAssigned) return false;
  for (const leg of legs) draft.hangup(leg, 'cancelled');
  if (legs.some((leg) => leg.id === stream.heardBy)) notHeardAnyMore(draft, 'operator-revoked');
  if (isAssigned && draft.phase !== 'phone-connected') offerOther(draft, operatorId);
  return true;
}

function notHeardAnyMore(draft: Draft, reason: string): void {
  draft.changeStream({ heardBy: null, heardSince: null });
  if (draft.phase !== 'active') return;
  degrade(draft, reason);
  draft.startWatchdog(draft.facts.policy.watchdogMs);
}

function offerNext(draft: Draft, leg: Leg): void {
  if (leg.party.role === 'citizen') return;
  offerOther(draft, leg.party.operatorId);
}

function offerOther(draft: Draft, operatorId: OperatorId): void {
  const tried = [...draft.facts.triedOperators.filter((id) => id !== operatorId), operatorId];
  draft.change({ triedOperators: tried });
  draft.order({ type: 'roster.assign', exclude: tried });
}

/** No packets for `policy.mediaLostMs`: one more attempt, and as long again until the fallback. */
export function mediaLost(draft: Draft, legId: LegId): void {
  if (draft.facts.stream.leg !== legId) return;
  draft.changeStream({ lost: true, streamingSince: null });
  draft.replaceLeg(legId, { streaming: false });
  draft.publish('sos.media-lost', { reason: 'no-packets' });
  if (draft.phase !== 'active') return;
  degrade(draft, 'media-lost');
  draft.startWatchdog(draft.facts.policy.mediaLostMs);
  dialReachableDevices(draft);
}

/** The deadline without a confirmed stream (FB-2; decision 8). */
export function watchdogDue(draft: Draft): void {
  const { stream, degradedReason } = draft.facts;
  draft.change({ watchdogAt: null });
  if (stream.streamingSince !== null) {
    startFallback(draft, 'operator-absent', 'not-heard');
    return;
  }
  const failure = stream.failures.at(-1);
  if (stream.lost) startFallback(draft, 'media-lost', failure ? failureDetail(failure) : 'no-packets');
  else if (failure) startFallback(draft, 'signalling-error', failureDetail(failure));
  else
    startFallback(
      draft,
      'timeout',
      degradedReason ?? (isReachable(draft.facts) ? 'timeout-no-media' : 'timeout-no-contact'),
    );
}
