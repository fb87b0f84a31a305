/** A password, key or token whose only string form is redacted: it cannot reach a log, a message or JSON by accident. */

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret in clear. Call it only where it leaves for whom it is meant. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}
