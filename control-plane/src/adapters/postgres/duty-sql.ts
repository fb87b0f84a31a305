/** Who is on duty, and who waits, in SQL. Of duties `$1` is the zone or null for every zone, `$2` the time. */
import { instantSql } from './instant.ts';

/** Largest number of operators considered for one zone, and of phones in one chain. */
const MAX_OPERATORS = 2000;
const MAX_OPERATOR_PHONES = 20;
const MAX_SUPERVISOR_PHONES = 5;

const onDuty = (duty: 'operator' | 'supervisor') => `r.duty = '${duty}'
    AND ($1::text IS NULL OR r.zone_id = $1::text)
    AND (r.valid_from IS NULL OR r.valid_from <= $2::timestamptz)
    AND (r.valid_until IS NULL OR $2::timestamptz < r.valid_until)`;

/**
 * Locks the capacity of the zone's operators, always in id order, so that two activations cannot lock each other out.
 * NO KEY: nobody but another assignment is kept waiting. It comes before the reading, in a statement of its own: what
 * a statement reads is as old as its beginning, and would miss what the holder of the lock has just assigned.
 */
export const LOCK_OPERATORS_SQL = `
SELECT o.id FROM operators o
WHERE o.active AND EXISTS (SELECT 1 FROM roster r WHERE r.operator_id = o.id AND ${onDuty('operator')})
ORDER BY o.id LIMIT ${MAX_OPERATORS} FOR NO KEY UPDATE OF o`;

/** Present: a panel on shift whose own SIP contact is registered; of several, the one that came last. */
export const DUTY_OPERATORS_SQL = `
SELECT o.id, o.capacity, duty.priority, present.aor, assigned.load,
  coalesce(${instantSql('greatest(present.since, past.ended_at)')}, 0) AS idle_since
FROM operators o
JOIN (
  SELECT r.operator_id, min(r.priority) AS priority FROM roster r WHERE ${onDuty('operator')} GROUP BY r.operator_id
) duty ON duty.operator_id = o.id
LEFT JOIN LATERAL (
  SELECT p.aor, p.since FROM operator_presence p JOIN contacts c ON c.aor = p.aor AND c.online
  WHERE p.operator_id = o.id AND p.on_shift ORDER BY p.since DESC, p.aor LIMIT 1
) present ON true
CROSS JOIN LATERAL (
  SELECT (SELECT count(*) FROM sessions s WHERE s.operator_id = o.id AND s.open)::integer
    + (SELECT count(*) FROM sessions s
       WHERE s.handed_to = o.id AND s.open AND s.operator_id IS DISTINCT FROM o.id)::integer AS load
) assigned
CROSS JOIN LATERAL (
  SELECT max(s.ended_at) AS ended_at FROM sessions s WHERE s.operator_id = o.id
) past
WHERE o.active
ORDER BY o.id LIMIT ${MAX_OPERATORS}`;

/** `$1` the zone or null for the sessions of none, `$2` the citizen who does not count. */
export const WAITING_SQL = `
SELECT count(*)::integer AS waiting FROM sessions s
WHERE s.open AND s.operator_id IS NULL AND s.activated_at IS NOT NULL AND s.citizen_id <> $2
  AND (s.zone_id = $1::text OR ($1::text IS NULL AND s.zone_id IS NULL))`;

const phones = (duty: 'operator' | 'supervisor', limit: number) => `
  (SELECT '${duty}' AS role, o.id, min(r.priority) AS priority, bool_or(r.press_to_accept) AS press_to_accept
  FROM operators o JOIN roster r ON r.operator_id = o.id
  WHERE o.active AND o.duty_phone IS NOT NULL AND ${onDuty(duty)}
  GROUP BY o.id ORDER BY 3, 2 LIMIT ${limit})`;

/** Operators by roster order, then supervisors by theirs. Where one entry of several asks for a 1, it is asked for. */
export const DUTY_PHONES_SQL = `
SELECT role, id, press_to_accept FROM (${phones('operator', MAX_OPERATOR_PHONES)}
  UNION ALL ${phones('supervisor', MAX_SUPERVISOR_PHONES)}
) AS phones
ORDER BY role = 'supervisor', priority, id`;
