/**
 * Hands committed feed rows to listeners once and in order of their seq. Seq order is commit order, so when a number
 * is missing, its row is visible already (another node wrote it) or will never come (rolled back): one read tells.
 */
import type { Log } from '../ports/log.ts';
import type { FeedRow, SessionStore } from '../ports/session-store.ts';

const READ_LIMIT = 500;

export class FeedDispatcher {
  readonly #store: SessionStore;
  readonly #log: Log;
  readonly #listeners = new Set<(row: FeedRow) => void>();
  #last = 0;
  #reading: Promise<void> | null = null;
  #highest = 0;

  constructor(store: SessionStore, log: Log) {
    this.#store = store;
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
      this.#highest = Math.max(this.#highest, row.seq);
      if (this.#reading === null && row.seq === this.#last + 1) this.#deliver(row);
      else if (row.seq > this.#last) this.#catchUp();
    }
  }

  #deliver(row: FeedRow): void {
    this.#last = row.seq;
    for (const listener of this.#listeners) listener(row);
  }

  #catchUp(): void {
    if (this.#reading) return;
    this.#reading = this.#read()
      .catch((error: unknown) => {
        this.#log.error('The feed could not be read; it is read again with the next change.', {
          error: String(error),
        });
      })
      .finally(() => {
        this.#reading = null;
      });
  }

  async #read(): Promise<void> {
    while (this.#last < this.#highest) {
      const rows = await this.#store.feedAfter(this.#last, READ_LIMIT);
      if (rows.length === 0) return;
      for (const row of rows) if (row.seq > this.#last) this.#deliver(row);
    }
  }
}
