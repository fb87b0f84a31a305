/**
 * Tells the store what the journal holds, session by session, in order. What the store will never take is set aside; a
 * session whose row somebody keeps locked is held back by itself, and the others go on.
 */
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { JournalEntry } from '../../ports/journal.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { Diverged, EndurancePorts } from './endurance-ports.ts';
import type { JournalDesk } from './journal-desk.ts';
import { replaySession, Unreplayable } from './replay.ts';
import type { Replayed } from './replay.ts';
import { isOpen } from './session-book.ts';
import type { SessionBook } from './session-book.ts';

const SIDE_BY_SIDE = 4;
/** One transaction takes so many entries of a session. */
const BATCH = 50;
const MAX_TIMERS = 100_000;
/** Decisions that come while it runs are told too; a store that is slower than they come is left to the next try. */
const MAX_ROUNDS = 100;

export interface ReplayPorts extends EndurancePorts {
  readonly desk: JournalDesk;
  readonly book: SessionBook;
}

export class JournalReplay {
  readonly #ports: ReplayPorts;
  /** Sessions whose journal was decided anew; what follows of it is too. */
  readonly #diverged = new Set<SessionId>();
  /** What follows from that for timers and engine, and has not been seen to yet. */
  readonly #unsettled = new Map<SessionId, Diverged>();
  /** Sessions whose row is locked by somebody else: decided from memory until it is free, whatever the store does. */
  readonly held = new Set<SessionId>();
  /** Sessions that the store will never have. */
  readonly aside = new Set<SessionId>();
  /** A session that the store does not know is not begun by what was decided before this. */
  #beginsAfter = Number.NEGATIVE_INFINITY as Instant;

  constructor(ports: ReplayPorts) {
    this.#ports = ports;
  }

  /** Entries that wait for nothing but the store. */
  get waiting(): number {
    return this.held.size === 0 ? this.#ports.desk.size : this.#free().length;
  }

  /** The store has everything, or as good as: from here on numbers agree again. */
  over(): void {
    this.#diverged.clear();
  }

  /** What an earlier life left: an SOS that began too long ago must not come up again. */
  async ofEarlierLife(beginsAfter: Instant): Promise<void> {
    this.#beginsAfter = beginsAfter;
    await this.run();
    this.#beginsAfter = Number.NEGATIVE_INFINITY as Instant;
    this.over();
  }

  /** Tells all but the last `left` entries, all that there are at least once; the longest time that a session's took. */
  async run(left = 0): Promise<number> {
    let slowestMs = 0;
    for (let round = 0; round < MAX_ROUNDS && this.waiting > (round === 0 ? 0 : left); round += 1) {
      const bySession = new Map<SessionId, JournalEntry[]>();
      for (const entry of this.#free()) {
        const { id } = entry.write.after;
        const own = bySession.get(id) ?? [];
        bySession.set(id, own);
        if (own.length < BATCH) own.push(entry);
      }
      const waiting = [...bySession];
      const workers = Array.from({ length: SIDE_BY_SIDE }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          slowestMs = Math.max(slowestMs, await this.#one(...next));
      });
      await settled(workers);
    }
    await this.#settle();
    return slowestMs;
  }

  /** Whether the store has all that was decided of this session. */
  hasAllOf(sessionId: SessionId): boolean {
    return this.#of(sessionId).length === 0;
  }

  /** Asks once more for a session that is held back: for everything that there is, or until it is locked again. */
  async again(sessionId: SessionId): Promise<void> {
    const { desk } = this.#ports;
    for (let left = this.#of(sessionId); left.length > 0; left = this.#of(sessionId)) {
      const { size } = desk;
      await this.#one(sessionId, left.slice(0, BATCH));
      if (desk.size >= size) return;
    }
    await this.#settle();
  }

