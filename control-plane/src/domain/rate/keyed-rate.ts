/** A rate with a burst for each of many: who presses too often is told so, and nobody else notices. */
import { TokenBucket } from './token-bucket.ts';

/** Beyond so many, whoever has been quiet for longest is forgotten. */
const MAX_KEPT = 20_000;

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class KeyedRate {
  readonly #rate: Rate;
  /** Who was counted last is the last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Counts one of `key`; `false`: it is one too many. */
  take(key: string, now: number): boolean {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(perSecond, burst, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const quietest = this.#buckets.keys().next();
    if (this.#buckets.size > MAX_KEPT && !quietest.done) this.#buckets.delete(quietest.value);
    return bucket.take(now);
  }

  get size(): number {
    return this.#buckets.size;
  }
}
