/**
 * Store, presence, directory and tickets in memory, for scenario tests. It keeps what PostgreSQL promises: locks per
 * citizen, session and operator until the transaction ends, nothing visible before the commit, nothing left after a
 * throw, a feed that hides what a lower number may still precede. The contract suite runs on both.
 */
import { randomBytes } from 'node:crypto';
import { toMicrosecond } from '../../control-plane/src/adapters/postgres/instant.ts';
import type { AddressOfRecord, Instant, SessionId } from '../../control-plane/src/domain/ids.ts';
import { isOfZones } from '../../control-plane/src/domain/rights/session-rights.ts';
import { isLive } from '../../control-plane/src/domain/session/session.ts';
import type { Directory } from '../../control-plane/src/ports/directory.ts';
import type {
  PresenceStore,
  SessionStore,
  StoredSession,
} from '../../control-plane/src/ports/session-store.ts';
import type { Ledger } from '../../control-plane/src/ports/ledger.ts';
import {
  roomFor,
  type RevocationOrder,
  type RevocationStore,
  type Revoked,
} from '../../control-plane/src/ports/revocations.ts';
import type { TicketStore } from '../../control-plane/src/ports/tickets.ts';
import { KeyedLocks } from './memory/keyed-locks.ts';
import { memoryDirectory } from './memory/memory-directory.ts';
import { memoryLedger } from './memory/memory-ledger.ts';
import { isOpen, MemoryTables, operatorOf } from './memory/memory-tables.ts';
import { MemoryTransaction } from './memory/memory-transaction.ts';

export interface MemoryStore {
  readonly store: SessionStore;
  readonly presence: PresenceStore;
  readonly directory: Directory;
  readonly tickets: TicketStore;
  readonly ledger: Ledger;
  /** As retention does when their time is over. */
  dropEvents(sessionId: SessionId): void;
  readonly revocations: RevocationStore;
}

const LOCK_DEADLINE_MS = 2000;

/** `now` is asked for the age of idempotency keys. */
export function memoryStore(now: () => Instant = () => Date.now() as Instant): MemoryStore {
  const tables = new MemoryTables();
  return {
    store: sessionStore(tables, now),
    presence: presenceStore(tables),
    directory: memoryDirectory(tables),
    tickets: ticketStore(tables),
    ledger: memoryLedger(tables),
    dropEvents: (sessionId) => void tables.events.delete(sessionId),
    revocations: revocationStore(tables),
  };
}

function sessionStore(tables: MemoryTables, now: () => Instant): SessionStore {
  const locks = new KeyedLocks(LOCK_DEADLINE_MS);
  return {
    transact: async (work) => {
      const tx = new MemoryTransaction(tables, locks, now);
      try {
        const result = await work(tx);
        await tx.commit();
        return result;
      } finally {
        tx.end();
      }
    },
    find: (sessionId) => Promise.resolve(tables.sessions.get(sessionId) ?? null),
    listOpen: (limit) =>
      Promise.resolve(
        [...tables.sessions.values()]
          .filter((one) => isOpen(one) || ('legs' in one.session && one.session.legs.length > 0))
          .toSorted((a, b) => newestFirst(b, a))
          .slice(0, limit),
      ),
    list: (filter) => Promise.resolve(listed(tables, filter)),
    location: (sessionId) => Promise.resolve(tables.locations.get(sessionId) ?? null),
    timers: (until, limit) =>
      Promise.resolve(
        [...tables.timers.values()]
          .filter(({ sessionId }) => isOpen(tables.sessions.get(sessionId)!))
          .filter(({ dueAt }) => until === null || dueAt <= until)
          .toSorted((a, b) => a.dueAt - b.dueAt)
          .slice(0, limit),
      ),
    events: (sessionId, limit) => Promise.resolve((tables.events.get(sessionId) ?? []).slice(0, limit)),
    feedAfter: (seq, limit) => {
      const horizon = tables.feedHorizon();
      const rows = [...tables.feed.values()].filter((row) => row.seq > seq && row.seq <= horizon);
      const withPlace = rows.map((row) => ({
        ...row,
        location: tables.locations.get(row.sessionId) ?? null,
      }));
      return Promise.resolve(withPlace.toSorted((a, b) => a.seq - b.seq).slice(0, limit));
    },
    feedHead: () => Promise.resolve(tables.feedHorizon()),
    feedFloor: () =>
      Promise.resolve(Math.min(tables.feedHorizon(), ...[...tables.feed.keys()].map((seq) => seq - 1))),
    ping: () => Promise.resolve(true),
    renew: () => undefined,
  };
}

