/**
 * The one decision of the gateway: `reduce(session, event, now) → session and commands`. Pure and total: every event
 * in every phase has an answer; late and doubled ones are ignored.
 */
import { parseBridgeId } from '../ids.ts';
import type { Instant } from '../ids.ts';
import { activate, arm, fold, release } from './begin.ts';
import { acknowledgeAlert, repeatAlerts } from './alerts.ts';
import { heard } from './confirm-active.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import { reduceEnded, resolve } from './end.ts';
import type { SessionEvent } from './event.ts';
import * as fallback from './fallback.ts';
import { askForNext, beginHandOver, mayHandOver, transferDue } from './hand-over.ts';
import type { Leg } from './leg.ts';
import { listen, listenerEnded, stopListening } from './listen.ts';
import { operatorBack } from './reoffer.ts';
import * as chain from './operator-chain.ts';
import type { Arming, Live, Session } from './session.ts';
import { settle } from './settle.ts';
import * as stream from './stream.ts';

export function reduce(session: Session | null, event: SessionEvent, at: Instant): Decision | null {
  if (session === null) {
    if (event.type === 'api.armed') return arm(event.subject, at);
    if (event.type === 'api.activated') return activate(event.subject, event.contactOnline, null, at);
    return null;
  }
  switch (session.phase) {
    case 'arming':
      return reduceArming(session, event, at);
    case 'connecting':
    case 'degraded':
    case 'active':
    case 'phone-fallback-active':
    case 'phone-connected':
      return settle(reduceLive(session, event, at), at);
    case 'resolved':
    case 'released':
      return reduceEnded(session, event, at);
  }
}

function reduceArming(session: Arming, event: SessionEvent, at: Instant): Decision {
  switch (event.type) {
    case 'api.activated':
      return activate({ ...event.subject, sessionId: session.id }, event.contactOnline, session, at);
    case 'api.armed':
      return { ...arm({ ...event.subject, sessionId: session.id }, at), verdict: 'applied' };
    case 'api.released':
      return release(session, 'citizen', at);
    case 'timer.due':
      return event.timer === 'arming-expiry' ? release(session, 'expiry', at) : ignored(session);
    case 'api.resolved':
      return release(session, event.by, at);
    case 'api.redial-requested':
    case 'api.transfer-requested':
    case 'api.join-requested':
    case 'api.listen-requested':
      return { ...ignored(session), verdict: 'refused' };
    default:
      return ignored(session);
  }
}

function reduceLive(session: Live, event: SessionEvent, at: Instant): Decision {
  switch (event.type) {
    case 'api.activated':
      return fold(session, event.subject, event.contactOnline, at);
    case 'api.armed':
      return ignored(session);
    case 'api.released':
      return { ...ignored(session), verdict: 'refused' };
    case 'api.resolved':
      return resolve(session, event.by, at);
    case 'timer.due':
      return timerDue(session, event.timer, at);
    case 'api.redial-requested': {
      const draft = new Draft(session, at);
      return fallback.redial(draft) ? draft.seal() : { ...ignored(session), verdict: 'refused' };
    }
    case 'api.transfer-requested':
    case 'api.join-requested':
    case 'api.listen-requested':
    case 'api.listen-ended':
    case 'roster.hand-over-found':
    case 'roster.hand-over-nobody':
      return staffAsked(session, event, at);
    case 'panel.alert-acknowledged':
      return acknowledge(session, event, at);
    case 'panel.told':
      return { session, commands: [], verdict: 'applied' };
    case 'contact.online':
    case 'contact.offline':
      return contactChanged(session, event, at);
    case 'roster.assigned':
    case 'roster.nobody-free':
    case 'roster.chain-found':
    case 'roster.changed':
      return rosterAnswered(session, event, at);
    case 'operator.revoked': {
      const draft = new Draft(session, at);
      return stream.operatorRevoked(draft, event.operatorId, event.aor) ? draft.seal() : ignored(session);
    }
    case 'edge.offer-sent':
    case 'edge.answer-received':
    case 'pbx.ringing':
    case 'pbx.progress':
    case 'pbx.answered':
    case 'pbx.ended':
    case 'pbx.carrier-reference':
    case 'pbx.key-pressed':
      return legChanged(session, event, at);
    case 'pbx.bridged':
      return bridged(session, event, at);
    case 'media.first-packet':
    case 'media.streaming':
    case 'media.lost':
    case 'media.back':
    case 'media.sound':
    case 'panel.heard':
    case 'panel.silent':
      return mediaChanged(session, event, at);
  }
}

