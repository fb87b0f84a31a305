/**
 * The store as the core sees it: while the database answers, the database; while it does not, this node's memory and
 * its journal (decision 22). An SOS is never held up by it for longer than `COMMIT_MS`, and that once: from then on
 * nobody waits for the database until it has taken everything that the journal holds. docs/adr/0018 tells why.
 */
import type { Location } from '../../contracts/common.ts';
import type { Instant, SessionId } from '../../domain/ids.ts';
import { isOfZones } from '../../domain/rights/session-rights.ts';
import type { JournalEntry } from '../../ports/journal.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { DueTimer, SessionStore, SessionTx, StoredSession } from '../../ports/session-store.ts';
import { KeyedQueue } from '../keyed-queue.ts';
import { BookTransaction, enterInto, entryOf, provisionalRows, seqAfter } from './book-transaction.ts';
import type { Books } from './book-transaction.ts';
import type { EndurancePorts } from './endurance-ports.ts';
import { JournalDesk } from './journal-desk.ts';
import { JournalReplay } from './journal-replay.ts';
import { SessionBook, isOpen, operatorOf } from './session-book.ts';
import { StoreReturn } from './store-return.ts';
import { codeOf, meansAway, StoreState, unavailable } from './store-watch.ts';
import { Attempt, HeldSession, WatchedTransaction } from './watched-transaction.ts';
import { within } from './within.ts';

/** From SOS to offer 500 ms are allowed (RTC-1): the first SOS that finds the database silent still keeps them. */
const COMMIT_MS = 350;
const MAX_TURNS = 4;
/** One row; many rows, which nobody's voice waits for. */
const READ_MS = 250;
const LONG_READ_MS = 3000;
const MAX_TIMERS = 100_000;
const BOOK = 'book';
const LATE = Symbol('late');

export class EnduringStore implements SessionStore {
  readonly #ports: EndurancePorts;
  readonly #store: SessionStore;
  readonly #books: Books;
  readonly #desk: JournalDesk;
  readonly #replay: JournalReplay;
  readonly #return: StoreReturn;
  readonly state: StoreState;
  /** In memory one decision at a time; what is written to the disk meanwhile does not count. */
  readonly #inMemory = new KeyedQueue<string>();

