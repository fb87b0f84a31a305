/** A pool that can be left behind for a fresh one: after a network has died, its idle connections may all be dead. */
import type { Pool, PoolClient } from 'pg';

/** Pools that wait for their last work; more of them at once would only be more connections. */
const MAX_LEFT = 3;

export class RenewablePool {
  readonly #open: () => Pool;
  #pool: Pool;
  readonly #left = new Set<Promise<void>>();

  constructor(open: () => Pool) {
    this.#open = open;
    this.#pool = open();
  }

  connect(): Promise<PoolClient> {
    return this.#pool.connect();
  }

  /** Work that runs ends on its connection, by its own deadlines. */
  renew(): void {
    const { idleCount, waitingCount } = this.#pool;
    // Nothing idle, nothing to doubt, unless somebody waits because all are in use.
    if (idleCount === 0 && waitingCount === 0) return;
    // A pool that is asked for over and over is not renewed without end.
    if (this.#left.size >= MAX_LEFT) return;
    const left = this.#pool;
    this.#pool = this.#open();
    const ended = left.end().catch(() => undefined);
    this.#left.add(ended);
    void ended.then(() => this.#left.delete(ended));
  }

  async end(): Promise<void> {
    await Promise.all([this.#pool.end(), ...this.#left]);
  }
}