function listed(
  tables: MemoryTables,
  { open, zones, operatorId = null, except = null, before, limit }: Parameters<SessionStore['list']>[0],
): readonly StoredSession[] {
  const start = before === null ? null : tables.sessions.get(before);
  if (start === undefined) return [];
  return [...tables.sessions.values()]
    .filter((one) => open === null || isOpen(one) === open)
    .filter(
      (one) =>
        (!zones && (except === null || one.session.zoneId !== except)) ||
        (zones !== null && isOfZones(one.session.zoneId, zones)) ||
        (zones !== null && operatorId !== null && isOpen(one) && operatorOf(one) === operatorId),
    )
    .filter((one) => start === null || newestFirst(start, one) < 0)
    .toSorted(newestFirst)
    .slice(0, limit);
}

function newestFirst({ session: a }: StoredSession, { session: b }: StoredSession): number {
  return b.createdAt - a.createdAt || (a.id === b.id ? 0 : a.id > b.id ? -1 : 1);
}

function presenceStore({ shifts, contacts }: MemoryTables): PresenceStore {
  return {
    setFeedPresence: (operatorId, aor, onShift, at) => {
      const since = toMicrosecond(at);
      if ((shifts.get(aor)?.since ?? 0) <= since) shifts.set(aor, { operatorId, onShift, since });
      return Promise.resolve();
    },
    setContact: (aor, online, at) => {
      const since = toMicrosecond(at);
      if ((contacts.get(aor)?.since ?? 0) <= since) contacts.set(aor, { online, since });
      return Promise.resolve();
    },
    contactOnline: (aor: AddressOfRecord) => Promise.resolve(contacts.get(aor)?.online ?? false),
    clear: () => {
      shifts.clear();
      contacts.clear();
      return Promise.resolve();
    },
  };
}

function ticketStore({ tickets }: MemoryTables): TicketStore {
  return {
    issue: (grant, expiresAt) => {
      const ticket = randomBytes(32).toString('base64url');
      tickets.set(ticket, { grant: { ...grant }, expiresAt });
      return Promise.resolve(ticket);
    },
    redeem: (ticket, purpose, now) => {
      const kept = tickets.get(ticket);
      if (kept?.grant.purpose !== purpose || kept.expiresAt <= now) return Promise.resolve(null);
      tickets.delete(ticket);
      return Promise.resolve(kept.grant);
    },
  };
}

function revocationStore({ revocations, operators, sessions }: MemoryTables): RevocationStore {
  let changes = 0;
  const keyOf = (order: RevocationOrder): string =>
    order.kind === 'token' ? `token ${order.tokenId}` : `subject ${order.role}:${order.subject}`;
  return {
    add: (order) => {
      const key = keyOf(order);
      const room = roomFor(order);
      const lines = [...revocations.values()].filter(
        ({ kind, until }) => kind === order.kind && until > order.at,
      );
      const own = lines.filter(({ by }) => by === order.by);
      if (!revocations.has(key) && (lines.length >= room.inAll || own.length >= room.byOne))
        return Promise.resolve(false);
      revocations.set(key, { ...order });
      changes += 1;
      return Promise.resolve(true);
    },
    read: (knownMark, now) => {
      const kept = [...revocations.values()]
        .filter(({ until }) => until > now)
        .map(({ until: _until, by: _by, ...revoked }): Revoked => revoked);
      const mark = `${String(changes)} ${String(kept.length)}`;
      const inactive = [...operators.values()].filter(({ active }) => !active).map(({ id }) => id);
      return Promise.resolve({ mark, revoked: mark === knownMark ? null : kept, inactive });
    },
    hasOpenSos: (citizenId) =>
      Promise.resolve(
        [...sessions.values()].some(({ session }) => isLive(session) && session.citizenId === citizenId),
      ),
  };
}
