/** One transaction on one pooled connection: it commits what `work` did, or throws and has changed nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { commitErrorOf, SerialisationConflict, storeErrorOf } from './store-error.ts';

/** Runs a statement; statements are sent at once and performed in the order of the calls. Throws what `storeErrorOf` gives. */
export type RunStatement = <Row extends QueryResultRow>(
  statement: string | QueryConfig,
) => Promise<QueryResult<Row>>;

/** A pool of connections. */
export interface Connections {
  connect(): Promise<PoolClient>;
}

const MAX_RETRIES = 3;
/** Before the first retry; doubled for each further one. Who waited for us must get its lock before we ask for it again. */
const FIRST_BACKOFF_MS = 10;

/**
 * The COMMIT follows what `work` has sent, answered or not: a statement that fails undoes everything. `work` runs
 * again, at most 3 times, when the database undid it (SQLSTATE 40001, 40P01); it must be repeatable.
 */
export async function transact<T>(pool: Connections, work: (run: RunStatement) => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt(pool, work);
    } catch (error) {
      if (!(error instanceof SerialisationConflict) || retries === MAX_RETRIES) throw error;
    }
    await delay(FIRST_BACKOFF_MS * 2 ** retries);
  }
}

async function attempt<T>(pool: Connections, work: (run: RunStatement) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  const connection = new TransactionConnection(client);
  try {
    const result = await connection.whileConnected(work((statement) => connection.run(statement)));
    await connection.commit();
    return result;
  } catch (error) {
    await connection.rollBack();
    throw error;
  } finally {
    connection.release();
  }
}

async function connect(pool: Connections): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw storeErrorOf(error);
  }
}

class TransactionConnection {
  readonly #client: PoolClient;
  readonly #lost: Promise<never>;
  #begun: Promise<unknown> | null = null;
  /** The first failure. A connection that has one is not used again: what it has prepared is then uncertain. */
  #failure: Error | null = null;
  #over = false;
  readonly #onError: (error: Error) => void;

  constructor(client: PoolClient) {
    this.#client = client;
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    this.#lost = lost.promise;
    this.#onError = (error) => {
      lost.reject(this.#fail(storeErrorOf(error)));
    };
    client.on('error', this.#onError);
  }

  /** The result of the work, unless the connection is lost first: work that waits for anything else must not hold it. */
  whileConnected<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#lost]);
  }

  async run<Row extends QueryResultRow>(statement: string | QueryConfig): Promise<QueryResult<Row>> {
    if (this.#over) throw new Error('the transaction is over');
    // BEGIN travels with the first statement: no round trip of its own.
    this.#begun ??= this.#send('BEGIN').catch(() => undefined);
    return this.#send<Row>(statement);
  }

  async commit(): Promise<void> {
    this.#over = true;
    if (!this.#begun) return;
    // Work that passed over a failed statement must not believe that it was written.
    if (this.#failure) throw this.#failure;
    let command: string;
    try {
      ({ command } = await this.#client.query('COMMIT'));
    } catch (error) {
      const outcome = commitErrorOf(error);
      this.#fail(outcome);
      throw outcome;
    }
    // A statement that travelled with it failed, and nothing was committed: its reason says whether to try again.
    if (command !== 'COMMIT') throw this.#firstFailure();
  }

  async rollBack(): Promise<void> {
    this.#over = true;
    if (!this.#begun || this.#failure) return;
    await this.#send('ROLLBACK').catch(() => undefined);
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(this.#failure !== null);
  }

  async #send<Row extends QueryResultRow>(statement: string | QueryConfig): Promise<QueryResult<Row>> {
    try {
      return await this.#client.query<Row>(statement);
    } catch (error) {
      throw this.#fail(storeErrorOf(error));
    }
  }

  #firstFailure(): Error {
    return this.#failure ?? this.#fail(new Error('the transaction was undone'));
  }

  /** The first failure: what fails after it fails because of it, and may be looked at before it. */
  #fail(error: Error): Error {
    this.#failure ??= error;
    return this.#failure;
  }
}
