/**
 * Work of one key, of which only so much may wait. What comes beyond gets the outcome of the last that does: somebody
 * with a stolen phone may press a thousand times a second, and fills neither memory nor the database's queue with it.
 */
const MAX_UNDER_WAY = 4;

interface Turns<T> {
  underWay: number;
  last: Promise<T>;
}

export class SharedTurns<T> {
  readonly #turns = new Map<string, Turns<T>>();

  /** `shared`: this work was not begun; the outcome is that of the newest that was. Rejects as the work does. */
  async run(key: string, work: () => Promise<T>): Promise<{ readonly outcome: T; readonly shared: boolean }> {
    const turns = this.#turns.get(key);
    if (turns && turns.underWay >= MAX_UNDER_WAY) return { outcome: await turns.last, shared: true };
    const last = work();
    const own = turns ?? { underWay: 0, last };
    own.underWay += 1;
    own.last = last;
    this.#turns.set(key, own);
    try {
      return { outcome: await last, shared: false };
    } finally {
      own.underWay -= 1;
      if (own.underWay === 0) this.#turns.delete(key);
    }
  }

  get size(): number {
    return this.#turns.size;
  }
}
