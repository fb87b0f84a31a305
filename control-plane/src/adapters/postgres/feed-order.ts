/**
 * The order of the feed: a reader that has everything up to some number never misses a lower one that commits later,
 * and no writer waits for another. Why it is so: docs/adr/0006-feed-order.md.
 *
 * A writer first takes a shared advisory lock named after the last number drawn so far, and only then draws its own,
 * which are higher. A reader first reads the last number drawn, then these locks: below the lowest of both nothing
 * is in flight any more.
 */

/** First key of the locks ("FEED"); the second is the number modulo 2^31. */
const LOCK_CLASS = 0x46454544;
const MODULUS = 2_147_483_648;

/** A CTE named `gate`: one row when `condition` holds. Who selects from it draws numbers behind the lock. */
export function feedGateSql(condition: string): string {
  return `gate AS MATERIALIZED (
  SELECT pg_advisory_xact_lock_shared(${LOCK_CLASS}, (last_value % ${MODULUS})::integer)
  FROM feed_seq WHERE ${condition}
)`;
}

/**
 * The highest number at and below which nothing can appear any more. It depends on `last_value` inside the subquery,
 * so the locks are read after it. Rows must be read in a later statement: its snapshot is younger than the locks.
 */
export const FEED_HORIZON_SQL = `
SELECT least(drawn.last_value, (
  SELECT min(drawn.last_value - mod(drawn.last_value - locks.objid::bigint + ${MODULUS}, ${MODULUS}))
  FROM pg_locks locks
  WHERE locks.locktype = 'advisory' AND locks.classid = ${LOCK_CLASS} AND locks.objsubid = 2
    AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
))::float8 AS horizon
FROM feed_seq drawn`;
