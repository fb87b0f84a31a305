/** The report in four statements of one snapshot; what they return does not grow with the number of sessions. */
import type { Knex } from 'knex';
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { LedgerReport, LedgerReports, ReportRange } from '../../ports/ledger-report.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

// CAST, because knex would take `:since::` for a name of its own.
const IN_RANGE = `s.activated_at >= CAST(:since AS timestamptz) AND s.activated_at < CAST(:until AS timestamptz)
  AND (CAST(:zone AS text) IS NULL OR s.zone_id = :zone)`;

const PERCENTILES = 'percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP';

const SESSIONS_SQL = `
SELECT count(*)::float8 AS activated, count(*) FILTER (WHERE s.open)::float8 AS open,
  count(*) FILTER (WHERE s.judged_at IS NULL AND NOT s.open)::float8 AS waiting
FROM sessions s WHERE ${IN_RANGE}`;

const MILESTONES_SQL = `
SELECT m.name, count(*)::float8 AS count, ${PERCENTILES} (ORDER BY m.ms) AS percentiles, max(m.ms) AS max
FROM milestones m JOIN sessions s ON s.id = m.session_id
WHERE m.nth = 1 AND m.name <> 'activated' AND ${IN_RANGE}
GROUP BY m.name ORDER BY 3, 1`;

const REQUIREMENTS_SQL = `
SELECT v.requirement AS id, max(v.limit_ms) AS limit_ms,
  count(v.ok)::float8 AS judged, count(*) FILTER (WHERE v.ok IS NULL)::float8 AS not_applicable,
  count(*) FILTER (WHERE NOT v.ok)::float8 AS breaches,
  ${PERCENTILES} (ORDER BY v.value_ms) FILTER (WHERE v.ok IS NOT NULL AND v.value_ms IS NOT NULL) AS percentiles,
  max(v.value_ms) FILTER (WHERE v.ok IS NOT NULL) AS max
FROM verdicts v JOIN sessions s ON s.id = v.session_id
WHERE ${IN_RANGE} GROUP BY v.requirement ORDER BY v.requirement`;

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

  report({ since, until, zoneId }: ReportRange, maxBreaches: number): Promise<LedgerReport> {
    const values = { since: timestampText(since), until: timestampText(until), zone: zoneId };
    return guarded(
      this.#knex.transaction(
        async (trx) => {
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

interface SpreadColumns {
  /** `null`: no value at all. */
  readonly percentiles: readonly number[] | null;
  readonly max: number | null;
}
interface MilestoneRow extends SpreadColumns {
  readonly name: string;
  readonly count: number;
}
interface RequirementRow extends SpreadColumns {
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

function spread({ percentiles, max }: SpreadColumns) {
  return { p50: percentiles?.[0] ?? null, p95: percentiles?.[1] ?? null, p99: percentiles?.[2] ?? null, max };
}
