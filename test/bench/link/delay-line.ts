/** One direction of a link: what goes in comes out later, in order, and some of it never. */

export interface DelayLineOptions {
  readonly delayMs: number;
  /** Each packet takes up to so much longer. */
  readonly jitterMs: number;
  /** Share that is lost now, 0 to 1. */
  readonly loss: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export class DelayLine {
  readonly #options: DelayLineOptions;
  readonly #under: { readonly packet: Buffer; readonly at: number }[] = [];
  #lastAt = 0;

  constructor(options: DelayLineOptions) {
    this.#options = options;
  }

  take(packet: Buffer, now: number): void {
    const { delayMs, jitterMs, loss, random } = this.#options;
    if (random() < loss()) return;
    // never before the one in front of it
    this.#lastAt = Math.max(this.#lastAt, now + delayMs + jitterMs * random());
    this.#under.push({ packet, at: this.#lastAt });
  }

  /** What has arrived by now. */
  due(now: number): readonly Buffer[] {
    const waiting = this.#under.findIndex(({ at }) => at > now);
    const count = waiting === -1 ? this.#under.length : waiting;
    return this.#under.splice(0, count).map(({ packet }) => packet);
  }

  nextAt(): number | null {
    return this.#under[0]?.at ?? null;
  }
}
