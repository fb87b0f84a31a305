/** Locks by name, held by a transaction until its end; whoever waits is served in the order of asking. */
import { StoreError } from '../../../control-plane/src/ports/session-store.ts';

interface Waiter {
  readonly owner: object;
  readonly grant: () => void;
}

interface Lock {
  owner: object;
  readonly waiters: Waiter[];
}

export class KeyedLocks {
  readonly #locks = new Map<string, Lock>();
  readonly #deadlineMs: number;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /** Resolves once `owner` holds `key`; at once when it does already. */
  async acquire(key: string, owner: object): Promise<void> {
    const lock = this.#locks.get(key);
    if (!lock) {
      this.#locks.set(key, { owner, waiters: [] });
      return;
    }
    if (lock.owner === owner) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        owner,
        grant: () => {
          clearTimeout(deadline);
          resolve();
        },
      };
      const deadline = setTimeout(() => {
        lock.waiters.splice(lock.waiters.indexOf(waiter), 1);
        reject(new StoreError('ERR_STORE_CONFLICT', 'a row stayed locked past the deadline'));
      }, this.#deadlineMs);
      lock.waiters.push(waiter);
    });
  }

  releaseAll(owner: object): void {
    for (const [key, lock] of this.#locks) {
      if (lock.owner !== owner) continue;
      const next = lock.waiters.shift();
      if (!next) {
        this.#locks.delete(key);
        continue;
      }
      lock.owner = next.owner;
      next.grant();
    }
  }
}
