/** A telephone number whose only string form is redacted: it cannot reach a log, a message or JSON by accident. */

const E164 = /^\+[1-9]\d{6,14}$/;

export class PhoneNumber {
  readonly #e164: string;

  private constructor(e164: string) {
    this.#e164 = e164;
  }

  /** From E.164 with its plus sign (ITU-T E.164: at most 15 digits), or `null`. */
  static parse(text: string): PhoneNumber | null {
    return E164.test(text) ? new PhoneNumber(text) : null;
  }

  /** The number in clear. Call it only where it leaves for the engine or the database. */
  reveal(): string {
    return this.#e164;
  }

  equals(other: PhoneNumber): boolean {
    return this.#e164 === other.#e164;
  }

  /** `+91******3210`: enough for a human to recognise, not enough to call. */
  toString(): string {
    return `${this.#e164.slice(0, 3)}******${this.#e164.slice(-2)}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