  #of(sessionId: SessionId): readonly JournalEntry[] {
    return this.#ports.desk.entries().filter(({ write }) => write.after.id === sessionId);
  }

  #free(): readonly JournalEntry[] {
    return this.#ports.desk.entries().filter(({ write }) => !this.held.has(write.after.id));
  }

  async #one(sessionId: SessionId, entries: readonly JournalEntry[]): Promise<number> {
    const { clock, desk, store, log } = this.#ports;
    const begunAt = clock.now();
    try {
      const options = { diverged: this.#diverged.has(sessionId), mayBegin: this.#mayBegin(sessionId) };
      this.#took(sessionId, await replaySession(store, sessionId, entries, options));
    } catch (error) {
      if (error instanceof StoreError) {
        if (error.code !== 'ERR_STORE_CONFLICT') throw error;
        if (!this.held.has(sessionId))
          log.error(
            'Somebody keeps a session locked in the database: it is decided from memory until then.',
            {
              code: error.code,
              sessionId,
            },
          );
        this.held.add(sessionId);
        return 0;
      }
      await this.#setAside(sessionId, entries, error);
    }
    desk.done(new Set(entries));
    return clock.now() - begunAt;
  }

  /** What has ended is a record, and rings nobody. */
  #mayBegin(sessionId: SessionId): boolean {
    if (this.#beginsAfter === Number.NEGATIVE_INFINITY) return true;
    const last = this.#of(sessionId).at(-1);
    return !last || last.write.at >= this.#beginsAfter || !isOpen(last.write.after);
  }

  /** A write that the store will never take must not hold back all the others. */
  async #setAside(sessionId: SessionId, entries: readonly JournalEntry[], error: unknown): Promise<void> {
    const { book, desk, log, metrics, surprises } = this.#ports;
    const code = error instanceof Unreplayable ? error.code : 'ERR_JOURNAL_CONFLICT';
    metrics.count('hamrahi_journal_set_aside_total', { code });
    log.error('A part of the journal cannot be told to the database; it is set aside.', {
      code,
      sessionId,
      entries: entries.length,
      reason: error instanceof Unreplayable ? error.message : String(error),
    });
    await desk.setAside(entries);
    this.aside.add(sessionId);
    const known = book.get(sessionId);
    book.forget(sessionId);
    if (known) surprises.forgotten(known.session);
    if (!(error instanceof Unreplayable) || !error.other) return;
    // The session that stands in its place is this node's now, and nothing of it is known here.
    const { session: after, seq } = error.other;
    book.note(error.other);
    this.#unsettled.set(after.id, { before: null, after, seq, orders: [] });
    surprises.doubtful(after.id);
  }

  #took(sessionId: SessionId, { stored, feed, written, known, anew, orders }: Replayed): void {
    const { book, metrics, log, onReplayed, surprises } = this.#ports;
    onReplayed(feed);
    for (const [result, count] of Object.entries({ written, known, anew }))
      for (let n = 0; n < count; n += 1) metrics.count('hamrahi_journal_replayed_total', { result });
    if (anew === 0) return;
    const isNews = !this.#diverged.has(sessionId);
    this.#diverged.add(sessionId);
    log.error('A session went on elsewhere while the database was away; it was decided anew.', {
      code: 'ERR_JOURNAL_DIVERGED',
      sessionId,
      entries: anew,
    });
    const unsettled = this.#unsettled.get(sessionId);
    const before = unsettled?.before ?? book.get(sessionId)?.session ?? null;
    book.replace(stored);
    this.#unsettled.set(sessionId, {
      before,
      after: stored.session,
      seq: stored.seq,
      orders: [...(unsettled?.orders ?? []), ...orders],
    });
    if (isNews) surprises.doubtful(sessionId);
  }

  /** The store's timers of what was decided anew, and then the engine: what this node dialled for it may be a stray now. */
  async #settle(): Promise<void> {
    const { book, desk, store, surprises } = this.#ports;
    if (this.#unsettled.size === 0) return;
    // What was decided meanwhile on what it was thought to be comes to it first: its legs are no strays.
    const pending = new Set(desk.entries().map(({ write }) => write.after.id));
    const settling = [...this.#unsettled].filter(([id]) => !pending.has(id));
    if (settling.length === 0) return;
    book.timers.replace(
      settling.map(([id]) => id),
      await store.timers(null, MAX_TIMERS),
    );
    for (const [id, diverged] of settling) {
      this.#unsettled.delete(id);
      surprises.diverged(diverged);
    }
  }
}

/** Waits for all of them, then throws the first failure. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
