/**
 * The one decision of the gateway: `reduce(session, event, now) → session and commands`. Pure and total: every event
 * in every phase has an answer; late and doubled ones are ignored.
 */
import type { Instant } from '../ids.ts';
import { activate, arm, fold, release } from './begin.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import { reduceEnded, resolve } from './end.ts';
import type { SessionEvent } from './event.ts';
import * as fallback from './fallback.ts';
import { ignored, refused } from './ignored.ts';
import { bridged, legChanged } from './leg-changed.ts';
import { mediaChanged } from './media-changed.ts';
import { doubtRecord } from './alerts.ts';
import { contactChanged, rosterAnswered } from './roster-answered.ts';
import type { Arming, Live, Session } from './session.ts';
import { settle } from './settle.ts';
import { acknowledge, staffAsked } from './staff-asked.ts';
import * as stream from './stream.ts';
import { timerDue } from './timers-due.ts';

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
      return refused(session);
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
      return refused(session);
    case 'api.resolved':
      return resolve(session, event.by, at);
    case 'timer.due':
      return timerDue(session, event.timer, at);
    case 'api.redial-requested': {
      const draft = new Draft(session, at);
      return fallback.redial(draft) ? draft.seal() : refused(session);
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
    case 'record.doubtful': {
      const draft = new Draft(session, at);
      return doubtRecord(draft) ? draft.seal() : ignored(session);
    }
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
    case 'pbx.tried':
    case 'pbx.try-ended':
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
