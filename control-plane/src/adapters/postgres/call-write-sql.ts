/**
 * The statement of `prepareCallWrite`: one round trip, one snapshot, like a session's. On a state that is not the stored one
 * nothing is written, and the division by zero undoes the transaction: the COMMIT may already be on its way. So does
 * `hold_lease` when the lease is somebody else's by now.
 */
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
  ON CONFLICT (id) DO UPDATE SET
    ringing_at = coalesce(l.ringing_at, excluded.ringing_at), progress_at = coalesce(l.progress_at, excluded.progress_at),
    answered_at = coalesce(l.answered_at, excluded.answered_at),
    carrier_call_id = coalesce(l.carrier_call_id, excluded.carrier_call_id),
    trunk = CASE WHEN l.answered_at IS NULL THEN coalesce(excluded.trunk, l.trunk) ELSE l.trunk END,
    ended_at = coalesce(l.ended_at, excluded.ended_at), outcome = coalesce(l.outcome, excluded.outcome),
    sip_status = CASE WHEN l.ended_at IS NULL THEN excluded.sip_status ELSE l.sip_status END,
    q850 = CASE WHEN l.ended_at IS NULL THEN excluded.q850 ELSE l.q850 END
), try_rows AS (
  INSERT INTO leg_tries AS t (leg_id, try, trunk, dialed_at, carrier_call_id, ended_at, outcome, sip_status, q850)
  SELECT n.leg_id, n.try, coalesce(n.trunk, ''), n.dialed_at, n.carrier_call_id, n.ended_at, n.outcome, n.sip_status, n.q850
  FROM unnest($37::text[], $38::integer[], $39::text[], $40::timestamptz[], $41::text[], $42::timestamptz[], $43::text[],
    $44::integer[], $45::integer[])
    AS n (leg_id, try, trunk, dialed_at, carrier_call_id, ended_at, outcome, sip_status, q850)
  ON CONFLICT (leg_id, try) DO UPDATE SET
    trunk = CASE WHEN t.trunk = '' THEN excluded.trunk ELSE t.trunk END,
    dialed_at = coalesce(t.dialed_at, excluded.dialed_at),
    carrier_call_id = coalesce(t.carrier_call_id, excluded.carrier_call_id),
    ended_at = coalesce(t.ended_at, excluded.ended_at), outcome = coalesce(t.outcome, excluded.outcome),
    sip_status = CASE WHEN t.ended_at IS NULL THEN excluded.sip_status ELSE t.sip_status END,
    q850 = CASE WHEN t.ended_at IS NULL THEN excluded.q850 ELSE t.q850 END
), outbox_rows AS (
  INSERT INTO outbox (subject, subject_seq, type, at, data)
  SELECT $4, $13::bigint, o.type, o.at, o.data::json
  FROM unnest($46::text[], $47::timestamptz[], $48::text[]) WITH ORDINALITY AS o (type, at, data, place)
  ORDER BY o.place
)
SELECT 1 / (SELECT count(*) FROM written) AS written FROM fence`;
