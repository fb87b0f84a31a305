/** The answer to what changes nothing: late, doubled, or asked for too late. */
import type { Decision } from './draft.ts';
import type { Session } from './session.ts';

export function ignored(session: Session): Decision {
  return { session, commands: [], verdict: 'ignored' };
}

/** Somebody asked for what this phase does not allow. */
export function refused(session: Session): Decision {
  return { ...ignored(session), verdict: 'refused' };
}
