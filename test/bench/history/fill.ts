/**
 * Years of sessions in minutes: a few real ones, copied by SQL with ids, times, zones and operators of their own. Chains
 * are computed anew, as they have to be: what stands there afterwards passes `hamrahi audit verify`.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import type { Database } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import { Books } from '../../../control-plane/src/app/books.ts';
import type { OperatorId, SessionId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';
import { templates } from './template.ts';

export const ZONES = 30;
export const OPERATORS = 200;
/** The sessions are spread over so many days before now. */
export const DAYS = 730;
/** A zone in which next to nothing ever happened. */
export const QUIET_ZONE = 'quiet' as ZoneId;
const QUIET_EVERY = 100_000;
const CITIZENS = 300_000;
const BATCH = 20_000;

/** Fills an empty, migrated database. */
export async function fillHistory(
  database: Database,
  sql: Client,
  sessions: number,
  say: (line: string) => void,
): Promise<void> {
  await fillDirectory(database);
  await writeTemplates(database, sql);
  await sql.query(CHAIN_SQL);
  for (const statement of HURRY_SQL) await sql.query(statement);
  for (let from = 0; from < sessions; from += BATCH) {
    const to = Math.min(sessions, from + BATCH);
    await sql.query('BEGIN');
    await sql.query(planSql(from, to, sessions));
    for (const statement of COPIES) await sql.query(statement);
    await sql.query('DROP TABLE plan');
    await sql.query('COMMIT');
    if (to % (5 * BATCH) === 0 || to === sessions) say(`${to} of ${sessions} sessions`);
  }
  for (const statement of AS_BEFORE_SQL) await sql.query(statement);
  await removeTemplates(sql);
  await sql.query('VACUUM (ANALYZE)');
}

/** While it is filled it may be lost, and references are not looked up: every row is copied whole. */
const HURRY_SQL = [
  'ALTER SYSTEM SET fsync = off',
  'ALTER SYSTEM SET full_page_writes = off',
  "ALTER SYSTEM SET max_wal_size = '4GB'",
  'SELECT pg_reload_conf()',
  'SET session_replication_role = replica',
];
const AS_BEFORE_SQL = ['ALTER SYSTEM RESET ALL', 'SELECT pg_reload_conf()', 'RESET session_replication_role'];

async function fillDirectory({ directory }: Database): Promise<void> {
  for (let n = 0; n < ZONES; n += 1)
    await directory.putZone({ id: `zone${n}` as ZoneId, name: `Zone ${n}`, polygon: square(n) });
  await directory.putZone({ id: QUIET_ZONE, name: 'Quiet', polygon: null });
  for (let n = 0; n < OPERATORS; n += 1) {
    const id = `operator${n}` as OperatorId;
    await directory.putOperator({ id, name: id, dutyPhone: null, capacity: 3, active: true });
  }
}

/** A degree wide and high. */
function square(n: number): [number, number][][] {
  const west = 60 + n;
  return [
    [
      [west, 10],
      [west + 1, 10],
      [west + 1, 11],
      [west, 11],
      [west, 10],
    ],
  ];
}

async function writeTemplates(database: Database, sql: Client): Promise<void> {
  await sql.query('CREATE TABLE template (id uuid PRIMARY KEY, from_percent integer, to_percent integer)');
  let from = 0;
  for (const { percent, write } of await templates()) {
    const id = randomUUID() as SessionId;
    const own = JSON.parse(JSON.stringify(write).replaceAll(write.after.id, id)) as typeof write;
    await database.store.transact((tx) => tx.apply(own));
    await sql.query('INSERT INTO template VALUES ($1, $2, $3)', [id, from, from + percent]);
    from += percent;
  }
  const { store, ledger } = database;
  await new Books({ store, ledger, clock: systemClock(), log: silentLog, metrics: silentMetrics }).settle();
}

async function removeTemplates(sql: Client): Promise<void> {
  for (const table of ['milestones', 'verdicts', 'legs', 'session_personal', 'session_events'])
    await sql.query(`DELETE FROM ${table} WHERE session_id IN (SELECT id FROM template)`);
  await sql.query('DELETE FROM sessions WHERE id IN (SELECT id FROM template)');
  await sql.query('DROP TABLE template');
  await sql.query('DROP AGGREGATE chain (bytea, text)');
  await sql.query('DROP FUNCTION chain_step (bytea, bytea, text)');
}

/** The chain of event-chain.ts: each hash is over the one before and the canonical text of the event. */
const CHAIN_SQL = `
CREATE FUNCTION chain_step(before bytea, genesis bytea, text text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT sha256(coalesce(before, genesis) || convert_to(text, 'UTF8')) $$;
CREATE AGGREGATE chain (bytea, text) (SFUNC = chain_step, STYPE = bytea)`;

