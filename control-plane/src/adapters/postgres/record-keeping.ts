/** Retention, erasure and verification of what the database holds. Deletions go in small steps: an SOS never waits for them. */
import type { Knex } from 'knex';
import type { CitizenId, Instant, SessionId } from '../../domain/ids.ts';
import type { ChainVerdict, Erasure, RecordKeeping } from '../../ports/record-keeping.ts';
import { verifyChain } from '../../evidence/event-chain.ts';
import { readChains } from './chain-rows.ts';
import { dropEventsStep, dropLedgerStep, dropPersonalStep, eraseCitizen } from './erasure.ts';
import type { RetentionRun, RetentionStep } from './erasure.ts';
import { guarded } from './guarded.ts';
import { IDEMPOTENCY_KEY_LIFE } from './idempotency-sql.ts';
import { timestampText } from './instant.ts';

const STEP_ROWS = 1000;
const STEP_SESSIONS = 100;
const OPS_ALERTS_KEPT = '400 days';

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
    const alerts = await this.#inSteps(
      deleteSome('ops_alerts', `resolved_at <= ?::timestamptz - interval '${OPS_ALERTS_KEPT}'`),
      [nowText, STEP_ROWS],
    );
    return tickets + keys + contacts + revocations + alerts;
  }

  dropPersonalBefore(at: Instant, now: Instant): Promise<number> {
    return this.#retain(dropPersonalStep, { before: at, now, limit: STEP_ROWS });
  }

  dropEventsBefore(at: Instant, now: Instant): Promise<number> {
    return this.#retain(dropEventsStep, { before: at, now, limit: STEP_SESSIONS });
  }

  dropLedgerBefore(at: Instant, now: Instant): Promise<number> {
    return this.#retain(dropLedgerStep, { before: at, now, limit: STEP_SESSIONS });
  }

  erase(citizenId: CitizenId, by: string, at: Instant): Promise<Erasure> {
    return guarded(this.#knex.transaction((trx) => eraseCitizen(trx, citizenId, by, at)));
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
          const chains = await readChains(trx, [sessionId]);
          return verifyChain(sessionId, chains.get(sessionId) ?? [], head);
        },
        { isolationLevel: 'repeatable read', readOnly: true },
      ),
    );
  }

  async #retain(
    step: (trx: Knex.Transaction, run: RetentionRun) => Promise<RetentionStep>,
    run: Omit<RetentionRun, 'isFirst'>,
  ): Promise<number> {
    let total = 0;
    for (;;) {
      const isFirst = total === 0;
      const { sessions, deleted } = await guarded(
        this.#knex.transaction((trx) => step(trx, { ...run, isFirst })),
      );
      total += deleted;
      if (sessions < run.limit) return total;
    }
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
