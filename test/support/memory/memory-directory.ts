/** The directory of the fake. */
import type { Directory, DirectoryResult, RosterEntry } from '../../../control-plane/src/ports/directory.ts';
import { toMicrosecond } from '../../../control-plane/src/adapters/postgres/instant.ts';
import { isOpen, operatorOf } from './memory-tables.ts';
import type { MemoryTables } from './memory-tables.ts';

type Code = Extract<DirectoryResult, { ok: false }>['code'];

const done: DirectoryResult = { ok: true, value: undefined };
const refused = (code: Code, detail: string): Promise<DirectoryResult> =>
  Promise.resolve({ ok: false, code, detail });
const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);

export function memoryDirectory(tables: MemoryTables): Directory {
  const { citizens, operators, zones, roster } = tables;
  const openSessions = () => [...tables.sessions.values()].filter(isOpen);
  const put = (write: () => void): Promise<DirectoryResult> => {
    write();
    return Promise.resolve(done);
  };
  return {
    putCitizen: (citizen) => {
      if (citizen.homeZone !== null && !zones.has(citizen.homeZone))
        return refused('ERR_DIRECTORY_NOT_FOUND', 'her home zone does not exist');
      const devices = [...new Set(citizen.devices)].toSorted();
      return put(() => citizens.set(citizen.id, { ...citizen, devices }));
    },
    citizen: (id) => Promise.resolve(citizens.get(id) ?? null),
    deleteCitizen: (id) => {
      if (openSessions().some(({ session }) => session.citizenId === id))
        return refused('ERR_DIRECTORY_IN_USE', 'she has an open session');
      if (!citizens.has(id)) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such citizen');
      return put(() => citizens.delete(id));
    },
    putOperator: (operator) => put(() => operators.set(operator.id, { ...operator })),
    operator: (id) => Promise.resolve(operators.get(id) ?? null),
    operators: (after, limit) =>
      Promise.resolve(
        [...operators.values()]
          .filter(({ id }) => after === null || id > after)
          .toSorted(byId)
          .slice(0, limit),
      ),
    deleteOperator: (id) => {
      if (!operators.has(id)) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such operator');
      if (openSessions().some((one) => operatorOf(one) === id))
        return refused('ERR_DIRECTORY_IN_USE', 'an open session is assigned to the operator');
      if ([...roster.values()].flat().some((entry) => entry.operatorId === id))
        return refused('ERR_DIRECTORY_IN_USE', 'the operator stands in a roster');
      return put(() => operators.delete(id));
    },
    putZone: (zone) => {
      const clash = [...zones.values()].some((one) => one.id !== zone.id && one.polygon === null);
      if (zone.polygon === null && clash)
        return refused('ERR_DIRECTORY_CONFLICT', 'another zone is the catch-all already');
      return put(() => zones.set(zone.id, { ...zone }));
    },
    zones: () => Promise.resolve([...zones.values()].toSorted(byId)),
    deleteZone: (id) => {
      if (!zones.has(id)) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such zone');
      if (openSessions().some(({ session }) => session.zoneId === id))
        return refused('ERR_DIRECTORY_IN_USE', 'a session of the zone is open');
      const isHome = [...citizens.values()].some((citizen) => citizen.homeZone === id);
      if (isHome || (roster.get(id) ?? []).length > 0)
        return refused('ERR_DIRECTORY_IN_USE', 'a roster or a home zone refers to the zone');
      return put(() => zones.delete(id));
    },
    putRoster: (zoneId, entries, refusal) => {
      if (!zones.has(zoneId)) return refused('ERR_DIRECTORY_NOT_FOUND', 'no such zone');
      const why = refusal?.(roster.get(zoneId) ?? []) ?? null;
      if (why !== null) return refused('ERR_DIRECTORY_FOREIGN', why);
      if (entries.some((entry) => !operators.has(entry.operatorId)))
        return refused('ERR_DIRECTORY_NOT_FOUND', 'an operator of the roster does not exist');
      const keys = entries.map(({ operatorId, duty, from }) => `${operatorId} ${duty} ${String(from)}`);
      if (new Set(keys).size < keys.length)
        return refused('ERR_DIRECTORY_CONFLICT', 'an operator stands twice in the roster');
      return put(() => roster.set(zoneId, entries.map((entry) => stored(entry, zoneId)).toSorted(inOrder)));
    },
    roster: (zoneId) =>
      Promise.resolve(
        zoneId === null
          ? [...roster].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, entries]) => entries)
          : (roster.get(zoneId) ?? []),
      ),
  };
}

function stored(entry: RosterEntry, zoneId: RosterEntry['zoneId']): RosterEntry {
  const { from, until } = entry;
  return {
    ...entry,
    zoneId,
    from: from === null ? null : toMicrosecond(from),
    until: until === null ? null : toMicrosecond(until),
  };
}

function inOrder(a: RosterEntry, b: RosterEntry): number {
  if (a.duty !== b.duty) return a.duty < b.duty ? -1 : 1;
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.operatorId !== b.operatorId) return a.operatorId < b.operatorId ? -1 : 1;
  return (a.from ?? -Infinity) - (b.from ?? -Infinity);
}
