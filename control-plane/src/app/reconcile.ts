/**
 * After each (re)connection to the engine: what it really has against what the sessions believe. Every leg and bridge
 * is adopted, finished or hung up.
 */
import { parseBridgeId, parseLegId } from '../domain/ids.ts';
import type { BridgeId, LegId, SessionId } from '../domain/ids.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import type { Session } from '../domain/session/session.ts';
import type { PbxSnapshot } from '../ports/pbx-driver.ts';

export interface Differences {
  /** What the sessions have missed. */
  readonly events: readonly { readonly sessionId: SessionId; readonly event: SessionEvent }[];
  /** In the engine, and in no session. */
  readonly strayLegs: readonly LegId[];
  readonly strayBridges: readonly BridgeId[];
  /** Citizens' legs whose packets have to be watched again. */
  readonly toWatch: readonly LegId[];
}

/** Compares the engine with the sessions that have legs: open ones, and ended ones whose legs were still going down. */
export function differences(snapshot: PbxSnapshot, sessions: readonly Session[]): Differences {
  const events: { sessionId: SessionId; event: SessionEvent }[] = [];
  const toWatch: LegId[] = [];
  const known = new Set<string>();
  const open = new Set<SessionId>();
  const alive = new Map(snapshot.legs.map((leg) => [leg.legId, leg]));
  for (const session of sessions) {
    if (session.phase !== 'resolved' && session.phase !== 'released') open.add(session.id);
    for (const leg of 'legs' in session ? session.legs : []) {
      known.add(leg.id);
      const real = alive.get(leg.id);
      if (!real) {
        events.push({
          sessionId: session.id,
          event: { type: 'pbx.ended', legId: leg.id, outcome: 'lost', sipStatus: null, q850: null },
        });
        continue;
      }
      if (real.state === 'answered' && leg.state !== 'answered') {
        events.push({ sessionId: session.id, event: { type: 'pbx.answered', legId: leg.id } });
      } else if (real.state === 'ringing' && leg.state === 'dialing') {
        events.push({ sessionId: session.id, event: { type: 'pbx.ringing', legId: leg.id } });
      }
      if (leg.kind === 'citizen-app' && real.state === 'answered') toWatch.push(leg.id);
    }
  }
  return {
    events,
    strayLegs: snapshot.legs
      .map((leg) => leg.legId)
      .filter((legId) => parseLegId(legId) !== null && !known.has(legId)),
    strayBridges: snapshot.bridges
      .map((bridge) => bridge.bridgeId)
      .filter((bridgeId) => isStray(bridgeId, open)),
    toWatch,
  };
}

function isStray(bridgeId: BridgeId, open: ReadonlySet<SessionId>): boolean {
  const bridge = parseBridgeId(bridgeId);
  return bridge !== null && !open.has(bridge.sessionId);
}
