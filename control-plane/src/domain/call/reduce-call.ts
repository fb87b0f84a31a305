/**
 * The one decision about a call: `reduceCall(call, event, now) → call and commands`. Pure and total: every event in every
 * state has an answer; late and doubled ones are ignored. A call always comes to its end, and tells of it once.
 */
import type { Instant } from '../ids.ts';
import { callLegIdOf } from '../ids.ts';
import type { Call, LiveCall, Placing } from './call.ts';
import { CallDraft, unchanged } from './call-draft.ts';
import type { CallDecision } from './call-draft.ts';
import type { CallEvent, NewCall } from './event.ts';
import { callLegChanged } from './leg-changed.ts';
import { reduceOver } from './over.ts';
import { hold, transfer, unhold } from './talk-asked.ts';
import { callTimerDue } from './timers-due.ts';

/** `null`: the event means nothing without a call. */
export function reduceCall(call: Call | null, event: CallEvent, at: Instant): CallDecision | null {
  if (call === null) return event.type === 'api.created' ? begin(event.call, at) : null;
  switch (call.state) {
    case 'queued':
    case 'dialing':
    case 'ringing':
    case 'answered':
      return reduceLive(call, event, at);
    case 'ended':
    case 'failed':
      return reduceOver(call, event, at);
  }
}

function begin({ id, createdBy, purpose, plan }: NewCall, at: Instant): CallDecision {
  const nothing: Placing = {
    id,
    createdBy,
    purpose,
    plan,
    createdAt: at,
    places: 1 + plan.bridges,
    attempts: { 'call-to': 0, 'call-bridge-to': 0 },
    legs: [],
    to: callLegIdOf(id, 'call-to', 1),
    other: null,
    nextBridge: 1,
    onHold: false,
    transfer: null,
    state: 'queued',
  };
  const draft = new CallDraft(nothing, at);
  draft.dial('call-to', 0);
  if (plan.bridgeWhen === 'at-once' && plan.bridges > 0)
    draft.change({ other: draft.dial('call-bridge-to', 1), nextBridge: 2 });
  return draft.seal();
}

function reduceLive(call: LiveCall, event: CallEvent, at: Instant): CallDecision {
  switch (event.type) {
    case 'api.created':
      return unchanged(call);
    case 'api.hung-up':
      return new CallDraft(call, at).finish('ended', call.state === 'answered' ? 'hung-up' : 'cancelled');
    case 'api.hold-requested':
      return hold(call, at);
    case 'api.unhold-requested':
      return unhold(call, at);
    case 'api.transfer-requested':
      return transfer(call, event.place, at);
    case 'timer.due':
      return callTimerDue(call, event.timer, at);
    case 'pbx.ringing':
    case 'pbx.progress':
    case 'pbx.answered':
    case 'pbx.ended':
    case 'pbx.carrier-reference':
    case 'pbx.tried':
    case 'pbx.try-ended':
    case 'pbx.overloaded':
      return callLegChanged(call, event, at);
  }
}
