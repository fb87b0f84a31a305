/** Writes for tests of a store: short to say, and made by the real domain where that is easy. */
import { randomUUID } from 'node:crypto';
import { activate } from '../../control-plane/src/domain/session/begin.ts';
import type { Location } from '../../control-plane/src/contracts/common.ts';
import { citizenAor, operatorAor } from '../../control-plane/src/domain/ids.ts';
import type {
  CitizenId,
  ClientId,
  DeviceId,
  Instant,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../control-plane/src/domain/ids.ts';
import type { Subject } from '../../control-plane/src/domain/session/event.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import { isLive } from '../../control-plane/src/domain/session/session.ts';
import type { Ended, Fallback, Live, Session } from '../../control-plane/src/domain/session/session.ts';
import type { SessionWrite, StoredSession } from '../../control-plane/src/ports/session-store.ts';

export const T0 = 1_790_000_000_000.125 as Instant;

export function after(ms: number): Instant {
  return (T0 + ms) as Instant;
}

/** Nobody else's id. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says which id it is
export function freshId<Id extends string>(prefix: string): Id {
  return `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 12)}` as Id;
}

export interface Activation {
  readonly sessionId?: SessionId;
  readonly citizenId?: CitizenId;
  readonly zoneId?: ZoneId | null;
  readonly at?: Instant;
  readonly location?: Location;
  readonly operatorId?: OperatorId;
}

export function activation(options: Activation = {}): SessionWrite {
  const at = options.at ?? T0;
  const subject = subjectOf(options);
  const decision = activate(subject, false, null, at);
  const session = decision.session as Live;
  return write(null, options.operatorId ? assigned(session, options.operatorId) : session, {
    at,
    events: [
      {
        event: { type: 'api.activated', subject, contactOnline: false },
        at,
        personal: options.location ? { location: options.location, claimed: { battery: 12 } } : null,
      },
    ],
    timersSet: [{ timer: 'watchdog', dueAt: (at + 5000) as Instant }],
    feed: [{ type: 'sos.activated', detail: {} }],
  });
}

function subjectOf({ sessionId, citizenId = freshId('citizen'), zoneId = null }: Activation): Subject {
  const deviceId = 'phone1' as DeviceId;
  return {
    sessionId: sessionId ?? (randomUUID() as SessionId),
    citizenId,
    deviceId,
    aor: citizenAor(citizenId, deviceId),
    zoneId,
    profile: { phone: 'verified', silent: false },
    flags: [],
    policy: DEFAULT_POLICY,
  };
}

export function write(
  before: StoredSession | null,
  session: Session,
  parts: Partial<SessionWrite> = {},
): SessionWrite {
  const at = parts.at ?? T0;
  return {
    before,
    after: session,
    at,
    events: [{ event: { type: 'roster.changed' }, at, personal: null }],
    timersSet: [],
    timersCleared: [],
    legs: [],
    feed: [],
    outbox: [],
    ...parts,
  };
}

export function assigned(session: Session, operatorId: OperatorId): Live {
  const aor = operatorAor(operatorId, 'tab1' as ClientId);
  return { ...live(session), assignment: { state: 'assigned', operatorId, aor, since: T0 } };
}

export function live(session: Session): Live {
  if (!isLive(session)) throw new Error(`a ${session.phase} session is not live`);
  return session;
}

export function resolved(session: Session, at: Instant = T0): Ended {
  const facts = live(session);
  const { id, citizenId, deviceId, aor, zoneId, profile, flags, policy, createdAt, activatedAt } = facts;
  return {
    ...{ id, citizenId, deviceId, aor, zoneId, profile, flags, policy, createdAt, activatedAt },
    phase: 'resolved',
    aors: [aor],
    endedAt: at,
    endedBy: 'akram',
    operatorId: facts.assignment?.state === 'assigned' ? facts.assignment.operatorId : null,
    webrtcSessionId: facts.stream.leg,
    fallback: facts.fallback,
    degradedReason: facts.degradedReason,
    alerts: [],
    legs: [],
  };
}

export function fallbackActive(session: Session): Session {
  const fallback: Fallback = {
    mode: 'both',
    reason: 'timeout',
    detail: 'no-media',
    failedAt: after(5000),
    initiatedAt: after(5010),
    callReference: 'call-1@carrier.example',
    chain: [],
    chainAt: 0,
    chainExhausted: false,
    citizenCalls: 1,
    citizenRedialDue: false,
    waiting: { citizen: false, operator: false },
    unansweredDue: false,
    attempts: [],
  };
  return { ...live(session), phase: 'phone-fallback-active', fallback };
}
