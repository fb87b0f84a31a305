/** A transaction of the fake: it reads what is committed and what it wrote itself, and writes when it commits. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../control-plane/src/evidence/canonical-json.ts';
import { toMicrosecond } from '../../../control-plane/src/adapters/postgres/instant.ts';
import type { CitizenId, Instant, SessionId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import type { FreeOperator } from '../../../control-plane/src/domain/routing/choose-operator.ts';
import { isLive } from '../../../control-plane/src/domain/session/session.ts';
import type { Party } from '../../../control-plane/src/domain/session/leg.ts';
import type {
  FeedRow,
  SessionTx,
  SessionWrite,
  StoredEvent,
  StoredSession,
} from '../../../control-plane/src/ports/session-store.ts';
import type { KeyedLocks } from './keyed-locks.ts';
import { dutyOperators, dutyOperatorIds, dutyPhones } from './memory-duty.ts';
import { copied, isOpen } from './memory-tables.ts';
import type { ClaimedKey, MemoryTables } from './memory-tables.ts';

const KEY_LIFE_MS = 24 * 3_600_000;

export class MemoryTransaction implements SessionTx {
  readonly #tables: MemoryTables;
  readonly #locks: KeyedLocks;
  readonly #now: () => Instant;
  readonly #sessions = new Map<SessionId, StoredSession>();
  readonly #keys = new Map<string, ClaimedKey>();
  readonly #loaded = new Map<SessionId, number>();
  readonly #writes: (() => void)[] = [];
  /** Each call waits for the one before it, as on one connection. */
  #last: Promise<unknown> = Promise.resolve();
  #failed: { readonly error: unknown } | null = null;
  #over = false;

  constructor(tables: MemoryTables, locks: KeyedLocks, now: () => Instant) {
    this.#tables = tables;
    this.#locks = locks;
    this.#now = now;
  }

  async commit(): Promise<void> {
    await this.#last;
    if (this.#failed) throw this.#failed.error;
    for (const write of this.#writes) write();
  }

  /** Frees what it holds; after a `commit` or instead of one. */
  end(): void {
    this.#over = true;
    this.#tables.feedGates.delete(this);
    this.#locks.releaseAll(this);
  }

  lockCitizen(citizenId: CitizenId): Promise<void> {
    return this.#inTurn(() => this.#locks.acquire(`citizen ${citizenId}`, this));
  }

  findOpen(citizenId: CitizenId): Promise<StoredSession | null> {
    return this.#inTurn(async () => {
      const found = this.#all().find((one) => one.session.citizenId === citizenId && isOpen(one));
      if (!found) return null;
      const locked = await this.#locked(found.session.id);
      return locked && isOpen(locked) ? locked : null;
    });
  }

  load(sessionId: SessionId): Promise<StoredSession | null> {
    return this.#inTurn(() => this.#locked(sessionId));
  }

  dutyOperators(zoneId: ZoneId | null, at: Instant): Promise<readonly FreeOperator[]> {
    return this.#inTurn(async () => {
      for (const id of dutyOperatorIds(this.#tables, zoneId, at))
        await this.#locks.acquire(`operator ${id}`, this);
      return dutyOperators(this.#tables, this.#all(), zoneId, at);
    });
  }

  waiting(zoneId: ZoneId | null, citizenId: CitizenId): Promise<number> {
    return this.#inTurn(() =>
      Promise.resolve(
        this.#all().filter(
          ({ session }) =>
            isLive(session) &&
            session.assignment?.state !== 'assigned' &&
            session.zoneId === zoneId &&
            session.citizenId !== citizenId,
        ).length,
      ),
    );
  }

  dutyPhones(zoneId: ZoneId | null, at: Instant): Promise<readonly Party[]> {
    return this.#inTurn(() => Promise.resolve(dutyPhones(this.#tables, zoneId, at)));
  }

  apply(write: SessionWrite): Promise<{ readonly seq: number; readonly feed: readonly FeedRow[] }> {
    return this.#inTurn(async () => {
      const { after, before } = write;
      await this.#locks.acquire(`session ${after.id}`, this);
      this.#check(write);
      const seq = (before?.seq ?? 0) + write.events.length;
      const stored: StoredSession = copied({ session: after, seq });
      const feed = this.#drawFeed(write, stored);
      this.#sessions.set(after.id, stored);
      this.#loaded.set(after.id, seq);
      this.#writes.push(() => this.#store(write, stored, feed));
      return { seq, feed };
    });
  }

  claimIdempotencyKey(
    citizenId: CitizenId,
    key: string,
    bodyHash: string,
    sessionId: SessionId,
  ): ReturnType<SessionTx['claimIdempotencyKey']> {
    return this.#inTurn(async () => {
      const name = `${citizenId} ${key}`;
      await this.#locks.acquire(`key ${name}`, this);
      const claimed = this.#keys.get(name) ?? this.#tables.keys.get(name);
      if (claimed && this.#now() - claimed.claimedAt < KEY_LIFE_MS)
        return { seen: claimed.bodyHash === bodyHash ? 'same' : 'other-body', sessionId: claimed.sessionId };
      const claim = { bodyHash, sessionId, claimedAt: this.#now() };
      this.#keys.set(name, claim);
      this.#writes.push(() => this.#tables.keys.set(name, claim));
      return { seen: 'fresh' };
    });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#over) throw new Error('the transaction is over');
      return step();
    });
    this.#last = turn.catch((error: unknown) => (this.#failed ??= { error }));
    return turn;
  }

  #all(): readonly StoredSession[] {
    return [...new Map([...this.#tables.sessions, ...this.#sessions]).values()];
  }

  async #locked(sessionId: SessionId): Promise<StoredSession | null> {
    await this.#locks.acquire(`session ${sessionId}`, this);
    const stored = this.#sessions.get(sessionId) ?? this.#tables.sessions.get(sessionId) ?? null;
    if (stored) this.#loaded.set(sessionId, stored.seq);
    return stored;
  }

  #check({ before, after }: SessionWrite): void {
    const existing = this.#sessions.get(after.id) ?? this.#tables.sessions.get(after.id);
    if (before === null ? existing : this.#loaded.get(after.id) !== before.seq)
      throw new Error('a session was written that this transaction has not loaded as it is');
    const others = this.#all().filter((one) => one.session.id !== after.id && isOpen(one));
    const isSecond = others.some((one) => one.session.citizenId === after.citizenId);
    if (isSecond && isOpen({ session: after, seq: 0 }))
      throw new Error('a second open session of one citizen');
  }

  #drawFeed(write: SessionWrite, stored: StoredSession): readonly FeedRow[] {
    const tables = this.#tables;
    if (write.feed.length > 0 && !tables.feedGates.has(this)) tables.feedGates.set(this, tables.feedDrawn);
    const brought = write.events.findLast((one) => one.personal?.location)?.personal?.location;
    const location = brought ?? tables.locations.get(write.after.id) ?? null;
    return write.feed.map(({ type, detail }) => {
      tables.feedDrawn += 1;
      return {
        seq: tables.feedDrawn,
        sessionId: write.after.id,
        sessionSeq: stored.seq,
        type,
        at: toMicrosecond(write.at),
        zoneId: write.after.zoneId,
        detail: copied(detail),
        session: stored.session,
        location,
      };
    });
  }

  #store(write: SessionWrite, stored: StoredSession, feed: readonly FeedRow[]): void {
    const tables = this.#tables;
    const { id } = stored.session;
    tables.sessions.set(id, stored);
    tables.events.set(id, [...(tables.events.get(id) ?? []), ...eventsOf(write, stored.seq)]);
    for (const { personal } of write.events)
      if (personal?.location) tables.locations.set(id, copied(personal.location));
    for (const [name, due] of tables.timers)
      if (due.sessionId === id && (write.timersCleared.includes(due.timer) || !isOpen(stored)))
        tables.timers.delete(name);
    for (const { timer, dueAt } of write.timersSet)
      tables.timers.set(`${id} ${timer}`, { sessionId: id, timer, dueAt: toMicrosecond(dueAt) });
    for (const row of feed) tables.feed.set(row.seq, row);
  }
}

function eventsOf(write: SessionWrite, lastSeq: number): readonly StoredEvent[] {
  const firstSeq = lastSeq - write.events.length + 1;
  return write.events.map(({ event, at }, index) => ({
    seq: firstSeq + index,
    at: toMicrosecond(at),
    event: copied(event),
    hash: createHash('sha256')
      .update(`${write.after.id} ${firstSeq + index} ${canonicalJson(event)}`)
      .digest('hex'),
  }));
}
