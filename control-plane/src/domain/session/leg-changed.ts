/** What becomes of a leg, as the engine or the edge tells it: ringing, answered, ended, bridged. */
import { parseBridgeId } from '../ids.ts';
import type { Instant } from '../ids.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { EventOf } from './event.ts';
import { isTrunkFailure } from '../trunk/failover.ts';
import * as fallback from './fallback.ts';
import { ignored } from './ignored.ts';
import type { Leg } from './leg.ts';
import { listenerEnded } from './listen.ts';
import * as chain from './operator-chain.ts';
import type { Live } from './session.ts';
import * as stream from './stream.ts';

/** What a duty phone presses that has to accept (decision 16). */
const ACCEPT_KEY = '1';

export function legChanged(
  session: Live,
  event: EventOf<
    | 'edge.offer-sent'
    | 'edge.answer-received'
    | 'pbx.ringing'
    | 'pbx.progress'
    | 'pbx.answered'
    | 'pbx.ended'
    | 'pbx.carrier-reference'
    | 'pbx.key-pressed'
    | 'pbx.tried'
    | 'pbx.try-ended'
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
      return answered(draft, session, leg, event.trunk ?? null);
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
        change: { state: 'carrier-reference', try: event.try ?? 1, callId: event.callId, at },
      });
      if (session.fallback?.callReference === leg.id) draft.changeFallback({ callReference: event.callId });
      break;
    case 'pbx.tried': {
      const { legId, try: number, trunk } = event;
      draft.replaceLeg(legId, { tries: Math.max(leg.tries ?? 0, number) });
      draft.order({ type: 'leg.record', legId, change: { state: 'tried', try: number, trunk, at } });
      break;
    }
    case 'pbx.try-ended': {
      const { legId, try: number, trunk, outcome, sipStatus, q850 } = event;
      draft.order({
        type: 'leg.record',
        legId,
        change: { state: 'try-ended', try: number, trunk, at, outcome, sipStatus, q850 },
      });
      break;
    }
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

function answered(draft: Draft, session: Live, leg: Leg, trunk: string | null): Decision {
  if (leg.state === 'answered') return ignored(session);
  draft.replaceLeg(leg.id, { state: 'answered' });
  draft.noteAttempt(leg.id, { answeredAt: draft.at });
  draft.order({ type: 'leg.record', legId: leg.id, change: { state: 'answered', trunk, at: draft.at } });
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

function ended(draft: Draft, leg: Leg, event: EventOf<'pbx.ended'>): Decision {
  const { legId, outcome, sipStatus, q850 } = event;
  draft.removeLeg(legId);
  draft.noteAttempt(legId, { endedAt: draft.at, outcome, sipStatus });
  draft.order({
    type: 'leg.record',
    legId,
    change: { state: 'ended', at: draft.at, outcome, sipStatus, q850 },
  });
  if (leg.kind === 'citizen-phone' || leg.kind === 'operator-phone') {
    draft.publish('phone.ended', { leg: leg.kind, outcome });
    // TEL-7: no trunk took it. Who could help without a telephone is told at once, not when the chain is exhausted.
    if (isTrunkFailure(outcome) && !leg.ending) draft.raise('trunks-dead');
  }
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

export function bridged(session: Live, event: EventOf<'pbx.bridged'>, at: Instant): Decision {
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
