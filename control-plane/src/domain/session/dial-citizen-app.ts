/** Calls her app: each call is a new attempt beside those that stand. */
import type { AddressOfRecord } from '../ids.ts';
import type { Draft } from './draft.ts';

/**
 * An attempt and one beside it: a third call to a device takes the place of the oldest that nobody answered, or that
 * brought no packets. A stream that is lost may come back, and is kept.
 */
const MAX_ATTEMPTS_PER_DEVICE = 2;

export function dialCitizenApp(draft: Draft, aor: AddressOfRecord): void {
  const before = draft.standing('citizen-app').filter((leg) => leg.aor === aor);
  const idle = before.filter((leg) => !leg.streaming && leg.id !== draft.facts.stream.leg);
  const oldest = idle.find((leg) => leg.state !== 'answered') ?? idle[0];
  if (before.length >= MAX_ATTEMPTS_PER_DEVICE && oldest) draft.hangup(oldest, 'cancelled');
  draft.dialApp('citizen-app', { role: 'citizen', citizenId: draft.facts.citizenId }, aor);
}

/** Every device of hers that can be reached. Which of them she holds is seen by its packets. */
export function dialReachableDevices(draft: Draft): void {
  for (const { aor, online } of draft.facts.devices) if (online) dialCitizenApp(draft, aor);
}
