/** The deadlines of a call that lives. Each is looked at against the call as it is: a late one changes nothing. */
import type { Instant } from '../ids.ts';
import type { CallLeg, LiveCall } from './call.ts';
import { CallDraft, CLEARING_MS, dialOrder, roleOf, unchanged } from './call-draft.ts';
import type { CallDecision } from './call-draft.ts';
import type { LegEnd } from './command.ts';
import type { CallTimer } from './event.ts';
import { leftByUs, newsOfEnd } from './leg-news.ts';
import { otherGone } from './leg-changed.ts';

const NO_ROOM: LegEnd = { outcome: 'congestion', sipStatus: null, q850: null };
const UNANSWERED: LegEnd = { outcome: 'no-answer', sipStatus: null, q850: null };

export function callTimerDue(call: LiveCall, timer: CallTimer, at: Instant): CallDecision {
  switch (timer) {
    case 'to-retry':
    case 'other-retry':
      return retry(call, timer, at);
    case 'to-queue':
    case 'other-queue':
      return queuedTooLong(call, timer, at);
    case 'to-ring':
    case 'other-ring':
      return rangTooLong(call, timer, at);
    case 'max-duration':
      return call.state === 'answered'
        ? new CallDraft(call, at).finish('ended', 'max-duration')
        : unchanged(call);
    case 'clear':
      return clear(call, at);
  }
}

/** The leg that is being called, of the first party or of the other one. */
function calling(call: LiveCall, timer: CallTimer): CallLeg | null {
  const role = timer.startsWith('to-') ? 'to' : 'other';
  const isMeant = (leg: CallLeg): boolean =>
    roleOf(leg) === role && leg.state !== 'answered' && leg.ending === null;
  return call.legs.find(isMeant) ?? null;
}

function retry(call: LiveCall, timer: CallTimer, at: Instant): CallDecision {
  const leg = calling(call, timer);
  if (leg === null || leg.state === 'ringing') return unchanged(call);
  const draft = new CallDraft(call, at);
  draft.order(dialOrder(call, leg));
  return draft.seal();
}

/** No trunk had room for it, or the engine was away: perhaps it is on its way all the same, and is hung up. */
function queuedTooLong(call: LiveCall, timer: CallTimer, at: Instant): CallDecision {
  const leg = calling(call, timer);
  if (leg?.state !== 'waiting' || leg.until > at) return unchanged(call);
  const draft = new CallDraft(call, at);
  if (leg.kind === 'call-to') return draft.finish('failed', 'no-capacity', NO_ROOM);
  draft.hangUp(leg, 'cancelled', NO_ROOM.outcome);
  return otherGone(draft, leg, NO_ROOM);
}

function rangTooLong(call: LiveCall, timer: CallTimer, at: Instant): CallDecision {
  const leg = calling(call, timer);
  if (leg === null || leg.until > at) return unchanged(call);
  const draft = new CallDraft(call, at);
  if (leg.kind === 'call-to') return draft.finish('failed', 'no-answer', UNANSWERED);
  draft.hangUp(leg, 'no-answer', UNANSWERED.outcome);
  return otherGone(draft, leg, UNANSWERED);
}

/** What was hung up and never said that it has gone counts as lost, and is hung up should it turn up. */
function clear(call: LiveCall, at: Instant): CallDecision {
  const late = call.legs.filter(({ ending }) => ending !== null && ending.since + CLEARING_MS <= at);
  if (late.length === 0) return unchanged(call);
  const draft = new CallDraft(call, at);
  for (const leg of late) {
    draft.order({ type: 'pbx.hangup', legId: leg.id, reason: 'normal' });
    draft.removeLeg(leg, leftByUs(leg));
    draft.order(newsOfEnd(leg, leftByUs(leg)));
  }
  return draft.seal();
}
