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
  const profile = (await trx.from('citizens').where({ id: citizenId }).delete()) > 0;
  await trx.from('idempotency_keys').where({ citizen_id: citizenId }).delete();
  const detail = { citizenId, by, rows: gone.rows, sessions: gone.sessions, profile: profile ? 1 : 0 };
  const record = await writeAuditRecord(trx, 'erasure', detail, at);
  return { ok: true, record, ...gone, profile };
}

const DROP_PERSONAL_SQL = `
DELETE FROM session_personal WHERE (session_id, seq) IN (
  SELECT p.session_id, p.seq FROM session_personal p JOIN sessions s ON s.id = p.session_id
  WHERE s.ended_at < ?::timestamptz LIMIT ?)`;

/** One step; the entry of a run pardons everything before `before`, so its first step writes it. */
export async function dropPersonalStep(
  trx: Knex.Transaction,
  before: Instant,
  now: Instant,
  limit: number,
  isFirst: boolean,
): Promise<number> {
  const { rowCount } = await trx.raw<{ rowCount: number }>(DROP_PERSONAL_SQL, [timestampText(before), limit]);
  if (isFirst && rowCount > 0)
    await writeAuditRecord(trx, 'retention', { what: 'personal', endedBefore: microsecondsOf(before) }, now);
  return rowCount;
}

const CHOOSE_SQL = `
UPDATE sessions SET events_dropped_at = ?::timestamptz WHERE id IN (
  SELECT id FROM sessions
  WHERE ended_at < ?::timestamptz AND events_dropped_at IS NULL AND judged_at IS NOT NULL AND sealed_at IS NOT NULL
  ORDER BY ended_at LIMIT ?)
RETURNING id`;

/** Whole sessions alone: what is left of a chain could not be checked. */
export async function dropEventsStep(
  trx: Knex.Transaction,
  before: Instant,
  now: Instant,
  limit: number,
  isFirst: boolean,
): Promise<number> {
  const values = [timestampText(now), timestampText(before), limit];
  const { rows } = await trx.raw<{ rows: { id: string }[] }>(CHOOSE_SQL, values);
  if (rows.length === 0) return 0;
  const ids = rows.map((row) => row.id);
  await trx.from('session_personal').whereIn('session_id', ids).delete();
  await trx.from('session_events').whereIn('session_id', ids).delete();
  if (isFirst)
    await writeAuditRecord(trx, 'retention', { what: 'events', endedBefore: microsecondsOf(before) }, now);
  return ids.length;
}

/** Milestones and verdicts of old sessions, one step of each. */
export const DROP_LEDGER_SQL = ['milestones', 'verdicts'].map(
  (table) => `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT t.ctid FROM ${table} t JOIN sessions s ON s.id = t.session_id
    WHERE s.ended_at < ?::timestamptz LIMIT ?))`,
);
