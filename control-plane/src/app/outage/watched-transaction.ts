/**
 * A transaction of the store whose writes are remembered until its outcome is known: when that never comes, the very
 * same writes go to the journal. Once it is given up, nothing more is sent.
 */
import type { Instant, CitizenId, SessionId, ZoneId } from '../../domain/ids.ts';
import type { JournalClaim } from '../../ports/journal.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { SessionTx, SessionWrite } from '../../ports/session-store.ts';
import type { SessionBook } from './session-book.ts';

type Applied = Awaited<ReturnType<SessionTx['apply']>>;

/** One run of the work inside a transaction. */
export class Attempt {
  givenUp = false;
  /** What the work returned, once it did. */
  value: { readonly of: unknown } | null = null;
  writes: { readonly write: SessionWrite; readonly claim: JournalClaim | null }[] = [];
  #answers: PromiseWithResolvers<Applied>[] = [];
  #real: Promise<Applied>[] = [];

  /** The database undid it and runs it again. */
  begin(): void {
    if (this.givenUp) throw new StoreError('ERR_STORE_UNAVAILABLE', 'the transaction was given up');
    this.value = null;
    this.writes = [];
    this.#answers = [];
    this.#real = [];
  }

  add(write: SessionWrite, claim: JournalClaim | null, real: Promise<Applied>): Promise<Applied> {
    const answer = Promise.withResolvers<Applied>();
    answer.promise.catch(() => undefined);
    this.writes.push({ write, claim });
    this.#answers.push(answer);
    this.#real.push(real);
    real.catch((error: unknown) => {
      // Who waits for it inside the work must hear of it; who has returned is answered by the outcome.
      if (this.value === null) answer.reject(error);
    });
    return answer.promise;
  }

  /** It was committed: the store's answers are true. */
  async committed(): Promise<readonly Applied[]> {
    const applied = await Promise.all(this.#real);
    this.#answer(applied);
    return applied;
  }

  /** It was journaled instead. */
  journaled(applied: readonly Applied[]): void {
    this.#answer(applied);
  }

  failed(error: unknown): void {
    for (const answer of this.#answers) answer.reject(error);
  }

  #answer(applied: readonly Applied[]): void {
    for (const [index, answer] of this.#answers.entries()) {
      const one = applied[index];
      if (one) answer.resolve(one);
    }
  }
}

/** The store's row of this session is locked by somebody else, and memory knows more of it: it is decided there. */
export class HeldSession extends Error {
  readonly sessionId: SessionId;
  constructor(sessionId: SessionId) {
    super('the session is held back');
    this.name = 'HeldSession';
    this.sessionId = sessionId;
  }
}

export class WatchedTransaction implements SessionTx {
  readonly #tx: SessionTx;
  readonly #attempt: Attempt;
  readonly #book: SessionBook;
  readonly #held: ReadonlySet<SessionId>;
  #claim: JournalClaim | null = null;

  constructor(tx: SessionTx, attempt: Attempt, book: SessionBook, held: ReadonlySet<SessionId>) {
    this.#tx = tx;
    this.#attempt = attempt;
    this.#book = book;
    this.#held = held;
  }

  lockCitizen(citizenId: CitizenId): Promise<void> {
    return this.#still().lockCitizen(citizenId);
  }

  async findOpen(citizenId: CitizenId): ReturnType<SessionTx['findOpen']> {
    const known = this.#book.openOf(citizenId)?.session.id;
    if (known !== undefined) this.#refuseHeld(known);
    return this.#noted(await this.#still().findOpen(citizenId));
  }

  async load(sessionId: SessionId): ReturnType<SessionTx['load']> {
    this.#refuseHeld(sessionId);
    return this.#noted(await this.#still().load(sessionId));
  }

  dutyOperators(zoneId: ZoneId | null, at: Instant): ReturnType<SessionTx['dutyOperators']> {
    return this.#still().dutyOperators(zoneId, at);
  }

  waiting(zoneId: ZoneId | null, citizenId: CitizenId): Promise<number> {
    return this.#still().waiting(zoneId, citizenId);
  }

  dutyPhones(zoneId: ZoneId | null, at: Instant): ReturnType<SessionTx['dutyPhones']> {
    return this.#still().dutyPhones(zoneId, at);
  }

  apply(write: SessionWrite): ReturnType<SessionTx['apply']> {
    const claim = this.#claim;
    this.#claim = null;
    return this.#attempt.add(write, claim, this.#still().apply(write));
  }

  async claimIdempotencyKey(
    citizenId: CitizenId,
    key: string,
    bodyHash: string,
    sessionId: SessionId,
  ): ReturnType<SessionTx['claimIdempotencyKey']> {
    const claimed = await this.#still().claimIdempotencyKey(citizenId, key, bodyHash, sessionId);
    if (claimed.seen === 'fresh') this.#claim = { citizenId, key, bodyHash };
    return claimed;
  }

  #refuseHeld(sessionId: SessionId): void {
    if (this.#held.has(sessionId)) throw new HeldSession(sessionId);
  }

  #still(): SessionTx {
    if (this.#attempt.givenUp) throw new StoreError('ERR_STORE_UNAVAILABLE', 'the transaction was given up');
    return this.#tx;
  }

  /** Another node may have moved it on. */
  #noted<Stored extends Awaited<ReturnType<SessionTx['load']>>>(stored: Stored): Stored {
    if (stored) this.#book.note(stored);
    return stored;
  }
}
