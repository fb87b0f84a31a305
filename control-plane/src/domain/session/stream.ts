/** The one-way stream: her app's leg, the operator's, the two facts that make it active, and the one retry. */
import { bridgeIdOf } from '../ids.ts';
import type { AddressOfRecord, LegId, OperatorId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg, LegFailure, LegOutcome } from './leg.ts';
import { becomeActiveIfBoth, hearsHer } from './confirm-active.ts';
import { dialCitizenApp, dialReachableDevices } from './dial-citizen-app.ts';
import { mayRing, startFallback } from './fallback.ts';
import { failHandOver } from './hand-over.ts';
import { listenerAnswered } from './listen.ts';
import { joinHeldOperator } from './operator-chain.ts';
import {
  beginReoffer,
  endReoffer,
  hangUpUnanswered,
  isHis,
  offerNext,
  offerNextAfter,
  reofferFailed,
} from './reoffer.ts';
import { isReachable } from './session.ts';

const MAX_FAILURES = 10;
/** Answered on behalf of a client to which the way broke: another attempt waits for its contact. */
const WAY_BROKE: readonly number[] = [430, 503];

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
  const isError = draft.facts.watchdogAt !== null && isSignallingError(draft.facts.degradedReason);
  const isRetry = isError && !stream.retryUsed;
  // The edge gives it the offer that it has not answered; the one retry comes beside that all the same.
  if (justDialled && !isRetry) return;
  if (isRetry) noteRetry(draft);
  dialCitizenApp(draft, aor);
}

/**
 * The socket of a device went while it was being offered to: a signalling error (RTC-7), whose retry goes to another
 * device of hers, or to this one when it is back. With packets flowing it means nothing (decision 12).
 */
export function citizenContactOffline(draft: Draft, aor: AddressOfRecord): void {
  setOnline(draft, aor, false);
  const { stream, watchdogAt, devices } = draft.facts;
  if (draft.phase !== 'connecting' && draft.phase !== 'degraded') return;
  if (watchdogAt === null || stream.streamingSince !== null) return;
  const standing = draft.standing('citizen-app');
  const others = standing.filter((leg) =>
    devices.some((device) => device.online && device.aor === leg.aor && device.aor !== aor),
  );
  if (!standing.some((leg) => leg.aor === aor) || others.length > 0) return;
  degrade(draft, 'signalling-error-socket-closed');
  if (stream.retryUsed) return;
  draft.clearTimers('retry');
  if (isReachable(draft.facts)) retryCitizen(draft);
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
  if (assignment?.state !== 'assigned' || assignment.aor === null || draft.phase === 'phone-connected')
    return;
  const party = { role: 'operator', operatorId: assignment.operatorId } as const;
  draft.dialApp('operator-app', party, assignment.aor);
}

export function appAnswered(draft: Draft, leg: Leg): void {
  const bridge = bridgeIdOf(draft.facts.id, 'stream');
  if (leg.kind === 'citizen-app') {
    draft.order({ type: 'pbx.watch-media', legId: leg.id });
    draft.join(bridge, leg.id, 'speaks');
  } else if (leg.kind === 'supervisor-app') {
    listenerAnswered(draft, leg);
  } else {
    draft.join(bridge, leg.id, 'listens');
  }
}

/** Her packets arrive on this leg: it wins over the other attempts. */
export function streaming(draft: Draft, leg: Leg): void {
  if (draft.phase === 'phone-connected' && draft.bridgedWith !== null) {
    draft.hangup(leg, 'phone-won');
    return;
  }
  draft.replaceLeg(leg.id, { streaming: true });
  draft.hangupAll('citizen-app', 'cancelled', leg.id);
  draft.changeStream({ leg: leg.id, streamingSince: draft.at, sound: leg.sound, lost: false });
  draft.publish('sos.streaming', { legId: leg.id });
  if (leg.sound) draft.publish('sos.sound', { talking: true });
  hearsHer(draft);
  if (draft.phase !== 'active') joinHeldOperator(draft);
  becomeActiveIfBoth(draft);
  // A stream that comes back to a session without a deadline gets one: somebody has to hear her.
  if (draft.phase === 'degraded' && draft.facts.watchdogAt === null)
    draft.startWatchdog(draft.facts.policy.watchdogMs);
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
    degrade(draft, timeoutDetail(draft));
    if (isReachable(draft.facts)) retryCitizen(draft);
    return;
  }
  degrade(draft, timeoutDetail(draft));
  const silent = draft.standing('operator-app').filter((leg) => leg.state === 'answered');
  if (assignment?.state === 'assigned' && assignment.aor !== null && silent.length > 0) {
    for (const leg of silent) draft.hangup(leg, 'cancelled');
    draft.dialApp('operator-app', { role: 'operator', operatorId: assignment.operatorId }, assignment.aor);
    draft.publish('sos.retried', { leg: 'operator-app', reason: draft.facts.degradedReason });
  }
}

