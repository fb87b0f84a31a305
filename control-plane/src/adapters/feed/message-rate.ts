/** How many messages one panel may send in a second. */
import type { Instant } from '../../domain/ids.ts';

export class MessageRate {
  readonly #perSecond: number;
  #secondFrom = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts one; false when it is one too many in this second. */
  take(now: Instant): boolean {
    if (now - this.#secondFrom >= 1000 || now < this.#secondFrom) {
      this.#secondFrom = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#perSecond;
  }
}
