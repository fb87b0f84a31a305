/**
 * What a failure of the database means to the app. A driver's error never goes further than this file: its message
 * and detail can quote values, and a value can be somebody's number.
 */
import { DatabaseError } from 'pg';
import { StoreError } from '../../ports/session-store.ts';

/** The database undid the transaction to resolve a conflict: running it again is right. */
export class SerialisationConflict extends StoreError {
  constructor(sqlState: string) {
    super('ERR_STORE_CONFLICT', `the database undid a transaction (${sqlState})`);
  }
}

/** A statement that is wrong in itself, or a rule of the schema broken: a bug of ours, or a directory's answer. */
export class StatementError extends Error {
  readonly sqlState: string;
  readonly constraint: string | null;
  constructor(sqlState: string, constraint: string | null, table: string | null) {
    const place = [table, constraint].filter((part) => part !== null).join(', ');
    super(`the database refused a statement (${sqlState}${place ? `: ${place}` : ''})`);
    this.name = 'StatementError';
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

/** Raised by `hold_lease` (migration 0004). */
const FENCED = 'ZH001';
const CONFLICTS = new Set(['40001', '40P01']);
/** lock_not_available: whoever holds the row kept it past our deadline. */
const LOCK_TIMEOUT = '55P03';
/** query_canceled: past statement_timeout. */
const STATEMENT_TIMEOUT = '57014';
/**
 * Connection exceptions, resources, operator intervention, system errors, idle transaction ended, read-only server; and
 * who is let in or may write (a password that was changed, a failover): the server's state, not the statement's.
 */
const UNAVAILABLE = /^(?:08|28|3D|53|57|58|XX)|^25P0[34]$|^(?:25006|40003|42501|55000)$/;

export function storeErrorOf(error: unknown): Error {
  if (error instanceof StoreError || error instanceof StatementError) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof DatabaseError) || error.code === undefined)
    return new StoreError('ERR_STORE_UNAVAILABLE', `the database is out of reach: ${reasonOf(error)}`);
  const { code } = error;
  if (code === FENCED) return new StoreError('ERR_STORE_FENCED', 'another node holds the lease');
  if (CONFLICTS.has(code)) return new SerialisationConflict(code);
  if (code === LOCK_TIMEOUT)
    return new StoreError('ERR_STORE_CONFLICT', 'a row stayed locked past the deadline');
  if (code === STATEMENT_TIMEOUT)
    return new StoreError('ERR_STORE_UNAVAILABLE', 'a statement ran past its deadline');
  if (UNAVAILABLE.test(code))
    return new StoreError('ERR_STORE_UNAVAILABLE', `the database cannot serve now (${code})`);
  return new StatementError(code, error.constraint ?? null, error.table ?? null);
}

/** A COMMIT that was sent: unless the server itself said that it failed, nobody knows. */
export function commitErrorOf(error: unknown): Error {
  const known = storeErrorOf(error);
  const isFenced = known instanceof StoreError && known.code === 'ERR_STORE_FENCED';
  const isAnswered = known instanceof SerialisationConflict || known instanceof StatementError || isFenced;
  if (isAnswered) return known;
  return new StoreError('ERR_STORE_UNKNOWN_OUTCOME', `the answer to a COMMIT was lost: ${known.message}`);
}

/** Socket and pool errors name hosts and deadlines, never values. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return code ?? error.message.split('\n', 1)[0]?.slice(0, 120) ?? error.name;
}
