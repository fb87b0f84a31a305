/** What the engine really has against what the calls believe: every leg and bridge is adopted, finished or hung up. */
import { parseCallBridgeId, parseCallLegId } from '../../domain/ids.ts';
import type { BridgeId, CallId, Instant, LegId } from '../../domain/ids.ts';
import { isLiveCall } from '../../domain/call/call.ts';
import type { Call, CallLeg } from '../../domain/call/call.ts';
import type { CallOrder } from '../../domain/call/command.ts';
import type { CallEvent } from '../../domain/call/event.ts';
import { mayStillRing, standingCallOrders } from '../../domain/call/standing-orders.ts';
import type { LegSnapshot, PbxSnapshot } from '../../ports/pbx-driver.ts';

export interface CallDifferences {
  /** What the calls have missed. */
  readonly events: readonly { readonly callId: CallId; readonly event: CallEvent }[];
  /** In the engine, and in no call. */
  readonly strayLegs: readonly LegId[];
  readonly strayBridges: readonly BridgeId[];
}

/**
 * Compares the engine as it was at `at` with the calls that are not over, or whose legs still go down. Legs that this
 * process has dialled since are left alone, and so are those of its synthetic calls, of which nothing is written down.
 */
export function callDifferences(
  snapshot: Pick<PbxSnapshot, 'legs' | 'bridges'>,
  calls: readonly Call[],
  at: Instant,
  isDialledSince: (legId: LegId) => boolean,
  isSynthetic: (legId: LegId) => boolean,
): CallDifferences {
  const alive = new Map(snapshot.legs.map((leg) => [leg.legId, leg]));
  const known = new Set(calls.flatMap(({ legs }) => legs.map(({ id }) => id)));
  const live = new Set(calls.filter(isLiveCall).map(({ id }) => id));
  return {
    events: calls.flatMap((call) =>
      call.legs.flatMap((leg) => {
        const event = isDialledSince(leg.id) ? null : missedOf(call, leg, alive.get(leg.id), at);
        return event ? [{ callId: call.id, event }] : [];
      }),
    ),
    strayLegs: snapshot.legs
      .map(({ legId }) => legId)
      .filter((legId) => parseCallLegId(legId) !== null && !known.has(legId) && !isSynthetic(legId)),
    strayBridges: snapshot.bridges
      .map(({ bridgeId }) => bridgeId)
      .filter((bridgeId) => isStray(bridgeId, live)),
  };
}

/**
 * What a call owes the engine once it knows what it missed. A leg that is there already and rings nowhere yet is told whom it
 * is for once more: a process that found it in the engine can then have it go by another trunk.
 */
export function owedOrders(call: Call, isDialledSince: (legId: LegId) => boolean): readonly CallOrder[] {
  return standingCallOrders(call).filter(
    (order) => order.type !== 'pbx.dial-phone' || !isDialledSince(order.legId),
  );
}

/** A leg that was to be dialled and is not there is dialled (unknown → dial); any other is lost. */
function missedOf(call: Call, leg: CallLeg, real: LegSnapshot | undefined, at: Instant): CallEvent | null {
  const legId = leg.id;
  if (!real) {
    if (mayStillRing(call, leg, at)) return null;
    return { type: 'pbx.ended', legId, outcome: 'lost', sipStatus: null, q850: null };
  }
  if (real.state === 'answered' && leg.state !== 'answered') return { type: 'pbx.answered', legId };
  const isNews = real.state === 'ringing' && (leg.state === 'waiting' || leg.state === 'dialing');
  if (isNews) return { type: 'pbx.ringing', legId };
  if (leg.state !== 'waiting') return null;
  // On a trunk, and nobody has said so: it rings from now on, and waits for no room.
  const { trunk } = real;
  return trunk === undefined ? { type: 'pbx.progress', legId } : { type: 'pbx.tried', legId, try: 1, trunk };
}

function isStray(bridgeId: BridgeId, live: ReadonlySet<CallId>): boolean {
  const callId = parseCallBridgeId(bridgeId);
  return callId !== null && !live.has(callId);
}
