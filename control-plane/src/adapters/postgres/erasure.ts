/** Erasure and retention of what is personal or old. Each says in the log what is gone, in the same transaction. */
import type { Knex } from 'knex';
import { microsecondsOf } from '../../evidence/microseconds.ts';
import type { CitizenId, Instant } from '../../domain/ids.ts';
import type { Erasure } from '../../ports/record-keeping.ts';
import { writeAuditRecord } from './audit-record.ts';
import { timestampText } from './instant.ts';
import { LOCK_CITIZEN_SQL } from './session-transaction.ts';

const OPEN_SQL = 'SELECT 1 FROM sessions WHERE citizen_id = ? AND open';

const ERASE_SQL = `
WITH gone AS (
  DELETE FROM session_personal p USING sessions s WHERE s.id = p.session_id AND s.citizen_id = ?
  RETURNING p.session_id
)
SELECT count(*)::float8 AS rows, count(DISTINCT session_id)::float8 AS sessions FROM gone`;

/** Of calls that the backend asked for, those to her number; one that runs keeps it until retention. */
const ERASE_CALLS_SQL = `
DELETE FROM call_personal p USING citizens z, calls c
WHERE z.id = ? AND z.phone = ANY (p.numbers) AND c.id = p.call_id AND NOT c.open`;

/** Her activations wait for it, and it for them: nothing of hers begins while it is erased. */
export async function eraseCitizen(
  trx: Knex.Transaction,
  citizenId: CitizenId,
  by: string,
  at: Instant,
): Promise<Erasure> {
  await trx.raw(LOCK_CITIZEN_SQL.replace('$1', '?'), [citizenId]);
  const { rows: open } = await trx.raw<{ rows: object[] }>(OPEN_SQL, [citizenId]);
  if (open.length > 0) return { ok: false, code: 'ERR_RECORDS_SESSION_OPEN' };
  const { rows } = await trx.raw<{ rows: { rows: number; sessions: number }[] }>(ERASE_SQL, [citizenId]);
  const gone = rows[0] ?? { rows: 0, sessions: 0 };
  await trx.raw(ERASE_CALLS_SQL, [citizenId]);
  const profile = (await trx.from('citizens').where({ id: citizenId }).delete()) > 0;
  await trx.from('idempotency_keys').where({ citizen_id: citizenId }).delete();
  const detail = { citizenId, by, rows: gone.rows, sessions: gone.sessions, profile: profile ? 1 : 0 };
  const record = await writeAuditRecord(trx, 'erasure', detail, at);
  return { ok: true, record, ...gone, profile };
}

/** Sessions that one step looked at, and what it deleted; a run ends with the step that is not full. */
export interface RetentionStep {
  readonly sessions: number;
  readonly deleted: number;
}

const NOTHING_LEFT: RetentionStep = { sessions: 0, deleted: 0 };

/** Marks the oldest sessions that `still` have what is to go. The mark goes with the deletion, or neither is made. */
const chooseSql = (mark: string, still: string): string => `
UPDATE sessions SET ${mark} = ?::timestamptz WHERE id IN (
  SELECT id FROM sessions WHERE ended_at < ?::timestamptz AND ${mark} IS NULL${still} ORDER BY ended_at LIMIT ?)
RETURNING id`;

const CHOOSE_PERSONAL_SQL = chooseSql('personal_dropped_at', '');
const CHOOSE_LEDGER_SQL = chooseSql('ledger_dropped_at', ' AND judged_at IS NOT NULL');
const CHOOSE_EVENTS_SQL = chooseSql(
  'events_dropped_at',
  ' AND judged_at IS NOT NULL AND sealed_at IS NOT NULL',
);

async function chosen(
  trx: Knex.Transaction,
  statement: string,
  { before, now, limit }: RetentionRun,
): Promise<readonly string[]> {
  const values = [timestampText(now), timestampText(before), limit];
  const { rows } = await trx.raw<{ rows: { id: string }[] }>(statement, values);
  return rows.map((row) => row.id);
}

export interface RetentionRun {
  readonly before: Instant;
  readonly now: Instant;
  /** Sessions in one step. */
  readonly limit: number;
  /** Nothing was deleted yet: the entry of a run pardons everything before `before`, and is written with the first. */
  readonly isFirst: boolean;
}

export async function dropPersonalStep(trx: Knex.Transaction, run: RetentionRun): Promise<RetentionStep> {
  const ids = await chosen(trx, CHOOSE_PERSONAL_SQL, run);
  if (ids.length === 0) return NOTHING_LEFT;
  const deleted = await trx.from('session_personal').whereIn('session_id', ids).delete();
  if (run.isFirst && deleted > 0) await record(trx, 'personal', run);
  return { sessions: ids.length, deleted };
}

/** Whole sessions alone: what is left of a chain could not be checked. `deleted` counts sessions. */
export async function dropEventsStep(trx: Knex.Transaction, run: RetentionRun): Promise<RetentionStep> {
  const ids = await chosen(trx, CHOOSE_EVENTS_SQL, run);
  if (ids.length === 0) return NOTHING_LEFT;
  await trx.from('session_personal').whereIn('session_id', ids).delete();
  await trx.from('session_events').whereIn('session_id', ids).delete();
  if (run.isFirst) await record(trx, 'events', run);
  return { sessions: ids.length, deleted: ids.length };
}

/** Milestones and verdicts. */
export async function dropLedgerStep(trx: Knex.Transaction, run: RetentionRun): Promise<RetentionStep> {
  const ids = await chosen(trx, CHOOSE_LEDGER_SQL, run);
  if (ids.length === 0) return NOTHING_LEFT;
  const milestones = await trx.from('milestones').whereIn('session_id', ids).delete();
  const verdicts = await trx.from('verdicts').whereIn('session_id', ids).delete();
  return { sessions: ids.length, deleted: milestones + verdicts };
}

async function record(
  trx: Knex.Transaction,
  what: 'personal' | 'events',
  { before, now }: RetentionRun,
): Promise<void> {
  await writeAuditRecord(trx, 'retention', { what, endedBefore: microsecondsOf(before) }, now);
}
