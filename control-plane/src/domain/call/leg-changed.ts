/** What becomes of the legs of a call that lives, as the engine tells it. */
import type { Instant } from '../ids.ts';
import { legOf } from './call.ts';
import type { CallLeg, LiveCall } from './call.ts';
import { CallDraft, roleOf, RETRY_MS, unchanged } from './call-draft.ts';
import type { CallDecision } from './call-draft.ts';
import type { LegEnd } from './command.ts';
import type { CallEventOf, CallLegEvent } from './event.ts';
import { leftByUs, newsOfEnd, recordOf } from './leg-news.ts';

export function callLegChanged(call: LiveCall, event: CallLegEvent, at: Instant): CallDecision {
  const leg = legOf(call, event.legId);
  if (leg === null) return strangeLeg(call, event);
  const draft = new CallDraft(call, at);
  switch (event.type) {
    case 'pbx.tried':
    case 'pbx.progress':
    case 'pbx.carrier-reference':
    case 'pbx.try-ended':
      return known(draft, leg, event);
    case 'pbx.ringing': {
      const hasRung = leg.state === 'ringing' || leg.state === 'answered';
      return hasRung ? unchanged(call) : ringing(draft, leg, event);
    }
    case 'pbx.answered':
      return leg.state === 'answered' ? unchanged(call) : answered(draft, leg, event);
    case 'pbx.overloaded':
      if (leg.ending !== null) return legGone(draft, leg, leftByUs(leg));
      if (leg.state !== 'waiting' && leg.state !== 'dialing') return unchanged(call);
      draft.setTimer(`${roleOf(leg)}-retry`, at + RETRY_MS);
      return draft.seal();
    case 'pbx.ended': {
      const { outcome, sipStatus, q850 } = event;
      return legGone(draft, leg, { outcome, sipStatus, q850 });
    }
  }
}

/** A leg that the call does not, or no longer, know: alive it is hung up, dead it is forgotten. */
function strangeLeg(call: LiveCall, { type, legId }: CallLegEvent): CallDecision {
  if (type !== 'pbx.answered' && type !== 'pbx.ringing' && type !== 'pbx.tried') return unchanged(call);
  return {
    call,
    commands: [{ type: 'pbx.hangup', legId, reason: 'cancelled' }],
    verdict: 'ignored',
  };
}

/** Any word of it says that it is on a trunk: from here on it may ring for its time. */
function onTrunk(draft: CallDraft, { id }: CallLeg): void {
  const leg = draft.leg(id);
  if (leg?.state !== 'waiting') return;
  const role = roleOf(leg);
  const until = (draft.at + draft.facts.plan.ringTimeoutMs) as Instant;
  draft.changeLeg(id, { state: 'dialing', until });
  if (leg.ending !== null) return;
  draft.clearTimers(`${role}-queue`, `${role}-retry`);
  draft.setTimer(`${role}-ring`, until);
  if (role === 'to' && draft.state === 'queued') draft.state = 'dialing';
}

function known(
  draft: CallDraft,
  leg: CallLeg,
  event: CallEventOf<'pbx.tried' | 'pbx.progress' | 'pbx.carrier-reference' | 'pbx.try-ended'>,
): CallDecision {
  for (const record of recordOf(event, draft.at)) draft.order(record);
  onTrunk(draft, leg);
  if (event.type === 'pbx.tried')
    draft.changeLeg(leg.id, {
      tries: Math.max(leg.tries, event.try),
      ...(leg.state === 'answered' ? {} : { trunk: event.trunk }),
    });
  return draft.seal();
}

function ringing(draft: CallDraft, leg: CallLeg, event: CallEventOf<'pbx.ringing'>): CallDecision {
  for (const record of recordOf(event, draft.at)) draft.order(record);
  onTrunk(draft, leg);
  draft.changeLeg(leg.id, { state: 'ringing' });
  if (leg.ending !== null) return draft.seal();
  draft.publish('ringing', leg, null);
  if (leg.kind === 'call-to' && (draft.state === 'queued' || draft.state === 'dialing'))
    draft.state = 'ringing';
  return draft.seal();
}

