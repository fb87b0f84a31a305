/** Who is on duty, as the fake's tables say. */
import type { AddressOfRecord, Instant, OperatorId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import type { FreeOperator } from '../../../control-plane/src/domain/routing/choose-operator.ts';
import type { Party } from '../../../control-plane/src/domain/session/leg.ts';
import type { RosterEntry } from '../../../control-plane/src/ports/directory.ts';
import type { StoredSession } from '../../../control-plane/src/ports/session-store.ts';
import { handedTo, isOpen, operatorOf } from './memory-tables.ts';
import type { MemoryTables } from './memory-tables.ts';

export function dutyOperatorIds(
  tables: MemoryTables,
  zoneId: ZoneId | null,
  at: Instant,
): readonly OperatorId[] {
  return [...priorities(tables, 'operator', zoneId, at).keys()].toSorted();
}

export function dutyOperators(
  tables: MemoryTables,
  sessions: readonly StoredSession[],
  zoneId: ZoneId | null,
  at: Instant,
): readonly FreeOperator[] {
  const byOperator = priorities(tables, 'operator', zoneId, at);
  return [...byOperator.keys()].toSorted().map((operatorId) => {
    const own = sessions.filter((one) => operatorOf(one) === operatorId);
    const coming = sessions.filter((one) => handedTo(one) === operatorId && operatorOf(one) !== operatorId);
    const shift = presentShift(tables, operatorId);
    const ends = own.flatMap(({ session }) => ('endedAt' in session ? [session.endedAt] : []));
    return {
      operatorId,
      aor: shift?.aor ?? null,
      capacity: tables.operators.get(operatorId)?.capacity ?? 0,
      load: own.filter(isOpen).length + coming.length,
      idleSince: Math.max(0, ...ends, ...(shift ? [shift.since] : [])) as Instant,
      priority: byOperator.get(operatorId) ?? 0,
    };
  });
}

export function dutyPhones(tables: MemoryTables, zoneId: ZoneId | null, at: Instant): readonly Party[] {
  const parties = new Map<OperatorId, Party>();
  for (const role of ['operator', 'supervisor'] as const) {
    const ordered = [...priorities(tables, role, zoneId, at)]
      .filter(([id]) => tables.operators.get(id)?.dutyPhone)
      .toSorted(([a, first], [b, second]) => first - second || (a < b ? -1 : 1));
    for (const [operatorId] of ordered)
      if (!parties.has(operatorId))
        parties.set(operatorId, {
          role,
          operatorId,
          ...(mustAccept(tables, role, operatorId, zoneId, at) ? { acceptance: 'press-1' } : {}),
        });
  }
  return [...parties.values()];
}

function mustAccept(
  tables: MemoryTables,
  duty: RosterEntry['duty'],
  operatorId: OperatorId,
  zoneId: ZoneId | null,
  at: Instant,
): boolean {
  return [...tables.roster.values()]
    .flat()
    .some(
      (entry) => entry.operatorId === operatorId && entry.pressToAccept && holds(entry, duty, zoneId, at),
    );
}

function holds(entry: RosterEntry, duty: RosterEntry['duty'], zoneId: ZoneId | null, at: Instant): boolean {
  return (
    entry.duty === duty &&
    (zoneId === null || entry.zoneId === zoneId) &&
    (entry.from === null || entry.from <= at) &&
    (entry.until === null || at < entry.until)
  );
}

/** Active operators with this duty now, with the lowest priority of their entries. */
function priorities(
  tables: MemoryTables,
  duty: RosterEntry['duty'],
  zoneId: ZoneId | null,
  at: Instant,
): ReadonlyMap<OperatorId, number> {
  const found = new Map<OperatorId, number>();
  for (const entry of [...tables.roster.values()].flat()) {
    if (!holds(entry, duty, zoneId, at) || !tables.operators.get(entry.operatorId)?.active) continue;
    found.set(entry.operatorId, Math.min(entry.priority, found.get(entry.operatorId) ?? Infinity));
  }
  return found;
}

function presentShift(
  tables: MemoryTables,
  operatorId: OperatorId,
): { readonly aor: AddressOfRecord; readonly since: Instant } | null {
  const present = [...tables.shifts]
    .filter(([aor, shift]) => shift.operatorId === operatorId && shift.onShift && isOnline(tables, aor))
    .map(([aor, { since }]) => ({ aor, since }))
    .toSorted((a, b) => b.since - a.since || (a.aor < b.aor ? -1 : 1));
  return present[0] ?? null;
}

function isOnline(tables: MemoryTables, aor: AddressOfRecord): boolean {
  return tables.contacts.get(aor)?.online ?? false;
}