  constructor(ports: EndurancePorts) {
    this.#ports = ports;
    this.#store = ports.store;
    this.#books = { sessions: new SessionBook(), duty: ports.duty, claims: { kept: new Map() } };
    this.#desk = new JournalDesk(ports);
    this.state = new StoreState(ports, () => this.#return.begin());
    this.#replay = new JournalReplay({ ...ports, desk: this.#desk, book: this.#books.sessions });
    this.#return = new StoreReturn({
      ...ports,
      state: this.state,
      desk: this.#desk,
      replay: this.#replay,
      memoryIsIdle: () => this.#inMemory.size === 0,
      memoryIdle: () => this.#inMemory.idle(),
      forgetClaims: () => this.#books.claims.kept.clear(),
    });
  }

  /** Entries that the store does not have yet. */
  get journalEntries(): number {
    return this.#desk.size;
  }

  /** Whether what is decided now survives this process. */
  get isDurable(): boolean {
    return (!this.state.isAway && this.#desk.size === 0) || this.#desk.isDurable;
  }

  /** Sessions of this node's journal that the store will never have. */
  get setAside(): ReadonlySet<SessionId> {
    return this.#replay.aside;
  }

  /** What an earlier life journaled goes to the store first. Throws while the store is away: it must be there now. */
  async start(limit: number): Promise<void> {
    await this.#desk.read();
    await this.#replay.ofEarlierLife((this.#ports.clock.now() - this.#ports.journalMaxAgeMs) as Instant);
    if (this.#desk.size === 0) await this.#desk.clear();
    const open = await this.#store.listOpen(limit);
    const { sessions } = this.#books;
    for (const stored of open) sessions.note(stored);
    const timers = await this.#store.timers(null, MAX_TIMERS);
    sessions.timers.replace(new Set(timers.map(({ sessionId }) => sessionId)), timers);
    for (const { session } of open) {
      const location = await this.#store.location(session.id);
      if (location) sessions.noteLocation(session.id, location);
    }
    // Of sessions that are held back, the journal knows more than the store.
    for (const entry of this.#desk.entries()) enterInto(sessions, entry);
    this.#return.begun();
  }

  stop(): void {
    this.#return.stop();
    this.state.stop();
  }

  async transact<T>(work: (tx: SessionTx) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#return.gate) await this.#return.gate;
      if (this.state.isAway) return this.#fromMemory(work);
      try {
        return await this.#fromStore(work);
      } catch (error) {
        if (!(error instanceof HeldSession)) throw error;
        // Somebody keeps its row locked. From here to the decision nothing runs that could let it go.
        if (this.#replay.held.has(error.sessionId)) return this.#fromMemory(work);
      }
    }
  }

  async #fromStore<T>(work: (tx: SessionTx) => Promise<T>): Promise<T> {
    const attempt = new Attempt();
    const book = this.#books.sessions;
    const committed = this.#store.transact(async (tx) => {
      attempt.begin();
      const value = await work(new WatchedTransaction(tx, attempt, book, this.#replay.held));
      attempt.value = { of: value };
      return value;
    });
    let reason = 'no answer in time';
    try {
      const value = await this.#answerOf(committed);
      if (value !== LATE) {
        await attempt.committed();
        this.#return.heard();
        this.state.heard();
        for (const { write } of attempt.writes) enterInto(book, entryOf(write, null));
        return value;
      }
    } catch (error) {
      if (!meansAway(error)) {
        attempt.failed(error);
        throw error;
      }
      reason = codeOf(error);
    }
    attempt.givenUp = true;
    this.state.leave(reason);
    return this.#afterAll(attempt, work);
  }

  /** In a rush many wait for one lock: as long as the database answers others, it is worth a longer wait. */
  async #answerOf<T>(committed: Promise<T>): Promise<T | typeof LATE> {
    for (let turn = 1; ; turn += 1) {
      const value = await within<T, typeof LATE>(this.#ports.clock, COMMIT_MS, committed, LATE);
      if (value !== LATE || turn === MAX_TURNS || !this.state.isAnswering) return value;
    }
  }

  /**
   * The database was told and did not answer. What was decided on its rows is acted on as it is, whether it was
   * committed or not; unless the session was moved on meanwhile (it throws), or nothing was decided yet.
   */
  async #afterAll<T>(attempt: Attempt, work: (tx: SessionTx) => Promise<T>): Promise<T> {
    const { value, writes } = attempt;
    if (value && writes.length === 0) return value.of as T;
    const book = this.#books.sessions;
    const kept = await this.#inMemory.run(BOOK, () => {
      const stands = writes.every(({ write }) => {
        const { id, citizenId } = write.after;
        if (write.before === null) return book.openOf(citizenId) === null || !isOpen(write.after);
        return (book.get(id)?.seq ?? write.before.seq) === write.before.seq;
      });
      if (!value || !stands || writes.length > 1) return Promise.resolve(null);
      const entries = writes.map(({ write, claim }) => entryOf(write, claim));
      const applied = writes.map(({ write }, index) => ({
        seq: seqOf(entries[index]),
        feed: provisionalRows(write, book),
      }));
      for (const entry of entries) enterInto(book, entry);
      return Promise.resolve({ of: value.of as T, applied, onDisk: this.#desk.keep(entries) });
    });
    if (!kept) {
      attempt.failed(unavailable('decided again from memory'));
      // It may have been committed, and be part of what the session was moved on from: to be decided again, and its
      // dials and timers to be made good for (`SessionLoop`).
      for (const { write } of value ? writes : []) book.timers.noteDoubtful(write.after.id, write);
      if (value) throw new StoreError('ERR_STORE_UNKNOWN_OUTCOME', 'a commit in doubt was overtaken');
      return this.#fromMemory(work);
    }
    await kept.onDisk;
    attempt.journaled(kept.applied);
    return kept.of;
  }

  async #fromMemory<T>(work: (tx: SessionTx) => Promise<T>): Promise<T> {
    this.#return.refuseIfFenced();
    const { value, onDisk } = await this.#inMemory.run(BOOK, async () => {
      const tx = new BookTransaction(this.#books);
      const value = await work(tx);
      return { value, onDisk: this.#desk.keep(tx.commit()) };
    });
    await onDisk;
    return value;
  }

  find(sessionId: SessionId): ReturnType<SessionStore['find']> {
    const known = (): StoredSession | null => this.#books.sessions.get(sessionId);
    if (this.#replay.held.has(sessionId)) return Promise.resolve(known());
    return this.#read(() => this.#store.find(sessionId), known);
  }

  listOpen(limit: number): ReturnType<SessionStore['listOpen']> {
    return this.#read(
      async () => this.#withHeld(await this.#store.listOpen(limit), () => true),
      () => this.#books.sessions.unfinished().slice(0, limit),
      LONG_READ_MS,
    );
  }

  list(filter: Parameters<SessionStore['list']>[0]): ReturnType<SessionStore['list']> {
    const { open, before } = filter;
    const isFirstPage = before === null && open !== false;
    return this.#read(
      async () =>
        this.#withHeld(await this.#store.list(filter), (one) => isFirstPage && isListed(one, filter)),
      () => (open === true && before === null ? this.#openOnes(filter) : null),
      LONG_READ_MS,
    );
  }

  location(sessionId: SessionId): ReturnType<SessionStore['location']> {
    const known = (): Location | undefined => this.#books.sessions.location(sessionId) ?? undefined;
    if (this.#replay.held.has(sessionId)) return Promise.resolve(known() ?? null);
    return this.#read(() => this.#store.location(sessionId), known).then((location) => location ?? null);
  }

  timers(until: Instant | null, limit: number): ReturnType<SessionStore['timers']> {
    const { held } = this.#replay;
    const known = (isMeant: (id: SessionId) => boolean): readonly DueTimer[] =>
      this.#books.sessions.timers
        .all()
        .filter(({ sessionId, dueAt }) => isMeant(sessionId) && (until === null || dueAt <= until))
        .slice(0, limit);
    return this.#read(
      async () => {
        const stored = await this.#store.timers(until, limit);
        if (held.size === 0) return stored;
        return [...stored.filter(({ sessionId }) => !held.has(sessionId)), ...known((id) => held.has(id))];
      },
      () => known(() => true),
      LONG_READ_MS,
    );
  }

  events(...args: Parameters<SessionStore['events']>): ReturnType<SessionStore['events']> {
    return this.state.attempt(() => this.#store.events(...args), LONG_READ_MS);
  }

  feedAfter(...args: Parameters<SessionStore['feedAfter']>): ReturnType<SessionStore['feedAfter']> {
    return this.state.isAway ? Promise.reject(away()) : this.#store.feedAfter(...args);
  }

  feedHead(): Promise<number> {
    return this.state.isAway ? Promise.reject(away()) : this.#store.feedHead();
  }

  feedFloor(): Promise<number> {
    return this.state.isAway ? Promise.reject(away()) : this.#store.feedFloor();
  }

  ping(deadlineMs: number): Promise<boolean> {
    return this.state.isAway ? Promise.resolve(false) : this.#store.ping(deadlineMs);
  }

  renew(): void {
    this.#store.renew();
  }

  /** `null` from memory: not known here, so nobody can say. */
  async #read<T>(fromStore: () => Promise<T>, fromMemory: () => T | null, deadlineMs = READ_MS): Promise<T> {
    try {
      return await this.state.attempt(fromStore, deadlineMs);
    } catch (error) {
      if (!meansAway(error)) throw error;
      const known = fromMemory();
      if (known === null) throw error;
      return known;
    }
  }

  /** Of sessions that are held back memory knows more than the store; it may not even have them. */
  #withHeld(
    stored: readonly StoredSession[],
    isMissed: (one: StoredSession) => boolean,
  ): readonly StoredSession[] {
    const { held } = this.#replay;
    if (held.size === 0) return stored;
    const ids = new Set(stored.map(({ session }) => session.id));
    const known = [...held].flatMap((id) => this.#books.sessions.get(id) ?? []);
    const missed = known.filter((one) => !ids.has(one.session.id) && isMissed(one));
    const newest = stored.map((one) => known.find(({ session }) => session.id === one.session.id) ?? one);
    return [...missed, ...newest];
  }

  #openOnes(filter: Parameters<SessionStore['list']>[0]): readonly StoredSession[] {
    const open = this.#books.sessions.open().toReversed();
    return open.filter((one) => isListed(one, filter)).slice(0, filter.limit);
  }
}

function isListed(
  { session }: StoredSession,
  { zones, operatorId = null, except = null }: Parameters<SessionStore['list']>[0],
): boolean {
  if (!zones) return except === null || session.zoneId !== except;
  if (isOfZones(session.zoneId, zones)) return true;
  return operatorId !== null && operatorOf(session) === operatorId;
}

function away(): ReturnType<typeof unavailable> {
  return unavailable('the database is away');
}

function seqOf(entry: JournalEntry | undefined): number {
  return entry ? seqAfter(entry) : 0;
}