/** What a duty phone presses that has to accept (decision 16). */
const ACCEPT_KEY = '1';

type Of<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>;

function ignored(session: Session): Decision {
  return { session, commands: [], verdict: 'ignored' };
}

function timerDue(session: Live, timer: Of<'timer.due'>['timer'], at: Instant): Decision {
  const draft = new Draft(session, at);
  const connecting = session.phase === 'connecting' || session.phase === 'degraded';
  switch (timer) {
    case 'retry':
      if (!connecting || session.watchdogAt === null) return ignored(session);
      stream.retryDue(draft);
      break;
    case 'watchdog':
      if (session.watchdogAt === null || (!connecting && session.phase !== 'phone-fallback-active'))
        return ignored(session);
      stream.watchdogDue(draft);
      break;
    case 'no-operator':
      if (session.assignment?.state !== 'queued') return ignored(session);
      draft.raise('no-operator');
      // A shift may have begun by the clock alone.
      draft.order({ type: 'roster.assign', exclude: [] });
      break;
    case 'operator-reoffer':
      if (!session.reoffer) return ignored(session);
      stream.reofferDue(draft);
      break;
    case 'transfer':
      if (!session.handOver) return ignored(session);
      transferDue(draft);
      break;
    case 'citizen-ring':
      if (session.phase !== 'phone-fallback-active') return ignored(session);
      draft.hangupAll('citizen-phone', 'no-answer');
      fallback.citizenUnanswered(draft);
      break;
    case 'operator-ring':
      chain.operatorRingDue(draft);
      break;
    case 'citizen-redial':
      fallback.citizenRedialDue(draft);
      break;
    case 'hand-over':
      if (session.phase !== 'phone-connected') return ignored(session);
      fallback.handOverDue(draft);
      break;
    case 'alert-repeat':
      if (session.alertRepeatAt === null) return ignored(session);
      repeatAlerts(draft);
      break;
    case 'long-session':
      // Never a hang-up (decision 35).
      draft.raise('long-session');
      draft.setTimer('long-session', session.policy.maxSessionMs);
      break;
    case 'arming-expiry':
      return ignored(session);
  }
  return draft.seal();
}

/** What staff may ask of a session beside ending it. Who may ask is judged outside, but for who has her (decision 23). */
function staffAsked(
  session: Live,
  event: Of<
    | 'api.transfer-requested'
    | 'api.join-requested'
    | 'api.listen-requested'
    | 'api.listen-ended'
    | 'roster.hand-over-found'
    | 'roster.hand-over-nobody'
  >,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  const refused: Decision = { ...ignored(session), verdict: 'refused' };
  switch (event.type) {
    case 'api.transfer-requested':
      if (!mayHandOver(draft, event.asker)) return refused;
      askForNext(draft, event.to);
      break;
    case 'api.join-requested': {
      const { operatorId, role } = event;
      if (!mayHandOver(draft, role === 'operator' ? operatorId : null)) return refused;
      if (!beginHandOver(draft, { role, operatorId }, event.aor)) return refused;
      break;
    }
    case 'api.listen-requested':
      if (!listen(draft, event.operatorId, event.aor)) return refused;
      break;
    case 'api.listen-ended':
      if (!stopListening(draft, event.operatorId)) return ignored(session);
      break;
    case 'roster.hand-over-found': {
      const { operatorId, aor, acceptance } = event;
      const to = { role: 'operator', operatorId, ...(acceptance ? { acceptance } : {}) } as const;
      if (!beginHandOver(draft, to, aor)) return ignored(session);
      break;
    }
    case 'roster.hand-over-nobody':
      return ignored(session);
  }
  return draft.seal();
}

function acknowledge(session: Live, event: Of<'panel.alert-acknowledged'>, at: Instant): Decision {
  const draft = new Draft(session, at);
  return acknowledgeAlert(draft, event.kind, event.by) ? draft.seal() : ignored(session);
}

function contactChanged(
  session: Live,
  event: Of<'contact.online' | 'contact.offline'>,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  if (!session.devices.some((device) => device.aor === event.aor))
    return event.type === 'contact.online' && operatorBack(draft, event.aor)
      ? draft.seal()
      : ignored(session);
  if (event.type === 'contact.online') stream.citizenContactOnline(draft, event.aor);
  else stream.citizenContactOffline(draft, event.aor);
  return draft.seal();
}

