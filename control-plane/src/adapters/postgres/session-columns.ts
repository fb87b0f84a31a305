/** The record that a session's state implies: the columns of RTC-4 and FB-4, derived at every write. */
import { legIdOf } from '../../domain/ids.ts';
import type { Instant, LegId, OperatorId } from '../../domain/ids.ts';
import { isLive } from '../../domain/session/session.ts';
import type { Fallback, Live, Session } from '../../domain/session/session.ts';

export interface SessionRecord {
  readonly activatedAt: Instant | null;
  readonly operatorId: OperatorId | null;
  /** Who is to take it over: it takes up his capacity already. */
  readonly handedTo: OperatorId | null;
  readonly webrtcSessionId: LegId | null;
  readonly degradedReason: string | null;
  /** All of it or nothing (FB-8: a stream that wins leaves none). */
  readonly fallback: Pick<Fallback, 'failedAt' | 'initiatedAt' | 'callReference' | 'reason'> | null;
  readonly end: { readonly at: Instant; readonly by: string } | null;
}

export function sessionRecord(session: Session): SessionRecord {
  if (isLive(session)) {
    return {
      activatedAt: session.activatedAt,
      operatorId: session.assignment?.state === 'assigned' ? session.assignment.operatorId : null,
      handedTo: session.handOver?.to.operatorId ?? null,
      webrtcSessionId: webrtcSessionId(session),
      degradedReason: session.degradedReason,
      fallback: session.fallback,
      end: null,
    };
  }
  if (session.phase === 'arming') {
    return {
      activatedAt: null,
      operatorId: null,
      handedTo: null,
      webrtcSessionId: null,
      degradedReason: null,
      fallback: null,
      end: null,
    };
  }
  const { activatedAt, operatorId, webrtcSessionId: legId, degradedReason, fallback } = session;
  const end = { at: session.endedAt, by: session.endedBy };
  return { activatedAt, operatorId, handedTo: null, webrtcSessionId: legId, degradedReason, fallback, end };
}

/** The leg that streams, else the newest attempt; before her contact appears, the id that the first attempt will have. */
function webrtcSessionId(session: Live): LegId {
  return (
    session.stream.leg ?? legIdOf(session.id, 'citizen-app', Math.max(1, session.attempts['citizen-app']))
  );
}