/** Sessions `from` to before `to` of `all`: which template, when, where, who, and how fast it went. */
const planSql = (from: number, to: number, all: number): string => `
CREATE TEMPORARY TABLE plan AS
SELECT gen_random_uuid() AS id, t.id AS template, n.at - s.created_at AS shift, n.zone,
  'citizen' || floor(random() * ${CITIZENS})::integer AS citizen,
  'operator' || floor(random() * ${OPERATORS})::integer AS operator, CASE WHEN random() < 0.01 THEN 2 ELSE 0.3 + 0.7 * random() END AS pace
FROM (
  SELECT now() - interval '1 hour' - interval '1 day' * ${DAYS} * (1 - g / ${all}::float8) AS at,
    (g::bigint * 7919) % 100 AS dice,
    CASE WHEN g % ${QUIET_EVERY} = 0 THEN '${QUIET_ZONE}' WHEN g % 50 = 0 THEN NULL ELSE 'zone' || g % ${ZONES} END AS zone
  FROM generate_series(${from}, ${to - 1}) AS g
) n
JOIN template t ON n.dice >= t.from_percent AND n.dice < t.to_percent
JOIN sessions s ON s.id = t.id`;

const EVENT_TEXT = `replace(e.event::text, p.template::text, p.id::text)`;
const MICROS = `round(extract(epoch from e.at + p.shift) * 1000000)::bigint`;
const CHAINED_TEXT = `'[' || e.seq || ',"' || e.type || '",' || ${MICROS} || ',' || ${EVENT_TEXT} || ','
  || coalesce('"' || encode(e.personal_hash, 'hex') || '"', 'null') || ']'`;

const COPIES = [
  `CREATE TEMPORARY TABLE chained ON COMMIT DROP AS
   SELECT p.id, e.seq, e.type, e.at + p.shift AS at, ${EVENT_TEXT} AS event, e.personal_hash,
     chain(sha256(convert_to('hamrahi/session/' || p.id, 'UTF8')), ${CHAINED_TEXT})
       OVER (PARTITION BY p.id ORDER BY e.seq) AS hash
   FROM plan p JOIN session_events e ON e.session_id = p.template`,
  `INSERT INTO sessions (id, citizen_id, device_id, zone_id, phase, created_at, activated_at, operator_id,
     webrtc_session_id, degraded_reason, fallback_failed_at, fallback_initiated_at, fallback_call_reference,
     fallback_reason, ended_at, ended_by, resolved_at, changed_at, seq, chain_head, state, judged_at)
   SELECT p.id, p.citizen, s.device_id, p.zone, s.phase, s.created_at + p.shift, s.activated_at + p.shift, p.operator,
     replace(s.webrtc_session_id, p.template::text, p.id::text), s.degraded_reason, s.fallback_failed_at + p.shift,
     s.fallback_initiated_at + p.shift, s.fallback_call_reference, s.fallback_reason, s.ended_at + p.shift, s.ended_by,
     s.resolved_at + p.shift, s.changed_at + p.shift, s.seq, c.hash,
     replace(s.state::text, p.template::text, p.id::text)::jsonb, s.ended_at + p.shift
   FROM plan p JOIN sessions s ON s.id = p.template JOIN chained c ON c.id = p.id AND c.seq = s.seq`,
  `INSERT INTO session_events (session_id, seq, type, at, event, personal_hash, hash)
   SELECT id, seq, type, at, event::json, personal_hash, hash FROM chained ORDER BY id, seq`,
  `INSERT INTO session_personal (session_id, seq, salt, latitude, longitude, accuracy_m, claimed)
   SELECT p.id, e.seq, e.salt, e.latitude, e.longitude, e.accuracy_m, e.claimed
   FROM plan p JOIN session_personal e ON e.session_id = p.template`,
  `INSERT INTO legs (id, session_id, kind, attempt, party_role, party_id, dialed_at, answered_at, ended_at, outcome,
     sip_status, q850)
   SELECT replace(g.id, p.template::text, p.id::text), p.id, g.kind, g.attempt, g.party_role,
     CASE g.party_role WHEN 'citizen' THEN p.citizen ELSE p.operator END,
     g.dialed_at + p.shift, g.answered_at + p.shift, g.ended_at + p.shift, g.outcome, g.sip_status, g.q850
   FROM plan p JOIN legs g ON g.session_id = p.template`,
  `INSERT INTO milestones (session_id, seq, name, nth, at, ms)
   SELECT p.id, m.seq, m.name, m.nth, m.at + p.shift, round((m.ms * p.pace)::numeric, 2)::float8
   FROM plan p JOIN milestones m ON m.session_id = p.template`,
  `INSERT INTO verdicts (session_id, requirement, limit_ms, value_ms, ok, reason)
   SELECT p.id, v.requirement, v.limit_ms, round((v.value_ms * p.pace)::numeric, 2)::float8,
     CASE WHEN v.ok AND v.limit_ms IS NOT NULL AND v.value_ms IS NOT NULL THEN v.value_ms * p.pace <= v.limit_ms ELSE v.ok END,
     v.reason
   FROM plan p JOIN verdicts v ON v.session_id = p.template`,
];