function rosterAnswered(
  session: Live,
  event: Of<'roster.assigned' | 'roster.nobody-free' | 'roster.chain-found' | 'roster.changed'>,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  switch (event.type) {
    case 'roster.assigned':
      draft.change({
        assignment: { state: 'assigned', operatorId: event.operatorId, aor: event.aor, since: at },
      });
      draft.publish('sos.assigned', { operatorId: event.operatorId });
      stream.operatorAssigned(draft);
      break;
    case 'roster.nobody-free':
      if (session.assignment?.state === 'queued') return ignored(session);
      draft.change({ assignment: { state: 'queued', since: at }, triedOperators: [] });
      draft.publish('sos.queued', {});
      draft.setTimer('no-operator', session.policy.noOperatorAlertMs);
      break;
    case 'roster.chain-found':
      chain.chainFound(draft, event.chain);
      break;
    case 'roster.changed':
      if (session.assignment?.state === 'assigned') return ignored(session);
      draft.order({ type: 'roster.assign', exclude: [] });
      break;
  }
  return draft.seal();
}

function legChanged(
  session: Live,
  event: Of<
    | 'edge.offer-sent'
    | 'edge.answer-received'
    | 'pbx.ringing'
    | 'pbx.progress'
    | 'pbx.answered'
    | 'pbx.ended'
    | 'pbx.carrier-reference'
    | 'pbx.key-pressed'
  >,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  const leg = draft.leg(event.legId);
  if (!leg) return strangeLeg(session, event);
  switch (event.type) {
    case 'edge.offer-sent':
      if (leg.kind === 'citizen-app') draft.publish('sos.offered', { legId: leg.id });
      break;
    case 'edge.answer-received':
      break;
    case 'pbx.ringing':
    case 'pbx.progress':
      draft.order({
        type: 'leg.record',
        legId: leg.id,
        change: { state: event.type === 'pbx.ringing' ? 'ringing' : 'progress', at },
      });
      if (event.type === 'pbx.progress' || leg.state !== 'dialing') break;
      draft.replaceLeg(leg.id, { state: 'ringing' });
      draft.noteAttempt(leg.id, { ringingAt: at });
      if (leg.kind === 'citizen-phone' || leg.kind === 'operator-phone')
        draft.publish('phone.ringing', { leg: leg.kind });
      break;
    case 'pbx.answered':
      return answered(draft, session, leg);
    case 'pbx.ended':
      return ended(draft, leg, event);
    case 'pbx.key-pressed':
      if (leg.kind !== 'operator-phone' || leg.state !== 'answered' || leg.accepted || leg.ending)
        return ignored(session);
      if (event.key !== ACCEPT_KEY) return ignored(session);
      chain.operatorPhoneAccepted(draft, leg);
      break;
    case 'pbx.carrier-reference':
      draft.order({
        type: 'leg.record',
        legId: leg.id,
        change: { state: 'carrier-reference', callId: event.callId, at },
      });
      if (session.fallback?.callReference === leg.id) draft.changeFallback({ callReference: event.callId });
      break;
  }
  return draft.seal();
}

/** A leg that the session does not (or no longer) know: alive it is hung up, dead it is forgotten. */
function strangeLeg(session: Live, event: Parameters<typeof legChanged>[1]): Decision {
  if (event.type !== 'pbx.answered' && event.type !== 'pbx.ringing') return ignored(session);
  return {
    session,
    commands: [{ type: 'pbx.hangup', legId: event.legId, reason: 'cancelled' }],
    verdict: 'ignored',
  };
}

function answered(draft: Draft, session: Live, leg: Leg): Decision {
  if (leg.state === 'answered') return ignored(session);
  draft.replaceLeg(leg.id, { state: 'answered' });
  draft.noteAttempt(leg.id, { answeredAt: draft.at });
  draft.order({ type: 'leg.record', legId: leg.id, change: { state: 'answered', at: draft.at } });
  if (leg.ending) {
    // The answer crossed our CANCEL: it is hung up, never joined (FB-8).
    draft.order({ type: 'pbx.hangup', legId: leg.id, reason: 'cancelled' });
    return draft.seal();
  }
  switch (leg.kind) {
    case 'citizen-app':
    case 'operator-app':
    case 'supervisor-app':
      stream.appAnswered(draft, leg);
      break;
    case 'citizen-phone':
      fallback.citizenPhoneAnswered(draft, leg);
      draft.publish('phone.answered', { leg: leg.kind });
      break;
    case 'operator-phone':
      draft.publish('phone.answered', { leg: leg.kind });
      chain.operatorPhoneAnswered(draft, leg);
      break;
  }
  return draft.seal();
}

