/** Looks into Asterisk all the time: how many channels of one kind a session has at once. */
import type { AsteriskWitness } from '../support/asterisk-witness.ts';

const EVERY_MS = 250;
const CHANNEL = /^([0-9a-f-]{36})\.(citizen-phone|operator-phone)\.(\d+)$/;

export class ChannelWatch {
  readonly #witness: AsteriskWitness;
  readonly #timer: NodeJS.Timeout;
  #busy = false;
  looks = 0;
  /** What was found twice, such as `<session>.citizen-phone`. */
  readonly doubles = new Set<string>();

  constructor(witness: AsteriskWitness) {
    this.#witness = witness;
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const channels = await this.#witness.channels();
      this.looks += 1;
      const found = new Set<string>();
      for (const { id } of channels) {
        const match = CHANNEL.exec(id);
        // Of operators' phones the next may be dialled while the last goes down: they are different people.
        if (match?.[2] !== 'citizen-phone') continue;
        const whose = `${match[1] ?? ''}.citizen-phone`;
        if (found.has(whose)) this.doubles.add(whose);
        found.add(whose);
      }
    } catch {
      // Asterisk is away.
    } finally {
      this.#busy = false;
    }
  }
}
