/** A rate with a burst: `take` says whether one more is within it. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** As it was when it was new. */
  isFull(now: number): boolean {
    return this.#tokensAt(now) === this.#burst;
  }

  /** Whether `take` would. */
  has(now: number): boolean {
    return this.#tokensAt(now) >= 1;
  }

  take(now: number): boolean {
    this.#tokens = this.#tokensAt(now);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #tokensAt(now: number): number {
    const refill = (Math.max(0, now - this.#at) / 1000) * this.#perSecond;
    return Math.min(this.#burst, this.#tokens + refill);
  }
}
