/**
 * What a call as it stands asks of the engine. For orders whose fate nobody knows: a process that died between commit and
 * command, a commit in doubt, an engine that was out of reach. Each is repeatable.
 */
import { callBridgeIdOf } from '../ids.ts';
import type { Instant } from '../ids.ts';
import { isLiveCall, talkOf } from './call.ts';
import type { Call, CallLeg } from './call.ts';
import { dialOrder } from './call-draft.ts';
import type { CallOrder } from './command.ts';

export function standingCallOrders(call: Call): readonly CallOrder[] {
  const bridgeId = callBridgeIdOf(call.id);
  const isJoined = talkOf(call) === 'joined';
  const wasAnswered = isLiveCall(call) ? call.state === 'answered' : call.answeredAt !== null;
  return [
    // Before whoever is held hears the prompt.
    ...(wasAnswered && !isJoined ? [{ type: 'pbx.close-bridge', bridgeId } as const] : []),
    ...call.legs.flatMap((leg) => ordersOf(call, leg, isJoined)),
  ];
}

function ordersOf(call: Call, leg: CallLeg, isJoined: boolean): readonly CallOrder[] {
  const legId = leg.id;
  if (!isLiveCall(call) || leg.ending !== null)
    return [{ type: 'pbx.hangup', legId, reason: leg.state === 'answered' ? 'normal' : 'cancelled' }];
  switch (leg.state) {
    case 'waiting':
    case 'dialing':
      return [dialOrder(call, leg)];
    case 'ringing':
      return [];
    case 'answered':
      return isJoined
        ? [{ type: 'pbx.join', bridgeId: callBridgeIdOf(call.id), legId }]
        : [{ type: 'pbx.hold', legId }];
  }
}

/** Whether a leg that was to be dialled may still ring: its time has not run out. */
export function mayStillRing(call: Call, leg: CallLeg, now: Instant): boolean {
  const isDialling = leg.state === 'waiting' || leg.state === 'dialing';
  return isLiveCall(call) && isDialling && leg.ending === null && now < leg.until;
}
