/**
 * Who may write a zone's roster. A backend or an admin any; a supervisor one in which he is on duty as a supervisor, as
 * it stood before, and his own entries he may leave or strike out, but neither add nor change: nobody gives himself a
 * zone, or more time in one.
 */
import type { Instant, OperatorId, ZoneId } from '../ids.ts';
import type { Role } from './session-rights.ts';

export interface Duty {
  readonly zoneId: ZoneId;
  readonly operatorId: OperatorId;
  readonly duty: 'operator' | 'supervisor';
  readonly priority: number;
  readonly pressToAccept: boolean;
  readonly from: Instant | null;
  readonly until: Instant | null;
}

export function isOnDuty({ from, until }: Pick<Duty, 'from' | 'until'>, at: Instant): boolean {
  return (from === null || from <= at) && (until === null || at < until);
}

/** Why this roster may not take the place of the one that stands; `null`: it may. */
export function judgeRoster(
  writer: { readonly role: Role; readonly subject: string },
  standing: readonly Duty[],
  wanted: readonly Duty[],
  at: Instant,
): 'not-supervisor' | 'own-entry' | null {
  if (writer.role === 'backend' || writer.role === 'admin') return null;
  const own = standing.filter(({ operatorId }) => operatorId === writer.subject);
  const supervises = own.some((entry) => entry.duty === 'supervisor' && isOnDuty(entry, at));
  if (writer.role !== 'supervisor' || !supervises) return 'not-supervisor';
  const kept = wanted.filter(({ operatorId }) => operatorId === writer.subject);
  return kept.every((entry) => own.some((one) => isSameDuty(one, entry))) ? null : 'own-entry';
}

function isSameDuty(one: Duty, other: Duty): boolean {
  return (
    one.duty === other.duty &&
    one.priority === other.priority &&
    one.pressToAccept === other.pressToAccept &&
    one.from === other.from &&
    one.until === other.until
  );
}