function ended(draft: Draft, leg: Leg, event: Of<'pbx.ended'>): Decision {
  const { legId, outcome, sipStatus, q850 } = event;
  draft.removeLeg(legId);
  draft.noteAttempt(legId, { endedAt: draft.at, outcome, sipStatus });
  draft.order({
    type: 'leg.record',
    legId,
    change: { state: 'ended', at: draft.at, outcome, sipStatus, q850 },
  });
  if (leg.kind === 'citizen-phone' || leg.kind === 'operator-phone')
    draft.publish('phone.ended', { leg: leg.kind, outcome });
  if (leg.ending) {
    if (leg.kind === 'citizen-phone') fallback.citizenCleared(draft);
    else if (leg.kind === 'operator-phone') chain.operatorCleared(draft);
    return draft.seal();
  }
  const failure = { legId, kind: leg.kind, outcome, sipStatus, q850, at: draft.at };
  switch (leg.kind) {
    case 'citizen-app':
      stream.citizenAppEnded(draft, leg, failure);
      break;
    case 'operator-app':
      stream.operatorAppEnded(draft, leg, outcome);
      break;
    case 'supervisor-app':
      listenerEnded(draft, leg, outcome);
      break;
    case 'citizen-phone':
      fallback.citizenPhoneEnded(draft, leg, failure);
      break;
    case 'operator-phone':
      fallback.operatorPhoneEnded(draft, leg, outcome);
      break;
  }
  return draft.seal();
}

function bridged(session: Live, event: Of<'pbx.bridged'>, at: Instant): Decision {
  if (session.phase !== 'phone-connected' || parseBridgeId(event.bridgeId)?.kind !== 'phone')
    return ignored(session);
  const { citizenPhone, bridgedWith } = session;
  if (bridgedWith === null || !event.legIds.includes(citizenPhone) || !event.legIds.includes(bridgedWith))
    return ignored(session);
  const draft = new Draft(session, at);
  // Somebody else came into the bridge: it was told already.
  const [hers, his] = session.fallback.bridged ?? [];
  const apps = [...draft.standing('citizen-app'), ...draft.standing('operator-app')];
  if (hers === citizenPhone && his === bridgedWith && apps.length === 0) return ignored(session);
  fallback.phonesBridged(draft, event.technology);
  return draft.seal();
}

function mediaChanged(
  session: Live,
  event: Of<
    | 'media.first-packet'
    | 'media.streaming'
    | 'media.lost'
    | 'media.back'
    | 'media.sound'
    | 'panel.heard'
    | 'panel.silent'
  >,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  const leg = draft.leg(event.legId);
  if (!leg || leg.ending) return ignored(session);
  switch (event.type) {
    case 'media.first-packet':
      break;
    case 'media.streaming':
    case 'media.back':
      if (leg.kind !== 'citizen-app' || (leg.streaming && !session.stream.lost)) return ignored(session);
      stream.streaming(draft, leg);
      break;
    case 'media.lost':
      stream.mediaLost(draft, leg.id);
      break;
    case 'media.sound':
      if (!event.talking || leg.kind !== 'citizen-app' || leg.sound) return ignored(session);
      stream.soundHeard(draft, leg);
      break;
    case 'panel.heard':
      if (leg.kind !== 'operator-app' || leg.state !== 'answered' || leg.party.role === 'citizen')
        return ignored(session);
      // Told again each second: nothing new, and no row in the record.
      if (leg.party.operatorId !== event.operatorId) return ignored(session);
      if (session.stream.heardBy === leg.id && session.reoffer) stream.heardAgain(draft, leg);
      else if (!heard(draft, leg)) return ignored(session);
      break;
    case 'panel.silent':
      if (session.stream.heardBy !== leg.id || session.reoffer) return ignored(session);
      stream.operatorSilent(draft, leg);
      break;
  }
  return draft.seal();
}
