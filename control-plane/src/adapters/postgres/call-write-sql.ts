/**
 * The statement of `prepareCallWrite`: one round trip, one snapshot, like a session's. On a state that is not the stored one
 * nothing is written, and the division by zero undoes the transaction: the COMMIT may already be on its way. So does
 * `hold_lease` when the lease is somebody else's by now.
 */
import { LEG_GOES_ON_SQL, outboxRowsSql, tryRowsSql } from './leg-write-sql.ts';

export const CALL_WRITE_SQL = `
WITH fence AS MATERIALIZED (
  SELECT hold_lease($1::text, $3::bigint)
), written AS (
  INSERT INTO calls AS c (
    id, created_by, purpose, state, reason, created_at, answered_at, ended_at, changed_at, seq, body, owner_node, owner_epoch)
  VALUES ($4::uuid, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, $11::timestamptz, $12::timestamptz, $13::bigint,
    $14::jsonb, $2, $3::bigint)
  ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, answered_at = excluded.answered_at, ended_at = excluded.ended_at,
    changed_at = excluded.changed_at, seq = excluded.seq, body = excluded.body, owner_node = excluded.owner_node,
    owner_epoch = excluded.owner_epoch
  WHERE c.seq = $13::bigint - 1
  RETURNING c.id
), personal_row AS (
  INSERT INTO call_personal (call_id, numbers, caller_id, metadata)
  SELECT $4::uuid, $15::text[], $16, $17::jsonb WHERE $15::text[] IS NOT NULL
), personal_added AS (
  UPDATE call_personal SET numbers = numbers || $18::text WHERE call_id = $4::uuid AND $18::text IS NOT NULL
), timers_set AS (
  INSERT INTO call_timers (call_id, timer, due_at)
  SELECT $4::uuid, t.timer, t.due_at FROM unnest($19::text[], $20::timestamptz[]) AS t (timer, due_at)
  ON CONFLICT (call_id, timer) DO UPDATE SET due_at = excluded.due_at
), timers_cleared AS (
  DELETE FROM call_timers WHERE call_id = $4::uuid
    AND (timer = ANY ($21::text[]) OR ($22::boolean AND NOT timer = ANY ($19::text[])))
), leg_rows AS (
  INSERT INTO call_legs AS l (id, call_id, kind, attempt, place, dialed_at, ringing_at, progress_at, answered_at, ended_at,
    outcome, sip_status, q850, carrier_call_id, trunk)
  SELECT n.id, $4::uuid, n.kind, n.attempt, coalesce(n.place, 0), coalesce(n.dialed_at, $12::timestamptz), n.ringing_at,
    n.progress_at, n.answered_at, n.ended_at, n.outcome, n.sip_status, n.q850, n.carrier_call_id, n.trunk
  FROM unnest($23::text[], $24::text[], $25::integer[], $26::integer[], $27::timestamptz[], $28::timestamptz[],
    $29::timestamptz[], $30::timestamptz[], $31::timestamptz[], $32::text[], $33::integer[], $34::integer[], $35::text[],
    $36::text[])
    AS n (id, kind, attempt, place, dialed_at, ringing_at, progress_at, answered_at, ended_at, outcome, sip_status, q850,
      carrier_call_id, trunk)
  ON CONFLICT (id) DO UPDATE SET${LEG_GOES_ON_SQL}
), try_rows AS (${tryRowsSql(37)}
), outbox_rows AS (${outboxRowsSql('$4', '$13', 46)}
)
SELECT 1 / (SELECT count(*) FROM written) AS written FROM fence`;
