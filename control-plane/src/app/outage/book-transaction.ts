/** A transaction on what this node holds in memory. Nothing of it is seen before `commit`. */
import type { CitizenId, Instant, SessionId, ZoneId } from '../../domain/ids.ts';
import type { FreeOperator } from '../../domain/routing/choose-operator.ts';
import type { Party } from '../../domain/session/leg.ts';
import type { JournalClaim, JournalEntry } from '../../ports/journal.ts';
import type { FeedRow, SessionTx, SessionWrite, StoredSession } from '../../ports/session-store.ts';
import type { DutyBook } from './duty-book.ts';
import { isOpen } from './session-book.ts';
import type { SessionBook } from './session-book.ts';

/** Keys claimed while the store is away: enough for any outage's activations that a memory has to tell apart. */
const MAX_CLAIMS = 100_000;

export interface ClaimedKeys {
  readonly kept: Map<string, JournalClaim & { readonly sessionId: SessionId }>;
}

export interface Books {
  readonly sessions: SessionBook;
  readonly duty: DutyBook;
  readonly claims: ClaimedKeys;
}

export class BookTransaction implements SessionTx {
  readonly #books: Books;
  readonly #entries: JournalEntry[] = [];
  #claim: JournalClaim | null = null;

  constructor(books: Books) {
    this.#books = books;
  }

  lockCitizen(): Promise<void> {
    return Promise.resolve();
  }

  findOpen(citizenId: CitizenId): Promise<StoredSession | null> {
    return Promise.resolve(this.#books.sessions.openOf(citizenId));
  }

  load(sessionId: SessionId): Promise<StoredSession | null> {
    return Promise.resolve(this.#books.sessions.get(sessionId));
  }

  dutyOperators(zoneId: ZoneId | null, at: Instant): Promise<readonly FreeOperator[]> {
    return Promise.resolve(this.#books.duty.operators(zoneId, at, this.#books.sessions));
  }

  waiting(zoneId: ZoneId | null, citizenId: CitizenId): Promise<number> {
    return Promise.resolve(this.#books.sessions.waiting(zoneId, citizenId));
  }

  dutyPhones(zoneId: ZoneId | null, at: Instant): Promise<readonly Party[]> {
    return Promise.resolve(this.#books.duty.phones(zoneId, at));
  }

  apply(write: SessionWrite): ReturnType<SessionTx['apply']> {
    const entry = entryOf(write, this.#claim);
    this.#claim = null;
    this.#entries.push(entry);
    return Promise.resolve({ seq: seqAfter(entry), feed: provisionalRows(write, this.#books.sessions) });
  }

  claimIdempotencyKey(
    citizenId: CitizenId,
    key: string,
    bodyHash: string,
    sessionId: SessionId,
  ): ReturnType<SessionTx['claimIdempotencyKey']> {
    const { kept } = this.#books.claims;
    const name = `${citizenId} ${key}`;
    const claimed = kept.get(name);
    if (claimed)
      return Promise.resolve({
        seen: claimed.bodyHash === bodyHash ? 'same' : 'other-body',
        sessionId: claimed.sessionId,
      });
    this.#claim = { citizenId, key, bodyHash };
    if (kept.size < MAX_CLAIMS) kept.set(name, { citizenId, key, bodyHash, sessionId });
    return Promise.resolve({ seen: 'fresh' });
  }

  /** Writes into the books what was applied, and returns it for the journal. */
  commit(): readonly JournalEntry[] {
    for (const entry of this.#entries) enterInto(this.#books.sessions, entry);
    return this.#entries;
  }
}

export function entryOf({ before, ...write }: SessionWrite, claim: JournalClaim | null): JournalEntry {
  return { write, baseSeq: before?.seq ?? null, claim };
}

/** Number of the session's last event after this entry. */
export function seqAfter({ baseSeq, write }: JournalEntry): number {
  return (baseSeq ?? 0) + write.events.length;
}

export function enterInto(book: SessionBook, entry: JournalEntry): void {
  const { after, events } = entry.write;
  for (const { personal } of events) if (personal?.location) book.noteLocation(after.id, personal.location);
  book.timers.note(after.id, entry.write, isOpen(after));
  book.note({ session: after, seq: seqAfter(entry) });
}

/** What panels are told at once. Without a number (0): the rows come again with theirs when the store is back. */
export function provisionalRows(write: SessionWrite, book: SessionBook): readonly FeedRow[] {
  const brought = write.events.findLast((one) => one.personal?.location)?.personal?.location;
  return write.feed.map(({ type, detail }) => ({
    seq: 0,
    sessionId: write.after.id,
    sessionSeq: (write.before?.seq ?? 0) + write.events.length,
    type,
    at: write.at,
    zoneId: write.after.zoneId,
    detail,
    session: write.after,
    location: brought ?? book.location(write.after.id),
  }));
}
