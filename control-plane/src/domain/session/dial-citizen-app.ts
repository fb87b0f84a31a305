import type { Draft } from './draft.ts';

/** Calls her app at the device of the session: a new attempt beside those that stand. */
export function dialCitizenApp(draft: Draft): void {
  draft.dialApp('citizen-app', { role: 'citizen', citizenId: draft.facts.citizenId }, draft.facts.aor);
}
