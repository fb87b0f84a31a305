/**
 * A supervisor listens in: one way, muted before the bridge, heard by nobody. Such a leg counts for nothing: it is not
 * the operator who hears, it keeps no session open, and it ends with it.
 */
import { bridgeIdOf } from '../ids.ts';
import type { AddressOfRecord, BridgeId, OperatorId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leg, LegOutcome } from './leg.ts';
import type { LiveFacts } from './session.ts';

const MAX_LISTENERS = 5;
/** Ids are never used twice and have six digits: days of asking again and again, at the rate that staff may ask. */
export const MAX_ASKED_ATTEMPTS = 100_000;

/** Where her voice is: in the phone bridge while two phones stand in it, else in the stream's. */
export function bridgeOfVoice({
  id,
  fallback,
  phase,
}: Pick<LiveFacts, 'id' | 'fallback'> & { readonly phase: string }): BridgeId {
  const onPhone = phase === 'phone-connected' && fallback?.bridged !== undefined;
  return bridgeIdOf(id, onPhone ? 'phone' : 'stream');
}

/** `false`: too many listen already. Who listens at this panel already is not called twice. */
export function listen(draft: Draft, operatorId: OperatorId, aor: AddressOfRecord): boolean {
  const listeners = draft.standing('supervisor-app');
  if (listeners.some((leg) => leg.aor === aor)) return true;
  const asked = draft.facts.attempts['supervisor-app'];
  if (listeners.length >= MAX_LISTENERS || asked >= MAX_ASKED_ATTEMPTS) return false;
  draft.dialApp('supervisor-app', { role: 'supervisor', operatorId }, aor);
  return true;
}

export function listenerAnswered(draft: Draft, leg: Leg): void {
  draft.join(bridgeOfVoice({ ...draft.facts, phase: draft.phase }), leg.id, 'listens');
  if (leg.party.role === 'supervisor') draft.publish('sos.listening', { operatorId: leg.party.operatorId });
}

export function listenerEnded(draft: Draft, leg: Leg, outcome: LegOutcome): void {
  if (leg.party.role === 'supervisor')
    draft.publish('sos.listening-ended', { operatorId: leg.party.operatorId, outcome });
}

/** He has heard enough. `false`: he was not listening. */
export function stopListening(draft: Draft, operatorId: OperatorId): boolean {
  const own = draft
    .standing('supervisor-app')
    .filter(({ party }) => party.role === 'supervisor' && party.operatorId === operatorId);
  for (const leg of own) draft.hangup(leg, 'normal');
  if (own.length > 0) draft.publish('sos.listening-ended', { operatorId, outcome: 'completed' });
  return own.length > 0;
}

/** Her voice has moved to the other bridge: whoever listens goes along. */
export function placeListeners(draft: Draft): void {
  const bridge = bridgeOfVoice({ ...draft.facts, phase: draft.phase });
  for (const leg of draft.standing('supervisor-app'))
    if (leg.state === 'answered') draft.join(bridge, leg.id, 'listens');
}
