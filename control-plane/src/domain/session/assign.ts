/** Whose she is: told to the panels when it changes, and to nobody when it does not. */
import type { AddressOfRecord, OperatorId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg } from './leg.ts';

/** `aor` `null`: by telephone; a panel of his that is known stays known. */
export function assign(draft: Draft, operatorId: OperatorId, aor: AddressOfRecord | null): void {
  const { assignment } = draft.facts;
  draft.clearTimers('no-operator');
  if (assignment?.state === 'assigned' && assignment.operatorId === operatorId) {
    if (aor !== null && assignment.aor !== aor) draft.change({ assignment: { ...assignment, aor } });
    return;
  }
  draft.change({ assignment: { state: 'assigned', operatorId, aor, since: draft.at } });
  draft.publish('sos.assigned', { operatorId });
}

/**
 * Who hears her or speaks with her by this leg has her: a duty phone of the chain like a panel (TEL-10). One to whom she
 * is being handed over is told of it by the hand-over, which comes to its end with it.
 */
export function assignVoice(draft: Draft, leg: Leg): void {
  if (leg.party.role === 'citizen' || draft.facts.handOver?.legId === leg.id) return;
  assign(draft, leg.party.operatorId, leg.aor);
}
