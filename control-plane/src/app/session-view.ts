/** A session as the panel's card and the API show it. */
import type { Location } from '../contracts/common.ts';
import type { SessionView } from '../contracts/session-view.ts';
import type { Instant, LegKind } from '../domain/ids.ts';
import type { CallAttempt, Leg } from '../domain/session/leg.ts';
import { fallbackOf, isLive } from '../domain/session/session.ts';
import type { Fallback, Session } from '../domain/session/session.ts';

export function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}

export function viewOf(session: Session, sessionSeq: number, location: Location | null): SessionView {
  const live = isLive(session) ? session : null;
  const ended = session.phase === 'resolved' || session.phase === 'released' ? session : null;
  const activatedAt = live?.activatedAt ?? ended?.activatedAt ?? null;
  const alerts = live?.alerts ?? ended?.alerts ?? [];
  const fallback = fallbackOf(session);
  return {
    id: session.id,
    sessionSeq,
    phase: session.phase,
    citizenId: session.citizenId,
    zoneId: session.zoneId,
    activatedAt: activatedAt === null ? null : isoTime(activatedAt),
    operatorId:
      live?.assignment?.state === 'assigned' ? live.assignment.operatorId : (ended?.operatorId ?? null),
    handOver: live?.handOver
      ? { to: live.handOver.to.operatorId, since: isoTime(live.handOver.since) }
      : null,
    listeners: live ? listenersOf(live.legs) : [],
    queued: live?.assignment?.state === 'queued',
    webrtcSessionId: live
      ? (live.stream.leg ?? newestLeg(live.legs, 'citizen-app')?.id ?? null)
      : (ended?.webrtcSessionId ?? null),
    streaming: live !== null && live.stream.streamingSince !== null,
    heard: live !== null && live.stream.heardSince !== null,
    sound: live?.stream.sound ?? null,
    degradedReason: live?.degradedReason ?? ended?.degradedReason ?? null,
    fallback: fallback && fallbackView(fallback, session),
    alerts: alerts.map((alert) => ({
      kind: alert.kind,
      raisedAt: isoTime(alert.raisedAt),
      acknowledged: alert.acknowledgedBy !== null,
    })),
    flags: [...session.flags],
    location,
    resolvedAt: ended ? isoTime(ended.endedAt) : null,
  };
}

/** The same for the citizen herself: nothing that tells who hears her, or what the police think of it. */
export function citizenViewOf(view: SessionView): SessionView {
  const fallback = view.fallback && { ...view.fallback, callReference: null, attempts: [] };
  return {
    ...view,
    operatorId: null,
    handOver: null,
    listeners: [],
    alerts: [],
    flags: [],
    degradedReason: null,
    fallback,
  };
}

function listenersOf(legs: readonly Leg[]): string[] {
  return legs.flatMap(({ kind, party, state, ending }) =>
    kind === 'supervisor-app' && party.role === 'supervisor' && state === 'answered' && !ending
      ? [party.operatorId]
      : [],
  );
}

function newestLeg(legs: readonly Leg[], kind: LegKind): Leg | null {
  return legs.filter((leg) => leg.kind === kind && !leg.ending).at(-1) ?? null;
}

function fallbackView(fallback: Fallback, session: Session): NonNullable<SessionView['fallback']> {
  const legs = 'legs' in session ? session.legs : [];
  const citizen = newestLeg(legs, 'citizen-phone');
  const operator = newestLeg(legs, 'operator-phone');
  const called = fallback.citizenCalls > 0;
  return {
    mode: fallback.mode,
    reason: fallback.reason,
    detail: fallback.detail,
    failedAt: isoTime(fallback.failedAt),
    initiatedAt: isoTime(fallback.initiatedAt),
    callReference: fallback.callReference === '' ? null : fallback.callReference,
    citizenPhone: citizen?.state ?? (called ? 'ended' : 'idle'),
    operatorPhone: operator?.state ?? (fallback.chain.length > 0 ? 'ended' : 'idle'),
    attempts: fallback.attempts.map(attemptView),
  };
}

function attemptView(attempt: CallAttempt): NonNullable<SessionView['fallback']>['attempts'][number] {
  const { legId, party, dialledAt, ringingAt, answeredAt, endedAt, outcome, sipStatus } = attempt;
  const timeOf = (at: Instant | null): string | null => (at === null ? null : isoTime(at));
  return {
    legId,
    role: party.role,
    operatorId: party.role === 'citizen' ? null : party.operatorId,
    dialledAt: isoTime(dialledAt),
    ringingAt: timeOf(ringingAt),
    answeredAt: timeOf(answeredAt),
    endedAt: timeOf(endedAt),
    outcome,
    sipStatus,
  };
}
