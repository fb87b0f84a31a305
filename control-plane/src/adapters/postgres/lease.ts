/** The lease as a row, kept over a connection of its own: no rush of sessions delays a renewal. */
import { Pool } from 'pg';
import type { QueryResultRow } from 'pg';
import type { Log } from '../../ports/log.ts';
import type { LeaseSight, LeaseStore } from '../../ports/lease.ts';
import { guarded } from './guarded.ts';

export const CORE_LEASE = 'core';

/** Shorter than whoever asks waits. */
const CONNECT_MS = 400;
const ANSWER_MS = 500;

const LOOK_SQL = `
SELECT l.epoch::float8 AS epoch, l.beat::float8 AS beat, l.holder,
  coalesce(l.holder = $2, false) AND NOT EXISTS (
    SELECT FROM pg_stat_activity a WHERE a.pid = l.backend_pid AND a.backend_start = l.backend_start
  ) AS "predecessorGone"
FROM leases l WHERE l.name = $1`;
const TAKE_SQL = 'SELECT take_lease($1, $2, $3::bigint, $4::bigint)::float8 AS epoch';
const RENEW_SQL = `
UPDATE leases SET beat = beat + 1, renewed_at = clock_timestamp(), backend_pid = pg_backend_pid(),
  backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())
WHERE name = $1 AND holder = $2 AND epoch = $3::bigint RETURNING true AS held`;
const GIVE_BACK_SQL = `
UPDATE leases SET holder = NULL, beat = beat + 1 WHERE name = $1 AND holder = $2 AND epoch = $3::bigint`;

export class PostgresLease implements LeaseStore {
  readonly #pool: Pool;
  readonly #node: string;
  readonly #lease: string;

  constructor(options: {
    readonly url: string;
    readonly node: string;
    readonly log: Log;
    readonly lease?: string;
  }) {
    this.#node = options.node;
    this.#lease = options.lease ?? CORE_LEASE;
    this.#pool = new Pool({
      connectionString: options.url,
      application_name: 'hamrahi-lease',
      max: 1,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      statement_timeout: ANSWER_MS,
      keepAlive: true,
      // A renewal that a crash of the server forgets does no harm.
      options: '-c synchronous_commit=off',
    });
    this.#pool.on('error', () => options.log.warn('the connection of the lease was lost'));
  }

  async look(): Promise<LeaseSight> {
    const [sight] = await this.#rows<LeaseSight>('lease-look', LOOK_SQL, [this.#lease, this.#node]);
    if (!sight) throw new Error(`the database knows no lease ${this.#lease}`);
    return sight;
  }

  async take({ epoch, beat }: LeaseSight): Promise<number | null> {
    const values = [this.#lease, this.#node, epoch, beat];
    const [taken] = await this.#rows<{ epoch: number | null }>('lease-take', TAKE_SQL, values);
    return taken?.epoch ?? null;
  }

  async renew(epoch: number): Promise<boolean> {
    const rows = await this.#rows('lease-renew', RENEW_SQL, [this.#lease, this.#node, epoch]);
    return rows.length > 0;
  }

  async giveBack(epoch: number): Promise<void> {
    await this.#rows('lease-give-back', GIVE_BACK_SQL, [this.#lease, this.#node, epoch]);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #rows<Row extends QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return (await guarded(this.#pool.query<Row>({ name, text, values }))).rows;
  }
}
