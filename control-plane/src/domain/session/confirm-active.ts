/** The two facts that make a stream active (streaming and heard), and what follows when both hold. */
import type { Draft } from './draft.ts';
import type { Leg } from './leg.ts';
import { cancelPhones } from './phone-calls.ts';

/** An operator's end has her packets: by the panel's own count, or as a duty phone joined to her stream. */
export function heard(draft: Draft, leg: Leg): void {
  if (draft.facts.stream.heardBy === leg.id) return;
  draft.changeStream({ heardBy: leg.id, heardSince: draft.at });
  if (leg.kind === 'operator-app') takeOver(draft, leg);
  draft.publish('sos.heard', { legId: leg.id });
  becomeActiveIfBoth(draft);
}

/** One panel hears her: others that were offered meanwhile are let go, and she is its operator's. */
function takeOver(draft: Draft, leg: Leg): void {
  draft.hangupAll('operator-app', 'cancelled', leg.id);
  const { assignment } = draft.facts;
  if (leg.party.role === 'citizen' || leg.aor === null) return;
  const { operatorId } = leg.party;
  if (assignment?.state === 'assigned' && assignment.operatorId === operatorId) return;
  draft.change({ assignment: { state: 'assigned', operatorId, aor: leg.aor, since: draft.at } });
  draft.clearTimers('no-operator');
  draft.publish('sos.assigned', { operatorId });
}

/** Confirmed active needs both facts (decision 7). Once the call has connected the stream cannot win (FB-8). */
export function becomeActiveIfBoth(draft: Draft): void {
  const { stream } = draft.facts;
  if (draft.phase === 'active' || draft.phase === 'phone-connected') return;
  if (stream.streamingSince === null || stream.heardBy === null) return;
  draft.stopWatchdog();
  draft.clearTimers('retry', 'no-operator');
  draft.change({ degradedReason: null, triedOperators: [] });
  const heardOnPhone = draft.leg(stream.heardBy)?.kind === 'operator-phone';
  if (draft.phase === 'phone-fallback-active') {
    cancelPhones(draft, 'stream-won', stream.heardBy);
    if (heardOnPhone) {
      draft.changeFallback({ mode: 'operators-only' });
    } else {
      draft.change({ fallback: null });
      draft.publish('phone-fallback-retracted', {});
    }
  }
  draft.phase = 'active';
  draft.publish('sos.active', { ms: Math.round((draft.at - draft.facts.activatedAt) * 10) / 10 });
}
