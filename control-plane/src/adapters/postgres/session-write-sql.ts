/**
 * The statement of `prepareWrite`: one round trip, one snapshot. Its parameters are numbered in the order of the
 * values there. Rows come as arrays, so that the statement has one text and is prepared once per connection. On a
 * state that is not the stored one nothing is written, and the division by zero undoes the transaction: the COMMIT
 * may already be on its way. So does `hold_lease` (SQLSTATE ZH001) when the lease under which it is written is
 * somebody else's by now.
 */
import { feedGateSql } from './feed-order.ts';
import { LEG_GOES_ON_SQL, outboxRowsSql, tryRowsSql } from './leg-write-sql.ts';

export const SESSION_WRITE_SQL = `
WITH fence AS MATERIALIZED (
  SELECT hold_lease($55::text, $57::bigint)
), written AS (
  INSERT INTO sessions AS s (
    id, citizen_id, device_id, zone_id, phase, created_at, activated_at, operator_id, webrtc_session_id,
    degraded_reason, fallback_failed_at, fallback_initiated_at, fallback_call_reference, fallback_reason,
    ended_at, ended_by, resolved_at, changed_at, seq, chain_head, state, owner_node, owner_epoch, handed_to)
  VALUES ($1::uuid, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz, $8, $9,
    $10, $11::timestamptz, $12::timestamptz, $13, $14,
    $15::timestamptz, $16, $17::timestamptz, $18::timestamptz, $19::bigint, $20::bytea, $21::jsonb,
    $56, $57::bigint, $58)
  ON CONFLICT (id) DO UPDATE SET
    device_id = excluded.device_id, zone_id = excluded.zone_id, phase = excluded.phase,
    activated_at = excluded.activated_at, operator_id = excluded.operator_id,
    webrtc_session_id = coalesce(excluded.webrtc_session_id, s.webrtc_session_id),
    degraded_reason = excluded.degraded_reason,
    fallback_failed_at = excluded.fallback_failed_at, fallback_initiated_at = excluded.fallback_initiated_at,
    fallback_call_reference = excluded.fallback_call_reference, fallback_reason = excluded.fallback_reason,
    ended_at = excluded.ended_at, ended_by = excluded.ended_by, resolved_at = excluded.resolved_at,
    changed_at = excluded.changed_at, seq = excluded.seq, chain_head = excluded.chain_head, state = excluded.state,
    owner_node = excluded.owner_node, owner_epoch = excluded.owner_epoch,
    handed_to = excluded.handed_to,
    sealed_at = NULL
  WHERE s.seq = $22::bigint
  RETURNING s.id
), event_rows AS (
  INSERT INTO session_events (session_id, seq, type, at, event, personal_hash, hash)
  SELECT $1::uuid, e.seq, e.type, e.at, e.event::json, e.personal_hash, e.hash
  FROM unnest($23::bigint[], $24::text[], $25::timestamptz[], $26::text[], $27::bytea[], $28::bytea[])
    AS e (seq, type, at, event, personal_hash, hash)
), personal_rows AS (
  INSERT INTO session_personal (session_id, seq, salt, latitude, longitude, accuracy_m, claimed)
  SELECT $1::uuid, p.seq, p.salt, p.latitude, p.longitude, p.accuracy_m, p.claimed::json
  FROM unnest($29::bigint[], $30::bytea[], $31::float8[], $32::float8[], $33::float8[], $34::text[])
    AS p (seq, salt, latitude, longitude, accuracy_m, claimed)
), timers_set AS (
  INSERT INTO timers (session_id, timer, due_at)
  SELECT $1::uuid, t.timer, t.due_at FROM unnest($35::text[], $36::timestamptz[]) AS t (timer, due_at)
  ON CONFLICT (session_id, timer) DO UPDATE SET due_at = excluded.due_at
), timers_cleared AS (
  DELETE FROM timers WHERE session_id = $1::uuid
    AND (timer = ANY ($37::text[]) OR ($38::boolean AND NOT timer = ANY ($35::text[])))
), leg_rows AS (
  INSERT INTO legs AS l (id, session_id, kind, attempt, party_role, party_id, dialed_at, ringing_at, progress_at,
    answered_at, ended_at, outcome, sip_status, q850, carrier_call_id, trunk)
  SELECT n.id, $1::uuid, n.kind, n.attempt, n.party_role, n.party_id, n.dialed_at, n.ringing_at, n.progress_at,
    n.answered_at, n.ended_at, n.outcome, n.sip_status, n.q850, n.carrier_call_id, n.trunk
  FROM unnest($39::text[], $40::text[], $41::integer[], $42::text[], $43::text[], $44::timestamptz[],
    $45::timestamptz[], $46::timestamptz[], $47::timestamptz[], $48::timestamptz[], $49::text[], $50::integer[],
    $51::integer[], $52::text[], $59::text[])
    AS n (id, kind, attempt, party_role, party_id, dialed_at, ringing_at, progress_at, answered_at, ended_at,
      outcome, sip_status, q850, carrier_call_id, trunk)
  ON CONFLICT (id) DO UPDATE SET
    party_role = coalesce(l.party_role, excluded.party_role), party_id = coalesce(l.party_id, excluded.party_id),
    dialed_at = coalesce(l.dialed_at, excluded.dialed_at),${LEG_GOES_ON_SQL}
), try_rows AS (${tryRowsSql(60)}
), outbox_rows AS (${outboxRowsSql('$1', '$19', 69)}
), ${feedGateSql('cardinality($53::text[]) > 0')}, feed_rows AS (
  INSERT INTO feed (seq, session_id, session_seq, type, at, zone_id, detail, session)
  SELECT nextval('feed_seq'), $1::uuid, $19::bigint, f.type, $18::timestamptz, $4, f.detail::json, $21::json
  FROM gate CROSS JOIN unnest($53::text[], $54::text[]) WITH ORDINALITY AS f (type, detail, place)
  ORDER BY f.place
  RETURNING seq
)
SELECT 1 / (SELECT count(*) FROM written) AS written,
  ARRAY(SELECT seq::float8 FROM feed_rows ORDER BY seq) AS feed_seqs,
  known.latitude, known.longitude, known.accuracy_m
FROM fence
LEFT JOIN LATERAL (
  SELECT p.latitude, p.longitude, p.accuracy_m FROM session_personal p
  WHERE p.session_id = $1::uuid AND p.latitude IS NOT NULL AND cardinality($53::text[]) > 0
  ORDER BY p.seq DESC LIMIT 1
) known ON true`;
