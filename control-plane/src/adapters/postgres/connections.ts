/**
 * Bounded pools of one database. One is the way of an SOS: pipelined, its statements prepared, and nobody else can use
 * it up. Everything else goes through knex, over another (knex-connections.ts).
 */
import { Pool } from 'pg';
import type { Log } from '../../ports/log.ts';

export interface Deadlines {
  /** For a free connection of the pool, and to open one. */
  readonly connectMs: number;
  /** For a lock that another transaction holds. */
  readonly lockMs: number;
  readonly statementMs: number;
  /** Between two statements of a transaction. When a node dies without a word, its locks are gone after this. */
  readonly idleInTransactionMs: number;
  /** For an answer, by our own clock: a server or network that says nothing at all. */
  readonly answerMs: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  connectMs: 2000,
  lockMs: 2000,
  statementMs: 5000,
  idleInTransactionMs: 2000,
  answerMs: 6000,
};

export function openPool(url: string, poolSize: number, deadlines: Deadlines, log: Log): Pool {
  // What is open stays open: an SOS does not wait for a handshake because it was quiet for a while.
  const pool = new Pool({
    ...settingsOf(url, deadlines),
    pipeline: true,
    max: poolSize,
    idleTimeoutMillis: 0,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => log.warn('an idle database connection was lost'));
  return pool;
}

function settingsOf(url: string, deadlines: Deadlines) {
  return {
    connectionString: url,
    application_name: 'hamrahi',
    connectionTimeoutMillis: deadlines.connectMs,
    lock_timeout: deadlines.lockMs,
    statement_timeout: deadlines.statementMs,
    idle_in_transaction_session_timeout: deadlines.idleInTransactionMs,
    query_timeout: deadlines.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}
