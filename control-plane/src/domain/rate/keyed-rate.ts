/** A rate with a burst for each of many: who presses too often is told so, and nobody else notices. */
import { TokenBucket } from './token-bucket.ts';

/** Beyond so many, whoever has been quiet for longest is forgotten. */
const MAX_KEPT = 20_000;
/** Of those who have been quiet for longest, so many are looked at with each count: more than can come. */
const LOOKS = 2;

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
    this.#forgetQuiet(now);
    return bucket.take(now);
  }

  /** Whatever was counted of `key` counts no more. */
  forget(key: string): void {
    this.#buckets.delete(key);
  }

  /** Who has been quiet until his bucket was full again is as good as somebody new. */
  #forgetQuiet(now: number): void {
    let looks = 0;
    for (const [key, bucket] of this.#buckets) {
      if (looks === LOOKS || this.#buckets.size === 1) return;
      if (!bucket.isFull(now) && this.#buckets.size <= MAX_KEPT) return;
      this.#buckets.delete(key);
      looks += 1;
    }
  }

  get size(): number {
    return this.#buckets.size;
  }
}