/** What is missing at a deadline (FB-4): her contact, her answer, her packets, or an ear. */
function timeoutDetail(draft: Draft): string {
  if (draft.facts.stream.streamingSince !== null) return 'timeout-not-heard';
  const standing = draft.standing('citizen-app');
  if (standing.some((leg) => leg.state === 'answered')) return 'timeout-no-media';
  return isReachable(draft.facts) ? 'timeout-no-answer' : 'timeout-no-contact';
}

/** The one retry, beside the first attempt, which lives until one of them is confirmed (decision 10). */
function retryCitizen(draft: Draft): void {
  if (draft.facts.stream.retryUsed) return;
  noteRetry(draft);
  dialReachableDevices(draft);
}

function noteRetry(draft: Draft): void {
  draft.changeStream({ retryUsed: true });
  draft.publish('sos.retried', { leg: 'citizen-app', reason: draft.facts.degradedReason });
}

const SIGNALLING_ERROR = 'signalling-error-';

function isSignallingError(reason: string | null): reason is string {
  return reason?.startsWith(SIGNALLING_ERROR) === true;
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
  if (wasTheStream)
    draft.changeStream({ leg: null, streamingSince: null, heardSince: null, sound: null, lost: true });
  // Nobody was there to be offered to: not a signalling error (decision 4); the next contact brings the offer.
  const hadNoContact = failure.outcome === 'unreachable' && failure.sipStatus === null;
  const isGone = hadNoContact || (failure.sipStatus !== null && WAY_BROKE.includes(failure.sipStatus));
  if (isGone && leg.aor !== null) setOnline(draft, leg.aor, false);
  if (!hadNoContact) draft.changeStream({ failures: [...stream.failures, failure].slice(-MAX_FAILURES) });
  if (draft.phase === 'active') {
    if (!wasTheStream) return;
    degrade(draft, 'stream-ended');
    draft.publish('sos.media-lost', { reason: failureDetail(failure) });
    draft.startWatchdog(policy.mediaLostMs);
    dialReachableDevices(draft);
    return;
  }
  if (draft.phase === 'phone-fallback-active' && wasTheStream) goodStreamLost(draft);
  if (draft.phase !== 'connecting' && draft.phase !== 'degraded') return;
  if (hadNoContact || draft.facts.watchdogAt === null) return;
  degrade(draft, `${SIGNALLING_ERROR}${failureDetail(failure)}`);
  if (!stream.retryUsed) {
    draft.clearTimers('retry');
    if (isReachable(draft.facts)) retryCitizen(draft);
  } else if (draft.standing('citizen-app').length === 0) {
    startFallback(draft, 'signalling-error', failureDetail(failure));
  }
}

/**
 * The operator's panel failed or went; her retry is untouched (decision 11). One that heard her may come back for a
 * while; for one that never did, the next is offered at once.
 */
export function operatorAppEnded(draft: Draft, leg: Leg, outcome: LegOutcome): void {
  if (draft.facts.handOver?.legId === leg.id) failHandOver(draft, outcome);
  if (draft.facts.stream.heardBy === leg.id) {
    if (draft.phase !== 'phone-connected') beginReoffer(draft, leg, false);
    notHeardAnyMore(draft, 'operator-gone');
    return;
  }
  if (draft.phase === 'phone-connected' || draft.phase === 'active') return;
  const { reoffer } = draft.facts;
  if (reoffer && isHis(leg, reoffer.operatorId) && reofferFailed(draft, leg, outcome)) return;
  if (draft.standing('operator-app').length > 0) return;
  endReoffer(draft);
  offerNext(draft, leg);
}

