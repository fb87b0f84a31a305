/** The two facts that make a stream active (streaming and heard), and what follows when both hold. */
import { assignVoice } from './assign.ts';
import { completeHandOver } from './hand-over.ts';
import type { Draft } from './draft.ts';
import type { Leg } from './leg.ts';
import { cancelPhones } from './phone-calls.ts';
import { endReoffer } from './reoffer.ts';

/** An operator's end has her packets: by the panel's own count, or as a duty phone joined to her stream. */
export function heard(draft: Draft, leg: Leg): boolean {
  const { heardBy, streamingSince } = draft.facts.stream;
  if (heardBy === leg.id) return false;
  // Without her packets it proves nothing: it takes her from nobody who had her before.
  if (streamingSince === null && heardBy !== null && draft.leg(heardBy)?.ending === false) return false;
  draft.changeStream({ heardBy: leg.id, heardSince: null });
  endReoffer(draft);
  if (leg.kind === 'operator-app') takeOver(draft, leg);
  hearsHer(draft);
  becomeActiveIfBoth(draft);
  return true;
}

/**
 * Packets at an operator's end are hers only while she streams: where a third party listens, the bridge mixes, and
 * sends packets of silence before she says a word.
 */
export function hearsHer(draft: Draft): void {
  const { streamingSince, heardBy, heardSince } = draft.facts.stream;
  if (streamingSince === null || heardBy === null || heardSince !== null) return;
  draft.changeStream({ heardSince: draft.at });
  draft.publish('sos.heard', { legId: heardBy });
}

/**
 * One panel hears her: others that were offered meanwhile are let go, duty phones too, and she is its operator's. A
 * hand-over that is under way goes on beside who hears her now. While she speaks on the telephone she is nobody's else.
 */
function takeOver(draft: Draft, leg: Leg): void {
  const { handOver } = draft.facts;
  if (draft.bridgedWith !== null) return;
  for (const other of draft.standing('operator-app'))
    if (other.id !== leg.id && other.id !== handOver?.legId) draft.hangup(other, 'cancelled');
  if (draft.phase === 'active') draft.hangupAll('operator-phone', 'stream-won');
  isHis(draft, leg);
}

/** Hearing her ends a hand-over to him. */
function isHis(draft: Draft, leg: Leg): void {
  completeHandOver(draft, leg);
  assignVoice(draft, leg);
}

/** Confirmed active needs both facts (decision 7). Once the call has connected the stream cannot win (FB-8). */
export function becomeActiveIfBoth(draft: Draft): void {
  const { stream } = draft.facts;
  if (draft.phase === 'active' || draft.phase === 'phone-connected') return;
  if (stream.streamingSince === null || stream.heardBy === null) return;
  draft.stopWatchdog();
  draft.clearTimers('retry', 'no-operator');
  draft.change({ degradedReason: null, triedOperators: [], hungUp: false });
  const ear = draft.leg(stream.heardBy);
  const heardOnPhone = ear?.kind === 'operator-phone';
  // A duty phone; or a panel that heard her all the while that another one spoke with her.
  if (ear) isHis(draft, ear);
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
