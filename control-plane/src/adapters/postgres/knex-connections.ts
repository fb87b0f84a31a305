/**
 * Knex over a pool that can be renewed. A pool of knex's own hands out a connection that has gone silent again and again,
 * as nobody tells it: after a network died without a word, every read would wait for its deadline until TCP itself
 * gives up, a quarter of an hour later. Here a connection on which anything but a plain refusal came is closed.
 */
import knexPackage from 'knex';
import type { Knex } from 'knex';
import { DatabaseError } from 'pg';
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import type { Log } from '../../ports/log.ts';
import { openPool } from './connections.ts';
import type { Deadlines } from './connections.ts';
import { RenewablePool } from './renewable-pool.ts';

export interface KnexConnections {
  readonly knex: Knex;
  /** As of `RenewablePool`. */
  renew(): void;
  end(): Promise<void>;
}

export function openKnex(url: string, poolSize: number, deadlines: Deadlines, log: Log): KnexConnections {
  const pool = new RenewablePool(() => openPool(url, poolSize, deadlines, log));
  const knex = knexPackage.knex({
    client: 'pg',
    connectionPool: lending(pool),
    debug: false,
    // An error's message would else quote the statement with its values.
    compileSqlOnError: false,
    log: quietLog(log),
  });
  return { knex, renew: () => pool.renew(), end: () => pool.end() };
}

/** In the form that knex asks of a pool; by the numbers, which it never reads, it knows what kind it has. */
function lending(pool: RenewablePool) {
  return {
    acquire: () => ({ promise: pool.connect().then((client) => new Lent(client)) }),
    release: (lent: Lent) => lent.giveBack(),
    destroy: () => pool.end(),
    numFree: () => 0,
    numUsed: () => 0,
    numPendingAcquires: () => 0,
  };
}

type Answer = (error: Error | null, result?: QueryResult) => void;

/** A connection while knex has it: what knex's dialect uses of one. */
class Lent {
  readonly #client: PoolClient;
  #isBroken = false;
  // Without a listener a connection that breaks while it is lent would end the process.
  readonly #onError = (): void => {
    this.#isBroken = true;
  };

  constructor(client: PoolClient) {
    this.#client = client;
    client.on('error', this.#onError);
  }

  query(statement: QueryConfig, answer: Answer): void {
    this.#client.query(statement, (error: Error | null, result) => {
      if (error && !(error instanceof DatabaseError)) this.#isBroken = true;
      answer(error, result);
    });
  }

  giveBack(): boolean {
    this.#client.off('error', this.#onError);
    this.#client.release(this.#isBroken);
    return true;
  }
}

/** knex may put statements and their values into its messages: that it spoke is all that we log. */
function quietLog(log: Log): Knex.Logger {
  return {
    warn: () => log.warn('knex warned'),
    error: () => log.warn('knex reported an error'),
    deprecate: (method: string, alternative: string) =>
      log.debug('knex deprecation', { method, alternative }),
    debug: () => undefined,
  };
}
