/**
 * The report in four statements of one snapshot. Neither what they return nor the memory that they take grows with the
 * number of sessions: values are counted in buckets and never sorted one by one.
 */
import type { Knex } from 'knex';
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { LedgerReport, LedgerReports, ReportRange, Spread } from '../../ports/ledger-report.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

// CAST, because knex would take `:since::` for a name of its own.
const IN_RANGE = `s.activated_at >= CAST(:since AS timestamptz) AND s.activated_at < CAST(:until AS timestamptz)
  AND (CAST(:zone AS text) IS NULL OR s.zone_id = :zone)
  AND (CAST(:except AS text) IS NULL OR s.zone_id IS DISTINCT FROM :except)`;

/** A month of years is found by its sessions and not by reading all years; years go through memory, not over the disk. */
const PLAN_SQL = ['SET LOCAL random_page_cost = 1.1', "SET LOCAL work_mem = '64MB'"];

/**
 * Buckets of four digits: of 0.1 ms below a second, of 1 ms below ten, and so on. A percentile is the greatest value
 * that was measured in its bucket, and so at most a thousandth above the exact one.
 */
const bucketOf = (ms: string): string => `CASE
    WHEN abs(${ms}) < 1000 THEN floor(${ms} * 10) / 10
    WHEN abs(${ms}) < 10000 THEN floor(${ms})
    WHEN abs(${ms}) < 100000 THEN floor(${ms} / 10) * 10
    WHEN abs(${ms}) < 1000000 THEN floor(${ms} / 100) * 100
    ELSE floor(${ms} / 1000) * 1000 END`;

/** Of buckets with `upto` (their own and all lower values), `total`, and `most`, their greatest value. */
const percentile = (fraction: number): string =>
  `min(most) FILTER (WHERE bucket IS NOT NULL AND upto >= ${fraction} * total)`;
const PERCENTILES = `${percentile(0.5)} AS p50, ${percentile(0.95)} AS p95, ${percentile(0.99)} AS p99`;

const SESSIONS_SQL = `
SELECT (SELECT count(*) FROM sessions s WHERE ${IN_RANGE})::float8 AS activated,
  (SELECT count(*) FROM sessions s WHERE s.open AND ${IN_RANGE})::float8 AS open,
  (SELECT count(*) FROM sessions s
   WHERE s.judged_at IS NULL AND s.ended_at IS NOT NULL AND ${IN_RANGE})::float8 AS waiting`;

const MILESTONES_SQL = `
WITH buckets AS (
  SELECT m.name, ${bucketOf('m.ms')} AS bucket, count(*) AS n, max(m.ms) AS most
  FROM milestones m JOIN sessions s ON s.id = m.session_id
  WHERE m.nth = 1 AND m.name <> 'activated' AND ${IN_RANGE} GROUP BY 1, 2
), running AS (
  SELECT b.*, sum(n) OVER (PARTITION BY name ORDER BY bucket) AS upto, sum(n) OVER (PARTITION BY name) AS total FROM buckets b
)
SELECT name, sum(n)::float8 AS count, ${PERCENTILES}, max(most) AS max FROM running GROUP BY name ORDER BY p50, name`;

const REQUIREMENTS_SQL = `
WITH buckets AS (
  SELECT v.requirement AS id, CASE WHEN v.ok IS NOT NULL THEN ${bucketOf('v.value_ms')} END AS bucket,
    count(*) AS n, count(v.ok) AS judged, count(*) FILTER (WHERE NOT v.ok) AS breaches,
    max(v.limit_ms) AS limit_ms, max(v.value_ms) FILTER (WHERE v.ok IS NOT NULL) AS most
  FROM verdicts v JOIN sessions s ON s.id = v.session_id WHERE ${IN_RANGE} GROUP BY 1, 2
), running AS (
  SELECT b.*, sum(n) FILTER (WHERE bucket IS NOT NULL) OVER (PARTITION BY id ORDER BY bucket) AS upto,
    sum(n) FILTER (WHERE bucket IS NOT NULL) OVER (PARTITION BY id) AS total FROM buckets b
)
SELECT id, max(limit_ms) AS limit_ms, sum(judged)::float8 AS judged, (sum(n) - sum(judged))::float8 AS not_applicable,
  sum(breaches)::float8 AS breaches, ${PERCENTILES}, max(most) AS max
FROM running GROUP BY id ORDER BY id`;

const BREACHES_SQL = `
SELECT v.requirement, v.session_id AS "sessionId", ${instantSql('s.activated_at')} AS "activatedAt",
  v.limit_ms AS "limitMs", v.value_ms AS "valueMs", v.reason
FROM verdicts v JOIN sessions s ON s.id = v.session_id
WHERE NOT v.ok AND ${IN_RANGE}
ORDER BY v.requirement, v.value_ms DESC NULLS FIRST, v.session_id LIMIT :most`;

export class PostgresLedgerReports implements LedgerReports {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  report({ since, until, zoneId, exceptZoneId }: ReportRange, maxBreaches: number): Promise<LedgerReport> {
    const values = {
      since: timestampText(since),
      until: timestampText(until),
      zone: zoneId,
      except: exceptZoneId,
    };
    return guarded(
      this.#knex.transaction(
        async (trx) => {
          for (const statement of PLAN_SQL) await trx.raw(statement);
          const sessions = await trx.raw<{ rows: [LedgerReport['sessions']] }>(SESSIONS_SQL, values);
          const milestones = await trx.raw<{ rows: MilestoneRow[] }>(MILESTONES_SQL, values);
          const requirements = await trx.raw<{ rows: RequirementRow[] }>(REQUIREMENTS_SQL, values);
          const breaches = await trx.raw<{ rows: BreachRow[] }>(BREACHES_SQL, {
            ...values,
            most: maxBreaches,
          });
          return {
            sessions: sessions.rows[0],
            milestones: milestones.rows.map((row) => ({ name: row.name, count: row.count, ...spread(row) })),
            requirements: requirements.rows.map((row) => ({
              id: row.id,
              limitMs: row.limit_ms,
              judged: row.judged,
              notApplicable: row.not_applicable,
              breaches: row.breaches,
              ...spread(row),
            })),
            breaches: breaches.rows,
          };
        },
        { isolationLevel: 'repeatable read', readOnly: true },
      ),
    );
  }
}

interface MilestoneRow extends Spread {
  readonly name: string;
  readonly count: number;
}
interface RequirementRow extends Spread {
  readonly id: string;
  readonly limit_ms: number | null;
  readonly judged: number;
  readonly not_applicable: number;
  readonly breaches: number;
}
interface BreachRow {
  readonly requirement: string;
  readonly sessionId: SessionId;
  readonly activatedAt: Instant;
  readonly limitMs: number | null;
  readonly valueMs: number | null;
  readonly reason: string | null;
}

function spread({ p50, p95, p99, max }: Spread): Spread {
  return { p50, p95, p99, max };
}