function answered(draft: CallDraft, leg: CallLeg, event: CallEventOf<'pbx.answered'>): CallDecision {
  for (const record of recordOf(event, draft.at)) draft.order(record);
  draft.changeLeg(leg.id, {
    state: 'answered',
    answeredAt: draft.at,
    ...(event.trunk === undefined ? {} : { trunk: event.trunk }),
  });
  if (leg.ending !== null) {
    // The answer crossed our CANCEL: it is hung up, never joined.
    draft.order({ type: 'pbx.hangup', legId: leg.id, reason: 'cancelled' });
    return draft.seal();
  }
  const role = roleOf(leg);
  draft.clearTimers(`${role}-queue`, `${role}-retry`, `${role}-ring`);
  draft.publish('answered', leg, null);
  if (leg.kind === 'call-to') {
    draft.state = 'answered';
    draft.answeredAt = draft.at;
    draft.setTimer('max-duration', draft.at + draft.facts.plan.maxDurationMs);
    callBridge(draft);
  } else if (draft.facts.transfer?.leg === leg.id) {
    const former = draft.leg(draft.facts.other);
    if (former !== null) draft.hangUp(former, 'normal');
    draft.change({ other: leg.id, transfer: null, onHold: false });
  }
  draft.arrange(false);
  return draft.seal();
}

/** The first party has answered: whoever is to be joined with it is called, unless that has happened. */
function callBridge(draft: CallDraft): void {
  const { other, nextBridge, plan } = draft.facts;
  if (other === null && nextBridge <= plan.bridges) callNext(draft);
}

/** `false`: nobody is left. */
function callNext(draft: CallDraft): boolean {
  const { nextBridge, plan } = draft.facts;
  if (nextBridge > plan.bridges) {
    draft.change({ other: null });
    return false;
  }
  draft.change({ other: draft.dial('call-bridge-to', nextBridge), nextBridge: nextBridge + 1 });
  return true;
}

/** A leg has gone: struck off, written down, and the call goes on as it can. */
export function legGone(draft: CallDraft, leg: CallLeg, end: LegEnd): CallDecision {
  draft.removeLeg(leg, end);
  if (leg.kind === 'call-to') return toGone(draft, leg, end);
  draft.order(newsOfEnd(leg, end));
  return leg.ending === null ? otherGone(draft, leg, end) : draft.seal();
}

function toGone(draft: CallDraft, leg: CallLeg, end: LegEnd): CallDecision {
  draft.clearTimers('to-queue', 'to-retry', 'to-ring');
  // Completed, and its answer was never told: it was lost on the way.
  if (leg.state !== 'answered' && end.outcome !== 'completed')
    return draft.finish('failed', end.outcome, end);
  return draft.finish('ended', end.outcome === 'lost' ? 'lost' : 'to-hung-up', end);
}

/**
 * Whoever was called, or joined, is there no more. `leg` is as it was before it went; it may still be on its way out (its
 * ring time is over).
 */
export function otherGone(draft: CallDraft, leg: CallLeg, end: LegEnd): CallDecision {
  const { transfer, other } = draft.facts;
  if (leg.state !== 'answered') draft.clearTimers('other-queue', 'other-retry', 'other-ring');
  if (transfer?.leg === leg.id) {
    draft.change({ transfer: null });
    if (transfer.from === 'joined' && other === null) return draft.finish('ended', 'other-hung-up');
    draft.arrange(false);
    return draft.seal();
  }
  if (other !== leg.id) return draft.seal();
  if (transfer !== null) {
    // Who was to be replaced has left by himself: whoever is being called comes in his place.
    draft.change({ other: null });
    return draft.seal();
  }
  if (leg.state === 'answered' && draft.state === 'answered')
    return draft.finish('ended', end.outcome === 'lost' ? 'lost' : 'other-hung-up');
  return callNext(draft) ? draft.seal() : draft.finish('failed', 'bridge-unanswered');
}
