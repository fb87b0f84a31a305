/**
 * After each (re)connection to the engine: what it really has against what the sessions believe. Every leg and bridge
 * is adopted, finished or hung up.
 */
import { parseBridgeId, parseLegId } from '../domain/ids.ts';
import type { BridgeId, Instant, LegId, SessionId } from '../domain/ids.ts';
import type { PbxCommand } from '../domain/session/command.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import type { Leg } from '../domain/session/leg.ts';
import { isLive } from '../domain/session/session.ts';
import type { Session } from '../domain/session/session.ts';
import { mayStillRing, standingOrdersOf } from '../domain/session/standing-orders.ts';
import type { LegSnapshot, PbxSnapshot } from '../ports/pbx-driver.ts';

export interface Differences {
  /** What the sessions have missed. */
  readonly events: readonly { readonly sessionId: SessionId; readonly event: SessionEvent }[];
  /** In the engine, and in no session. */
  readonly strayLegs: readonly LegId[];
  readonly strayBridges: readonly BridgeId[];
  /** What was decided and may not have been carried out: dials, hang-ups, joins (which assert the mute again). */
  readonly orders: readonly { readonly sessionId: SessionId; readonly orders: readonly PbxCommand[] }[];
}

/**
 * Compares the engine as it was at `at` with the open sessions. Legs that this process has dialled since are left alone.
 * It must know them itself: by the hours in the session, a leg of an earlier process can be younger than `at`, for the
 * clock may have been set back in between.
 */
export function differences(
  snapshot: PbxSnapshot,
  sessions: readonly Session[],
  at: Instant,
  isDialledSince: (legId: LegId) => boolean,
): Differences {
  const events: { sessionId: SessionId; event: SessionEvent }[] = [];
  const orders: { sessionId: SessionId; orders: readonly PbxCommand[] }[] = [];
  const known = new Set<string>();
  const open = new Set<SessionId>();
  const alive = new Map(snapshot.legs.map((leg) => [leg.legId, leg]));
  for (const session of sessions) {
    const sessionId = session.id;
    if (session.phase !== 'resolved' && session.phase !== 'released') open.add(sessionId);
    for (const leg of 'legs' in session ? session.legs : []) {
      known.add(leg.id);
      if (isDialledSince(leg.id)) continue;
      const { event, order } = differenceOf(session, leg, alive.get(leg.id), at);
      if (event) events.push({ sessionId, event });
      if (order) orders.push({ sessionId, orders: standingOrdersOf(session, leg) });
    }
  }
  return {
    events,
    orders,
    strayLegs: snapshot.legs
      .map((leg) => leg.legId)
      .filter((legId) => parseLegId(legId) !== null && !known.has(legId)),
    strayBridges: snapshot.bridges
      .map((bridge) => bridge.bridgeId)
      .filter((bridgeId) => isStray(bridgeId, open)),
  };
}

/** A leg that was to be dialled and is not there is dialled (decision 17: unknown → dial); any other is lost. */
function differenceOf(
  session: Session,
  leg: Leg,
  real: LegSnapshot | undefined,
  at: Instant,
): { readonly event: SessionEvent | null; readonly order: boolean } {
  const legId = leg.id;
  if (!real) {
    if (isLive(session) && mayStillRing(session, leg, at)) return { event: null, order: true };
    return {
      event: { type: 'pbx.ended', legId, outcome: 'lost', sipStatus: null, q850: null },
      order: false,
    };
  }
  if (real.state === 'answered' && leg.state !== 'answered')
    return { event: { type: 'pbx.answered', legId }, order: false };
  const event: SessionEvent | null =
    real.state === 'ringing' && leg.state === 'dialing' ? { type: 'pbx.ringing', legId } : null;
  // A call that nobody of this process dialled: told whom it is for, it may go by another trunk.
  const mayFailOver = leg.kind.endsWith('-phone') && leg.state === 'dialing' && real.state === 'dialing';
  return { event, order: leg.ending || real.state === 'answered' || mayFailOver };
}

function isStray(bridgeId: BridgeId, open: ReadonlySet<SessionId>): boolean {
  const bridge = parseBridgeId(bridgeId);
  return bridge !== null && !open.has(bridge.sessionId);
}
