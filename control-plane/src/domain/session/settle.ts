/** What follows from the state alone, whatever led to it: looked after once each decision has been made. */
import type { Instant } from '../ids.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import { lapseHandOver } from './hand-over.ts';
import { isLive } from './session.ts';

export function settle(decision: Decision, at: Instant): Decision {
  const { session, commands, verdict } = decision;
  if (verdict !== 'applied' || !isLive(session)) return decision;
  const draft = new Draft(session, at);
  lapseHandOver(draft);
  if (draft.commands.length === 0) return decision;
  const settled = draft.seal();
  return { ...settled, commands: [...commands, ...settled.commands] };
}
