/** The ledger in its two tables. An entry is one transaction, and the mark on the session's row belongs to it. */
import type { Knex } from 'knex';
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { Milestone, NumberedMilestone } from '../../domain/session/timeline.ts';
import type { Verdict } from '../../domain/session/verdict.ts';
import type { Ledger, LedgerEntry } from '../../ports/ledger.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

/** For legs that never end: so long after the last change a session is entered as it stands. */
const REST = '1 minute';

const UNJUDGED_SQL = `
SELECT id FROM sessions
WHERE judged_at IS NULL AND ended_at IS NOT NULL
  AND (state->'legs' = '[]'::jsonb OR changed_at < ?::timestamptz - interval '${REST}')
ORDER BY ended_at LIMIT ?`;

const MILESTONES_SQL = `
INSERT INTO milestones (session_id, seq, name, nth, at, ms)
SELECT ?, m.seq, m.name, row_number() OVER (PARTITION BY m.name ORDER BY m.place), m.at, m.ms
FROM json_to_recordset(?::json) AS m (place integer, seq bigint, name text, at timestamptz, ms float8)`;

const VERDICTS_SQL = `
INSERT INTO verdicts (session_id, requirement, limit_ms, value_ms, ok, reason)
SELECT ?, v.id, v."limitMs", v."valueMs", v.ok, v.reason
FROM json_to_recordset(?::json) AS v (id text, "limitMs" float8, "valueMs" float8, ok boolean, reason text)`;

export class PostgresLedger implements Ledger {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async unjudged(now: Instant, limit: number): Promise<readonly SessionId[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: { id: SessionId }[] }>(UNJUDGED_SQL, [timestampText(now), limit]),
    );
    return rows.map((row) => row.id);
  }

  enter(
    sessionId: SessionId,
    milestones: readonly NumberedMilestone[],
    verdicts: readonly Verdict[],
    at: Instant,
  ): Promise<boolean> {
    return guarded(
      this.#knex.transaction(async (trx) => {
        const { rowCount } = await trx.raw<{ rowCount: number }>(
          'UPDATE sessions SET judged_at = ? WHERE id = ? AND judged_at IS NULL AND ended_at IS NOT NULL',
          [timestampText(at), sessionId],
        );
        if (rowCount === 0) return false;
        const placed = milestones.map((one, place) => ({ ...one, place, at: timestampText(one.at) }));
        await trx.raw(MILESTONES_SQL, [sessionId, JSON.stringify(placed)]);
        await trx.raw(VERDICTS_SQL, [sessionId, JSON.stringify(verdicts)]);
        return true;
      }),
    );
  }

  async find(sessionId: SessionId): Promise<LedgerEntry | null> {
    const { rows: marks } = await guarded(
      this.#knex.raw<{ rows: object[] }>('SELECT 1 FROM sessions WHERE id = ? AND judged_at IS NOT NULL', [
        sessionId,
      ]),
    );
    if (marks.length === 0) return null;
    const [milestones, verdicts] = await Promise.all([
      guarded(
        this.#knex.raw<{ rows: Milestone[] }>(
          `SELECT name, ${instantSql('at')} AS at, ms FROM milestones WHERE session_id = ? ORDER BY seq, name`,
          [sessionId],
        ),
      ),
      guarded(
        this.#knex.raw<{ rows: Verdict[] }>(
          `SELECT requirement AS id, limit_ms AS "limitMs", value_ms AS "valueMs", ok, reason
           FROM verdicts WHERE session_id = ? ORDER BY requirement`,
          [sessionId],
        ),
      ),
    ]);
    return { milestones: milestones.rows, verdicts: verdicts.rows };
  }
}
