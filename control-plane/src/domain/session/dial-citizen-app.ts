/** Calls her app: each call is a new attempt beside those that stand. */
import type { AddressOfRecord } from '../ids.ts';
import type { Draft } from './draft.ts';

export function dialCitizenApp(draft: Draft, aor: AddressOfRecord): void {
  draft.dialApp('citizen-app', { role: 'citizen', citizenId: draft.facts.citizenId }, aor);
}

/** Every device of hers that can be reached. Which of them she holds is seen by its packets. */
export function dialReachableDevices(draft: Draft): void {
  for (const { aor, online } of draft.facts.devices) if (online) dialCitizenApp(draft, aor);
}
