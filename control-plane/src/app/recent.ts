/** What was read a moment ago: served while it is fresh, and later too when its source does not answer. */
import type { Clock } from '../ports/clock.ts';

interface Kept<Value> {
  readonly value: Value;
  readonly readAt: number;
}

export class Recent<Key, Value> {
  readonly #clock: Clock;
  readonly #freshMs: number;
  readonly #limit: number;
  /** Oldest first. */
  readonly #kept = new Map<Key, Kept<Value>>();

  constructor(clock: Clock, freshMs: number, limit: number) {
    this.#clock = clock;
    this.#freshMs = freshMs;
    this.#limit = limit;
  }

  /** Rejects only when `read` does and nothing was kept. `null` is never kept: what is absent may come any moment. */
  async get(key: Key, read: () => Promise<Value | null>): Promise<Value | null> {
    const kept = this.#kept.get(key);
    if (kept && this.#clock.now() - kept.readAt <= this.#freshMs) return kept.value;
    try {
      const value = await read();
      if (value === null) this.#kept.delete(key);
      else this.#keep(key, value);
      return value;
    } catch (error) {
      if (kept) return kept.value;
      throw error;
    }
  }

  forget(key: Key): void {
    this.#kept.delete(key);
  }

  #keep(key: Key, value: Value): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, readAt: this.#clock.now() });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > this.#limit && !oldest.done) this.#kept.delete(oldest.value);
  }
}
