/** The statements of `PostgresDeliveryQueue`. Those that decide what is sent are fenced as a session's writes are. */

/**
 * One statement, and so one transaction. Not SKIP LOCKED: whoever passes over what another is just taking would tell of
 * a later change of a session before an earlier one. A second one waits here, and finds the rows gone. What lets a type
 * through is said by `filtersOf`.
 */
export const FAN_OUT_SQL = `
WITH fence AS MATERIALIZED (SELECT hold_lease(?, ?::bigint)),
taken AS (
  SELECT o.* FROM fence CROSS JOIN outbox o ORDER BY o.id LIMIT ? FOR UPDATE OF o
), messages AS MATERIALIZED (
  SELECT t.*, 'msg_' || gen_random_uuid() AS message_id FROM taken t
), endpoints AS (
  -- Kept out is only who deletes one.
  SELECT e.id, e.events FROM webhook_endpoints e WHERE e.enabled FOR KEY SHARE OF e
), made AS (
  INSERT INTO webhook_deliveries (endpoint_id, message_id, position, subject, subject_seq, type, at, data, state, untried, due_at)
  SELECT e.id, m.message_id, m.id, m.subject, m.subject_seq, m.type, m.at, m.data, 'pending', true, ?::timestamptz
  FROM messages m JOIN endpoints e ON e.events && ARRAY['*', split_part(m.type, '.', 1) || '.*', m.type]
), gone AS (
  DELETE FROM outbox WHERE id IN (SELECT t.id FROM taken t)
)
SELECT count(*)::integer AS taken FROM taken`;

/**
 * What a crash of the server forgets of claims and ends is begun again, under the same id. In the way of each delivery it
 * is not worth a wait for the disk, or for a synchronous standby.
 */
const NOT_ON_DISK = `set_config('synchronous_commit', 'off', true)`;

/** At the instant of the next value. */
const FREE = '(d.claimed_until IS NULL OR d.claimed_until <= ?::timestamptz)';
/** More than an endpoint ever has room for. */
const MOST = 64;
/**
 * Two limits for each endpoint: retries that hang leave first attempts their room, and the other way round. The inner
 * limits are constants, and what came earlier is looked for row by row: with a limit that it does not know, or with
 * NOT EXISTS, the planner reads all that waits, and one receiver with a hundred thousand messages behind it would make
 * every other one wait. By ctid, so that of two who pick the same row at once the second finds it changed, and passes
 * over it without looking for everything anew.
 */
export const CLAIM_SQL = `
UPDATE webhook_deliveries d SET claim = gen_random_uuid(), claimed_by = ?, claimed_until = ?::timestamptz
FROM webhook_endpoints e
WHERE d.ctid = ANY (ARRAY(
  WITH fence AS MATERIALIZED (SELECT hold_lease(?, ?::bigint), ${NOT_ON_DISK}),
  busy AS (SELECT * FROM unnest(?::uuid[], ?::integer[], ?::integer[]) AS b (endpoint_id, first, again)),
  room AS (
    SELECT e.id AS endpoint_id, greatest(0, ?::integer - coalesce(b.first, 0)) AS first,
      greatest(0, ?::integer - coalesce(b.again, 0)) AS again
    FROM fence CROSS JOIN webhook_endpoints e LEFT JOIN busy b ON b.endpoint_id = e.id
    WHERE e.enabled
  )
  SELECT picked.place FROM room r CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT d.ctid AS place FROM webhook_deliveries d
      WHERE d.endpoint_id = r.endpoint_id AND d.untried AND ${FREE} AND (
        SELECT true FROM webhook_deliveries earlier
        WHERE earlier.endpoint_id = d.endpoint_id AND earlier.subject = d.subject AND earlier.untried
          AND earlier.position < d.position LIMIT 1
      ) IS NULL
      ORDER BY d.position LIMIT ${MOST}
    ) most LIMIT r.first
  ) picked
  UNION ALL
  SELECT picked.place FROM room r CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT d.ctid AS place FROM webhook_deliveries d
      WHERE d.endpoint_id = r.endpoint_id AND d.state = 'pending' AND NOT d.untried AND d.due_at <= ?::timestamptz
        AND ${FREE}
      ORDER BY d.due_at LIMIT ${MOST}
    ) most LIMIT r.again
  ) picked
)) AND e.id = d.endpoint_id
RETURNING d.claim, d.endpoint_id AS webhook_id, e.url, e.secret,
  CASE WHEN e.previous_until > ?::timestamptz THEN e.previous_secret END AS previous_secret, d.message_id, d.type,
  d.subject, d.subject_seq::float8 AS sequence, d.position, (extract(epoch from d.at) * 1000)::float8 AS at, d.data,
  d.attempts, d.untried AS is_first`;

