/** How a session ends, and what is left to clear away after it. */
import { bridgeIdOf, LEG_KINDS } from '../ids.ts';
import type { Instant } from '../ids.ts';
import type { Command } from './command.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { SessionEvent, TimerName } from './event.ts';
import type { Ended, Live } from './session.ts';

const LIVE_TIMERS: readonly TimerName[] = [
  'retry',
  'watchdog',
  'no-operator',
  'operator-reoffer',
  'transfer',
  'citizen-ring',
  'operator-ring',
  'citizen-redial',
  'hand-over',
  'alert-repeat',
  'long-session',
];

/** The operator (or the backend with a reason) ends the incident (RTC-9). */
export function resolve(session: Live, by: string, at: Instant): Decision {
  const draft = new Draft(session, at);
  for (const kind of LEG_KINDS) draft.hangupAll(kind, 'session-ended');
  draft.clearTimers(...LIVE_TIMERS);
  draft.publish('sos.resolved', { by });
  const { facts } = draft;
  const ended: Ended = {
    id: facts.id,
    citizenId: facts.citizenId,
    deviceId: facts.deviceId,
    aor: facts.aor,
    zoneId: facts.zoneId,
    profile: facts.profile,
    flags: facts.flags,
    policy: facts.policy,
    createdAt: facts.createdAt,
    phase: 'resolved',
    activatedAt: facts.activatedAt,
    aors: facts.devices.map((device) => device.aor),
    endedAt: at,
    endedBy: by,
    operatorId: facts.assignment?.state === 'assigned' ? facts.assignment.operatorId : null,
    webrtcSessionId: facts.stream.leg,
    fallback: facts.fallback,
    degradedReason: facts.degradedReason,
    alerts: facts.alerts,
    legs: facts.legs,
  };
  return {
    session: ended,
    commands: [...draft.commands, ...(ended.legs.length === 0 ? clearAway(ended) : [])],
    verdict: 'applied',
  };
}

/** The last leg is gone: bridges and the device's endpoint go too. */
function clearAway(session: Ended): Command[] {
  return [
    { type: 'pbx.close-bridge', bridgeId: bridgeIdOf(session.id, 'stream') },
    { type: 'pbx.close-bridge', bridgeId: bridgeIdOf(session.id, 'phone') },
    ...session.aors.map((aor): Command => ({ type: 'pbx.remove-endpoint', aor })),
  ];
}

/** After the end only its legs matter: what still comes up is hung up, what ends is struck off. */
export function reduceEnded(session: Ended, event: SessionEvent, at: Instant): Decision {
  switch (event.type) {
    case 'pbx.ringing':
    case 'pbx.answered':
      return {
        session,
        commands: [{ type: 'pbx.hangup', legId: event.legId, reason: 'session-ended' }],
        verdict: 'ignored',
      };
    case 'pbx.ended': {
      const legs = session.legs.filter((leg) => leg.id !== event.legId);
      if (legs.length === session.legs.length) return { session, commands: [], verdict: 'ignored' };
      const { legId, outcome, sipStatus, q850 } = event;
      const after: Ended = { ...session, legs };
      const record: Command = {
        type: 'leg.record',
        legId,
        change: { state: 'ended', at, outcome, sipStatus, q850 },
      };
      return {
        session: after,
        commands: [record, ...(legs.length === 0 ? clearAway(after) : [])],
        verdict: 'applied',
      };
    }
    case 'api.resolved':
    case 'api.released':
    case 'api.redial-requested':
    case 'api.transfer-requested':
    case 'api.join-requested':
    case 'api.listen-requested':
    case 'api.activated':
    case 'api.armed':
      return { session, commands: [], verdict: 'refused' };
    default:
      return { session, commands: [], verdict: 'ignored' };
  }
}
