/** Retention, erasure and verification of what the database holds. Deletions go in small steps: an SOS never waits for them. */
import type { Knex } from 'knex';
import type { CitizenId, Instant, SessionId } from '../../domain/ids.ts';
import type { ChainVerdict, RecordKeeping } from '../../ports/record-keeping.ts';
import { verifyChain } from './event-chain.ts';
import type { ChainRow } from './event-chain.ts';
import { guarded } from './guarded.ts';
import { IDEMPOTENCY_KEY_LIFE } from './idempotency-sql.ts';
import { instantSql, timestampText } from './instant.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';

const STEP_ROWS = 1000;
/** More events than any session can have. */
const MAX_CHAIN_EVENTS = 100_000;

export class PostgresRecordKeeping implements RecordKeeping {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  dropFeedBefore(at: Instant): Promise<number> {
    // From the low end only, so that what stays has no holes.
    const lowest = 'SELECT seq, at FROM feed ORDER BY seq LIMIT ?';
    return this.#inSteps(`DELETE FROM feed WHERE seq IN (SELECT seq FROM (${lowest}) f WHERE f.at < ?)`, [
      STEP_ROWS,
      timestampText(at),
    ]);
  }

  async dropExpired(now: Instant): Promise<number> {
    const nowText = timestampText(now);
    const tickets = await this.#inSteps(deleteSome('tickets', 'expires_at <= ?::timestamptz'), [
      nowText,
      STEP_ROWS,
    ]);
    const keys = await this.#inSteps(
      deleteSome('idempotency_keys', `claimed_at <= ?::timestamptz - interval '${IDEMPOTENCY_KEY_LIFE}'`),
      [nowText, STEP_ROWS],
    );
    const contacts = await this.#inSteps(
      deleteSome('contacts', `NOT online AND since <= ?::timestamptz - interval '1 day'`),
      [nowText, STEP_ROWS],
    );
    const revocations = await this.#inSteps(deleteSome('revocations', 'until <= ?::timestamptz'), [
      nowText,
      STEP_ROWS,
    ]);
    return tickets + keys + contacts + revocations;
  }

  erasePersonal(citizenId: CitizenId): Promise<number> {
    return this.#inSteps(
      `DELETE FROM session_personal WHERE (session_id, seq) IN (
        SELECT p.session_id, p.seq FROM session_personal p JOIN sessions s ON s.id = p.session_id
        WHERE s.citizen_id = ? AND NOT s.open LIMIT ?)`,
      [citizenId, STEP_ROWS],
    );
  }

  async verify(sessionId: SessionId): Promise<ChainVerdict | null> {
    // One snapshot for both statements: events that are being written meanwhile break nothing.
    return guarded(
      this.#knex.transaction(
        async (trx) => {
          const head = await trx
            .from('sessions')
            .select<{ seq: number; hash: Buffer }[]>(trx.raw('seq::float8 as seq, chain_head as hash'))
            .where({ id: sessionId })
            .first();
          if (!head) return null;
          const { rows } = await trx.raw<{ rows: ChainColumns[] }>(CHAIN_SQL, [sessionId, MAX_CHAIN_EVENTS]);
          return verifyChain(sessionId, rows.map(chainRow), head);
        },
        { isolationLevel: 'repeatable read', readOnly: true },
      ),
    );
  }

  async #inSteps(statement: string, values: readonly (string | number)[]): Promise<number> {
    let total = 0;
    for (;;) {
      const { rowCount } = await guarded(this.#knex.raw<{ rowCount: number }>(statement, values));
      total += rowCount;
      if (rowCount < STEP_ROWS) return total;
    }
  }
}

/** By ctid, locked, so that a row that has changed meanwhile is looked at again and not deleted for its place alone. */
const deleteSome = (table: string, condition: string) =>
  `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ? FOR UPDATE))`;

const CHAIN_SQL = `
SELECT e.seq::float8 AS seq, e.type, ${instantSql('e.at')} AS at, e.event, e.personal_hash, e.hash,
  p.salt, p.latitude, p.longitude, p.accuracy_m, p.claimed
FROM session_events e
LEFT JOIN session_personal p ON p.session_id = e.session_id AND p.seq = e.seq
WHERE e.session_id = ? ORDER BY e.seq LIMIT ?`;

interface ChainColumns extends PositionColumns {
  readonly seq: number;
  readonly type: string;
  readonly at: Instant;
  readonly event: unknown;
  readonly personal_hash: Buffer | null;
  readonly hash: Buffer;
  readonly salt: Buffer | null;
  readonly claimed: Readonly<Record<string, unknown>> | null;
}

function chainRow(row: ChainColumns): ChainRow {
  const { seq, type, at, event, personal_hash: personalHash, hash, salt, claimed } = row;
  const personal = salt && { salt, facts: { location: locationOf(row), claimed } };
  return { seq, type, at, event, personalHash, hash, personal };
}