/** The panel that was silent speaks again: the call beside it is let go. */
export function heardAgain(draft: Draft, leg: Leg): void {
  for (const other of draft.standing('operator-app'))
    if (other.id !== leg.id && other.id !== draft.facts.handOver?.legId) draft.hangup(other, 'cancelled');
  endReoffer(draft);
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
  const isAwaited = draft.facts.reoffer?.operatorId === operatorId;
  if (isAwaited) endReoffer(draft);
  if (legs.some((leg) => leg.id === stream.heardBy)) notHeardAnyMore(draft, 'operator-revoked');
  const leavesNobody = isAwaited && draft.facts.stream.heardBy === null;
  // By his duty phone he hears her all the same: she stays his, without that panel.
  if (isAssigned && draft.hasVoice) draft.change({ assignment: { ...assignment, aor: null } });
  else if ((isAssigned || leavesNobody) && draft.phase !== 'phone-connected')
    offerNextAfter(draft, operatorId);
  return true;
}

/** Nothing from the panel that heard her: its operator is called anew beside it; if it speaks again, all is well. */
export function operatorSilent(draft: Draft, leg: Leg): void {
  if (draft.phase !== 'phone-connected') beginReoffer(draft, leg, true);
}

/** He has not come back: the next one is offered. */
export function reofferDue(draft: Draft): void {
  const { reoffer, stream } = draft.facts;
  if (!reoffer) return;
  hangUpUnanswered(draft);
  draft.change({ reoffer: null });
  if (stream.heardBy !== null && stream.heardBy === reoffer.silentLeg)
    notHeardAnyMore(draft, 'operator-silent');
  if (draft.phase !== 'phone-connected' && draft.facts.stream.heardBy === null)
    offerNextAfter(draft, reoffer.operatorId);
}

/** The watchdog leaves the same operator his time to come back, and the next one the time to answer. */
function notHeardAnyMore(draft: Draft, reason: string): void {
  draft.changeStream({ heardBy: null, heardSince: null });
  if (draft.phase !== 'active') return;
  degrade(draft, reason);
  const { reoffer, policy } = draft.facts;
  draft.startWatchdog((reoffer ? reoffer.until - draft.at : 0) + policy.firstRetryMs);
}

/** No packets for `policy.mediaLostMs`: one more attempt, and as long again until the fallback. */
export function mediaLost(draft: Draft, legId: LegId): void {
  if (draft.facts.stream.leg !== legId) return;
  draft.changeStream({ lost: true, streamingSince: null, heardSince: null });
  draft.replaceLeg(legId, { streaming: false });
  draft.publish('sos.media-lost', { reason: 'no-packets' });
  if (draft.phase === 'phone-fallback-active') goodStreamLost(draft);
  if (draft.phase !== 'active') return;
  degrade(draft, 'media-lost');
  draft.startWatchdog(draft.facts.policy.mediaLostMs);
  dialReachableDevices(draft);
}

/**
 * The stream for whose sake her phone was left in peace is gone: one more attempt, and the same grace as ever until her
 * phone rings after all.
 */
function goodStreamLost(draft: Draft): void {
  const { fallback, policy } = draft.facts;
  dialReachableDevices(draft);
  if (fallback?.mode === 'operators-only' && mayRing(draft)) draft.startWatchdog(policy.mediaLostMs);
}

/** The deadline without a confirmed stream (FB-2; decision 8). */
export function watchdogDue(draft: Draft): void {
  const { stream, degradedReason } = draft.facts;
  draft.change({ watchdogAt: null });
  // The duty phones are being called already, and the stream for whose sake hers was not is back.
  if (draft.phase === 'phone-fallback-active' && stream.streamingSince !== null) return;
  if (stream.streamingSince !== null) {
    startFallback(draft, 'operator-absent', 'not-heard');
    return;
  }
  const failure = stream.failures.at(-1);
  if (stream.lost) startFallback(draft, 'media-lost', failure ? failureDetail(failure) : 'no-packets');
  else if (failure) startFallback(draft, 'signalling-error', failureDetail(failure));
  else if (isSignallingError(degradedReason))
    startFallback(draft, 'signalling-error', degradedReason.slice(SIGNALLING_ERROR.length));
  else startFallback(draft, 'timeout', timeoutDetail(draft));
}
