/**
 * One session's journal, written into the store in order. What the store has already (a commit whose answer was lost)
 * is recognised; what another node has moved on is decided anew from the state that the store holds.
 */
import type { SessionId } from '../../domain/ids.ts';
import type { PbxCommand } from '../../domain/session/command.ts';
import type { SessionEvent } from '../../domain/session/event.ts';
import type { JournalEntry } from '../../ports/journal.ts';
import type {
  FeedRow,
  SessionStore,
  SessionTx,
  StoredEvent,
  StoredSession,
} from '../../ports/session-store.ts';
import { decide } from '../decide.ts';
import { seqAfter } from './book-transaction.ts';

/** Events of one session that are compared: far more than any has. */
const MAX_EVENTS = 100_000;

export interface Replayed {
  /** The session as the store holds it now. */
  readonly stored: StoredSession;
  readonly feed: readonly FeedRow[];
  /** How many entries were written, were there already, and were decided anew. */
  readonly written: number;
  readonly known: number;
  readonly anew: number;
  readonly orders: readonly PbxCommand[];
}

/** These entries cannot be told to the store: people have to look. */
export class Unreplayable extends Error {
  readonly code: 'ERR_JOURNAL_CONFLICT' | 'ERR_JOURNAL_TOO_OLD';
  /** The session of hers that stands in its place. */
  readonly other: StoredSession | null;
  constructor(code: Unreplayable['code'], message: string, other: StoredSession | null = null) {
    super(message);
    this.name = 'Unreplayable';
    this.code = code;
    this.other = other;
  }
}

export interface ReplayOptions {
  /** An earlier part of this journal was decided anew, so that numbers agree only by chance. */
  readonly diverged: boolean;
  /** A session that the store does not know may be begun by this journal. */
  readonly mayBegin: boolean;
}

export function replaySession(
  store: SessionStore,
  sessionId: SessionId,
  entries: readonly JournalEntry[],
  options: ReplayOptions,
): Promise<Replayed> {
  return store.transact(async (tx) => {
    const replay = new SessionReplay(store, tx, sessionId, options);
    await replay.begin(entries);
    for (const entry of entries) await replay.take(entry);
    return replay.result();
  });
}

class SessionReplay {
  readonly #store: SessionStore;
  readonly #tx: SessionTx;
  readonly #sessionId: SessionId;
  readonly #mayBegin: boolean;
  #diverged: boolean;
  #stored: StoredSession | null = null;
  #events: readonly StoredEvent[] = [];
  readonly #feed: FeedRow[] = [];
  readonly #orders: PbxCommand[] = [];
  #written = 0;
  #known = 0;
  #anew = 0;

  constructor(
    store: SessionStore,
    tx: SessionTx,
    sessionId: SessionId,
    { diverged, mayBegin }: ReplayOptions,
  ) {
    this.#store = store;
    this.#tx = tx;
    this.#sessionId = sessionId;
    this.#diverged = diverged;
    this.#mayBegin = mayBegin;
  }

  async begin([first]: readonly JournalEntry[]): Promise<void> {
    if (!first) return;
    const { citizenId } = first.write.after;
    // What hangs in the database still, of the commit in doubt, holds this lock or the row's: it is over after this.
    if (first.baseSeq === null) await this.#tx.lockCitizen(citizenId);
    this.#stored = await this.#tx.load(this.#sessionId);
    if (this.#stored && this.#stored.seq > (first.baseSeq ?? 0))
      this.#events = await this.#store.events(this.#sessionId, MAX_EVENTS);
    if (this.#stored !== null || first.baseSeq !== null) return;
    if (!this.#mayBegin)
      throw new Unreplayable('ERR_JOURNAL_TOO_OLD', 'it began too long ago to come up again');
    const other = await this.#tx.findOpen(citizenId);
    if (other === null) return;
    const why = 'the citizen has another open session by now';
    throw new Unreplayable('ERR_JOURNAL_CONFLICT', why, other);
  }

  async take(entry: JournalEntry): Promise<void> {
    if (!this.#diverged) {
      if (this.#isNext(entry)) return this.#write(entry);
      if (this.#isThere(entry)) {
        this.#known += 1;
        return;
      }
      this.#diverged = true;
    }
    await this.#decideAnew(entry);
  }

  result(): Replayed {
    if (!this.#stored) throw new Error('a replay without entries');
    const [written, known, anew] = [this.#written, this.#known, this.#anew];
    return { stored: this.#stored, feed: this.#feed, orders: this.#orders, written, known, anew };
  }

  #isNext({ baseSeq }: JournalEntry): boolean {
    return (this.#stored?.seq ?? null) === baseSeq;
  }

  /** The store has exactly these events at their places. */
  #isThere(entry: JournalEntry): boolean {
    if (!this.#stored || this.#stored.seq < seqAfter(entry)) return false;
    return entry.write.events.every(({ event, at }, index) => {
      const there = this.#events[(entry.baseSeq ?? 0) + index];
      return there !== undefined && Math.abs(there.at - at) < 0.01 && isSame(there.event, event);
    });
  }

  async #write(entry: JournalEntry): Promise<void> {
    const { write, claim } = entry;
    if (claim)
      await this.#tx.claimIdempotencyKey(claim.citizenId, claim.key, claim.bodyHash, this.#sessionId);
    const { seq, feed } = await this.#tx.apply({ ...write, before: this.#stored });
    this.#stored = { session: write.after, seq };
    this.#feed.push(...feed);
    this.#written += 1;
  }

  async #decideAnew({ write }: JournalEntry): Promise<void> {
    const [first] = write.events;
    if (!this.#stored) throw new Unreplayable('ERR_JOURNAL_CONFLICT', 'the store does not have the session');
    if (!first) return;
    const found = { before: this.#stored, event: first.event, personal: first.personal };
    const decided = await decide(this.#tx, found, first.at);
    this.#anew += 1;
    if (!decided?.write) return;
    const { seq, feed } = await this.#tx.apply(decided.write);
    this.#stored = { session: decided.after, seq };
    this.#feed.push(...feed);
    this.#orders.push(...decided.orders);
  }
}

/** As JSON, keys in any order: one of them has been through a file or a database. */
function isSame(a: SessionEvent, b: SessionEvent): boolean {
  return ordered(a) === ordered(b);
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
