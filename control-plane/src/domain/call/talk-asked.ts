/** What the backend asks of a call while people talk: hold, unhold, transfer. */
import type { Instant } from '../ids.ts';
import { legOf, talkOf } from './call.ts';
import type { LiveCall, Place } from './call.ts';
import { CallDraft, unchanged } from './call-draft.ts';
import type { CallDecision } from './call-draft.ts';

/** Repeatable. */
export function hold(call: LiveCall, at: Instant): CallDecision {
  const talk = talkOf(call);
  if (talk === 'on-hold') return unchanged(call);
  if (talk !== 'joined') return unchanged(call, 'refused');
  const draft = new CallDraft(call, at);
  draft.change({ onHold: true });
  draft.arrange(true);
  return draft.seal();
}

/** Repeatable. */
export function unhold(call: LiveCall, at: Instant): CallDecision {
  const talk = talkOf(call);
  if (talk === 'joined') return unchanged(call);
  if (talk !== 'on-hold') return unchanged(call, 'refused');
  const draft = new CallDraft(call, at);
  draft.change({ onHold: false });
  draft.arrange(false);
  return draft.seal();
}

/**
 * Somebody else is called for the first party. It is held meanwhile, and so is whoever it spoke with, to whom it comes
 * back when nobody answers. Nobody is called who has a leg already, be it on its way out: two of ours at once to one phone.
 */
export function transfer(call: LiveCall, place: Place, at: Instant): CallDecision {
  const talk = talkOf(call);
  const isFree = place > 0 && !call.legs.some((leg) => leg.place === place);
  if (!isFree || (talk !== 'joined' && talk !== 'on-hold' && talk !== 'waiting'))
    return unchanged(call, 'refused');
  const draft = new CallDraft(call, at);
  const wasJoined = draft.isJoined;
  const from = call.other !== null && legOf(call, call.other) !== null ? 'joined' : 'alone';
  const leg = draft.dial('call-bridge-to', place);
  draft.change({ places: Math.max(call.places, place + 1), transfer: { leg, from } });
  draft.arrange(wasJoined);
  return draft.seal();
}
