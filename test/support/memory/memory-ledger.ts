/** The ledger of the fake. */
import type { SessionId } from '../../../control-plane/src/domain/ids.ts';
import type { Ledger, LedgerEntry } from '../../../control-plane/src/ports/ledger.ts';
import { copied } from './memory-tables.ts';
import type { MemoryTables } from './memory-tables.ts';

const REST_MS = 60_000;

export function memoryLedger(tables: MemoryTables): Ledger {
  const entries = new Map<SessionId, LedgerEntry>();
  return {
    unjudged: (now, limit) =>
      Promise.resolve(
        [...tables.sessions.values()]
          .flatMap(({ session }) => ('endedAt' in session && !entries.has(session.id) ? [session] : []))
          .filter(({ legs, endedAt }) => legs.length === 0 || endedAt < now - REST_MS)
          .toSorted((a, b) => a.endedAt - b.endedAt)
          .slice(0, limit)
          .map(({ id }) => id),
      ),
    enter: (sessionId, milestones, verdicts) => {
      const stored = tables.sessions.get(sessionId);
      if (!stored || !('endedAt' in stored.session) || entries.has(sessionId)) return Promise.resolve(false);
      const named = milestones.map(({ name, at, ms }) => ({ name, at, ms }));
      entries.set(sessionId, copied({ milestones: named, verdicts }));
      return Promise.resolve(true);
    },
    find: (sessionId) => Promise.resolve(entries.get(sessionId) ?? null),
  };
}
