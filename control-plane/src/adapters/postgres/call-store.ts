/** Calls in PostgreSQL, over connections of their own: no call takes one from an SOS. */
import type { Knex } from 'knex';
import type { CallId, Instant } from '../../domain/ids.ts';
import type {
  CallFilter,
  CallRecord,
  CallRecordFilter,
  CallStore,
  CallTx,
  DueCallTimer,
  KnownCall,
  StoredCall,
} from '../../ports/call-store.ts';
import type { Fence } from '../../ports/lease.ts';
import { CallQueries } from './call-queries.ts';
import { readCallRecords } from './call-records.ts';
import { CallTransaction } from './call-transaction.ts';
import { guarded } from './guarded.ts';
import { IDEMPOTENCY_KEY_LIFE } from './idempotency-sql.ts';
import { timestampText } from './instant.ts';
import { transact } from './transact.ts';
import type { Connections } from './transact.ts';

const STEP_ROWS = 1000;

const DROP_PERSONAL_SQL = `
DELETE FROM call_personal WHERE call_id IN (
  SELECT c.id FROM calls c JOIN call_personal p ON p.call_id = c.id
  WHERE c.ended_at < CAST(:at AS timestamptz) ORDER BY c.ended_at LIMIT ${STEP_ROWS})`;
const DROP_KEYS_SQL = `
DELETE FROM call_keys WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM call_keys WHERE claimed_at <= CAST(:at AS timestamptz) - interval '${IDEMPOTENCY_KEY_LIFE}'
  LIMIT ${STEP_ROWS} FOR UPDATE))`;

export class PostgresCallStore implements CallStore {
  readonly #pool: Connections;
  readonly #knex: Knex;
  readonly #fence: () => Fence;
  readonly #watched: <T>(work: Promise<T>) => Promise<T>;
  readonly #queries: CallQueries;

  /** `watched` hears of transactions that are refused because the lease is another node's. */
  constructor(
    pool: Connections,
    knex: Knex,
    fence: () => Fence,
    watched: <T>(work: Promise<T>) => Promise<T>,
  ) {
    this.#pool = pool;
    this.#knex = knex;
    this.#fence = fence;
    this.#watched = watched;
    this.#queries = new CallQueries(knex);
  }

  transact<T>(work: (tx: CallTx) => Promise<T>): Promise<T> {
    return this.#watched(transact(this.#pool, (run) => work(new CallTransaction(run, this.#fence))));
  }

  find(callId: CallId): Promise<KnownCall | null> {
    return this.#queries.find(callId);
  }

  list(filter: CallFilter): Promise<readonly KnownCall[]> {
    return this.#queries.list(filter);
  }

  listUnfinished(limit: number): Promise<readonly StoredCall[]> {
    return this.#queries.listUnfinished(limit);
  }

  timers(limit: number): Promise<readonly DueCallTimer[]> {
    return this.#queries.timers(limit);
  }

  records(filter: CallRecordFilter): Promise<readonly CallRecord[]> {
    return readCallRecords(this.#knex, filter);
  }

  dropPersonalBefore(at: Instant): Promise<number> {
    return this.#inSteps(DROP_PERSONAL_SQL, at);
  }

  dropExpiredKeys(now: Instant): Promise<number> {
    return this.#inSteps(DROP_KEYS_SQL, now);
  }

  async #inSteps(statement: string, at: Instant): Promise<number> {
    let total = 0;
    for (;;) {
      const { rowCount } = await guarded(
        this.#knex.raw<{ rowCount: number }>(statement, { at: timestampText(at) }),
      );
      total += rowCount;
      if (rowCount < STEP_ROWS) return total;
    }
  }
}
