/**
 * Who may do what to which session: the one rule. It stands as a table in docs/security.md; a test holds the two
 * together. What the phase of a session allows is the reducer's business, and comes after this.
 */
import type { ZoneId } from '../ids.ts';
import { isLive } from '../session/session.ts';
import type { Session } from '../session/session.ts';

export type Role = 'citizen' | 'backend' | 'operator' | 'supervisor' | 'admin';

export type Deed =
  | 'see'
  /** Activate a warm-up, or let it go. */
  | 'press'
  | 'resolve'
  | 'redial'
  | 'acknowledge'
  | 'transfer'
  | 'join'
  | 'listen'
  | 'stop-listening';

/**
 * `hers`: a citizen's own session. `zone`: on duty in its zone (a supervisor: as a supervisor), or who has her, though his
 * duty ended meanwhile; to listen in, by duty alone. `has`: the operator who has her.
 */
export type Reach = 'every' | 'zone' | 'has' | 'hers' | 'none';

export const SESSION_RIGHTS: Readonly<Record<Deed, Readonly<Record<Role, Reach>>>> = {
  see: { citizen: 'hers', backend: 'every', operator: 'zone', supervisor: 'every', admin: 'every' },
  press: { citizen: 'hers', backend: 'every', operator: 'none', supervisor: 'none', admin: 'none' },
  resolve: { citizen: 'none', backend: 'every', operator: 'zone', supervisor: 'zone', admin: 'every' },
  redial: { citizen: 'none', backend: 'none', operator: 'zone', supervisor: 'zone', admin: 'every' },
  acknowledge: { citizen: 'none', backend: 'none', operator: 'zone', supervisor: 'every', admin: 'every' },
  transfer: { citizen: 'none', backend: 'none', operator: 'has', supervisor: 'zone', admin: 'every' },
  join: { citizen: 'none', backend: 'none', operator: 'has', supervisor: 'zone', admin: 'none' },
  listen: { citizen: 'none', backend: 'none', operator: 'none', supervisor: 'zone', admin: 'none' },
  'stop-listening': {
    citizen: 'none',
    backend: 'none',
    operator: 'none',
    supervisor: 'every',
    admin: 'none',
  },
};

/** Who asks, with the zones in which they are on duty now: for a supervisor, as a supervisor. */
export interface Asker {
  readonly role: Role;
  readonly subject: string;
  readonly zones: readonly ZoneId[];
}

/** A session of no zone concerns whoever is on duty anywhere, and nobody who is not. */
export function isOfZones(zoneId: ZoneId | null, zones: readonly ZoneId[]): boolean {
  return zoneId === null ? zones.length > 0 : zones.includes(zoneId);
}

/** `unknown`: the asker may not even learn that there is such a session. */
export function judgeDeed(deed: Deed, asker: Asker, session: Session): 'yes' | 'foreign' | 'unknown' {
  if (!reaches('see', asker, session)) return 'unknown';
  return reaches(deed, asker, session) ? 'yes' : 'foreign';
}

function reaches(deed: Deed, asker: Asker, session: Session): boolean {
  switch (SESSION_RIGHTS[deed][asker.role]) {
    case 'every':
      return true;
    case 'hers':
      return session.citizenId === asker.subject;
    case 'has':
      return hasHer(asker, session);
    case 'zone':
      return isOfZones(session.zoneId, asker.zones) || (deed !== 'listen' && hasHer(asker, session));
    case 'none':
      return false;
  }
}

function hasHer({ role, subject }: Asker, session: Session): boolean {
  if (role !== 'operator' && role !== 'supervisor') return false;
  const assignment = isLive(session) ? session.assignment : null;
  return assignment?.state === 'assigned' && assignment.operatorId === subject;
}
