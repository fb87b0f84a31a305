/**
 * What a session as it stands asks of the engine. For orders whose fate nobody knows: a process that died between
 * commit and command, a commit in doubt, an engine that was out of reach. Each is repeatable.
 */
import { bridgeIdOf } from '../ids.ts';
import type { Instant } from '../ids.ts';
import type { PbxCommand } from './command.ts';
import { CITIZEN_APP_RING_MS } from './draft.ts';
import type { Leg } from './leg.ts';
import { bridgeOfVoice } from './listen.ts';
import { isLive } from './session.ts';
import type { Live, Session } from './session.ts';

export function standingOrders(session: Session): readonly PbxCommand[] {
  return 'legs' in session ? session.legs.flatMap((leg) => standingOrdersOf(session, leg)) : [];
}

/** Mute is asserted anew with each join (RTC-3). */
export function standingOrdersOf(session: Session, leg: Leg): readonly PbxCommand[] {
  if (!isLive(session)) return [{ type: 'pbx.hangup', legId: leg.id, reason: 'session-ended' }];
  if (leg.ending) return [{ type: 'pbx.hangup', legId: leg.id, reason: 'cancelled' }];
  switch (leg.state) {
    case 'dialing':
      return [dial(session, leg)];
    case 'ringing':
      return [];
    case 'answered':
      return place(session, leg);
  }
}

/** Whether a leg that was to be dialled may still ring: its time has not run out. */
export function mayStillRing(session: Live, leg: Leg, now: Instant): boolean {
  return leg.state === 'dialing' && !leg.ending && now < leg.dialledAt + ringTimeMs(session, leg);
}

function ringTimeMs({ policy }: Live, { kind }: Leg): number {
  switch (kind) {
    case 'citizen-app':
      return CITIZEN_APP_RING_MS;
    case 'operator-app':
    case 'supervisor-app':
      return policy.firstRetryMs;
    case 'citizen-phone':
      return policy.citizenRingMs;
    case 'operator-phone':
      return policy.operatorRingMs;
  }
}

function dial(session: Live, leg: Leg): PbxCommand {
  const ringTimeoutMs = ringTimeMs(session, leg);
  const { id: legId, kind, party, aor } = leg;
  if (aor !== null && kind !== 'citizen-phone' && kind !== 'operator-phone')
    return { type: 'pbx.dial-app', legId, kind, aor, ringTimeoutMs };
  return {
    type: 'pbx.dial-phone',
    legId,
    party,
    ringTimeoutMs,
    ...(leg.tries === undefined ? {} : { triesBefore: leg.tries }),
  };
}

function place(session: Live, leg: Leg): readonly PbxCommand[] {
  const legId = leg.id;
  const stream = bridgeIdOf(session.id, 'stream');
  switch (leg.kind) {
    case 'citizen-app':
      return [
        { type: 'pbx.watch-media', legId },
        { type: 'pbx.join', bridgeId: stream, legId, voice: 'speaks' },
      ];
    case 'operator-app':
      return [{ type: 'pbx.join', bridgeId: stream, legId, voice: 'listens' }];
    case 'supervisor-app':
      return [{ type: 'pbx.join', bridgeId: bridgeOfVoice(session), legId, voice: 'listens' }];
    case 'citizen-phone':
    case 'operator-phone': {
      if (!leg.accepted) return [{ type: 'pbx.ask-acceptance', legId }];
      if (session.phase === 'phone-connected' && session.bridgedWith !== null) {
        if (legId === session.citizenPhone || legId === session.bridgedWith)
          return [{ type: 'pbx.join', bridgeId: bridgeIdOf(session.id, 'phone'), legId, voice: 'both' }];
      }
      if (session.stream.heardBy === legId)
        return [{ type: 'pbx.join', bridgeId: stream, legId, voice: 'listens' }];
      return [{ type: 'pbx.hold', legId }];
    }
  }
}
