/**
 * Hands committed feed rows to listeners once and in order of their seq. A number that is missing may belong to a
 * transaction that still runs, to another node, or to nobody (rolled back). The store shows a row only when no lower
 * one can appear any more, so the rows behind a gap are read from there, again and again until they show.
 */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FeedRow, SessionStore } from '../ports/session-store.ts';

const READ_LIMIT = 500;
/** A transaction in the way lasts milliseconds. */
const READ_AGAIN_MS = 2;
/** After a failure. */
const READ_FAILED_MS = 1000;

export class FeedDispatcher {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(row: FeedRow) => void>();
  #last = 0;
  #isReading = false;
  #highest = 0;

  constructor(store: SessionStore, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#last = await this.#store.feedHead();
    this.#highest = this.#last;
  }

  /** The last seq that listeners have been told. */
  get last(): number {
    return this.#last;
  }

  subscribe(listener: (row: FeedRow) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  committed(rows: readonly FeedRow[]): void {
    for (const row of rows) {
      // Not numbered: told at once, and again when it has its number.
      if (row.seq === 0) {
        for (const listener of this.#listeners) listener(row);
        continue;
      }
      this.#highest = Math.max(this.#highest, row.seq);
      if (!this.#isReading && row.seq === this.#last + 1) this.#deliver(row);
      else if (row.seq > this.#last) this.#catchUp();
    }
  }

  /** Rows may have been committed that nobody reported. */
  async catchUpToHead(): Promise<void> {
    this.#highest = Math.max(this.#highest, await this.#store.feedHead());
    if (this.#last < this.#highest) this.#catchUp();
  }

  #deliver(row: FeedRow): void {
    this.#last = row.seq;
    for (const listener of this.#listeners) listener(row);
  }

  #catchUp(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read().catch((error: unknown) => {
      this.#log.error('The feed could not be read; it is read again.', { error: String(error) });
      this.#clock.at((this.#clock.now() + READ_FAILED_MS) as Instant, () => {
        if (this.#last < this.#highest) this.#catchUp();
      });
    });
  }

  async #read(): Promise<void> {
    try {
      while (this.#last < this.#highest) {
        const rows = await this.#store.feedAfter(this.#last, READ_LIMIT);
        for (const row of rows) if (row.seq > this.#last) this.#deliver(row);
        if (rows.length === 0) await this.#pause(READ_AGAIN_MS);
      }
    } finally {
      // In the same turn as the last look at `#highest`: what commits next finds it either raised or free.
      this.#isReading = false;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.at((this.#clock.now() + ms) as Instant, resolve);
    });
  }
}