/** What is gone is disabled, unless it has another URL by now: that one did not say so. */
export const RECORD_SQL = `
WITH lax AS MATERIALIZED (SELECT ${NOT_ON_DISK}), r AS (
  SELECT * FROM lax CROSS JOIN unnest(?::uuid[], ?::text[], ?::uuid[], ?::text[], ?::timestamptz[], ?::timestamptz[], ?::integer[], ?::text[], ?::boolean[],
    ?::text[]) AS r (endpoint_id, message_id, claim, state, due_at, at, status, reason, is_gone, url)
), gone AS (
  UPDATE webhook_endpoints e SET enabled = false, disabled_because = 'gone', changed_at = r.at
  FROM r WHERE r.is_gone AND e.id = r.endpoint_id AND e.url = r.url AND e.enabled
)
UPDATE webhook_deliveries d SET state = r.state, untried = false, attempts = d.attempts + 1,
  due_at = coalesce(r.due_at, d.due_at), claim = NULL, claimed_by = NULL, claimed_until = NULL,
  last_attempt_at = r.at, last_status = r.status, last_reason = r.reason
FROM r WHERE d.endpoint_id = r.endpoint_id AND d.message_id = r.message_id AND d.claim = r.claim`;

const UNCLAIM = 'UPDATE webhook_deliveries SET claim = NULL, claimed_by = NULL, claimed_until = NULL';
/** In two steps, each along an index of what is pending: of what was delivered there may be millions. */
export const TAKE_OVER_SQLS: readonly string[] = [`untried`, `state = 'pending' AND NOT untried`].map(
  (which) => `${UNCLAIM} FROM (SELECT hold_lease(?, ?::bigint)) fence WHERE ${which} AND claimed_by <> ?`,
);
export const GIVE_BACK_SQLS: readonly string[] = [`untried`, `state = 'pending' AND NOT untried`].map(
  (which) => `${UNCLAIM} WHERE ${which} AND claimed_by = ?`,
);

/** Beyond this it is only known to be large. */
const COUNTED = 100_000;
const countOf = (what: string): string =>
  `(SELECT count(*)::float8 FROM (SELECT FROM ${what} LIMIT ${COUNTED}) counted)`;
export const BACKLOG_SQL = `
SELECT ${countOf('outbox')} AS outbox,
  ${countOf('webhook_deliveries WHERE untried')} AS untried,
  ${countOf(`webhook_deliveries WHERE state = 'pending' AND NOT untried`)} AS retrying,
  (SELECT (extract(epoch from min(at)) * 1000)::float8 FROM (
    SELECT first.at FROM webhook_endpoints e CROSS JOIN LATERAL (
      SELECT d.at FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.untried ORDER BY d.position LIMIT 1
    ) first WHERE e.enabled
    UNION ALL (SELECT at FROM outbox ORDER BY id LIMIT 1)
  ) oldest) AS oldest_at`;

const dropSql = (condition: string): string => `
DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM webhook_deliveries WHERE ${condition} AND claim IS NULL LIMIT ? FOR UPDATE SKIP LOCKED))`;
export const DROP_OVER_SQL = dropSql('state = ? AND last_attempt_at < ?::timestamptz');
/** Pending for so long: their endpoint is disabled. */
export const DROP_WAITING_SQLS: readonly string[] = [
  dropSql('untried AND due_at < ?::timestamptz'),
  dropSql(`state = 'pending' AND NOT untried AND due_at < ?::timestamptz`),
];
