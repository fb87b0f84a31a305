/** Tries of the last minutes, as they would have been reported while they happened. */
import type { Knex } from 'knex';
import { parseCallLegId, parseLegId, tryIdOf, type Instant, type LegId } from '../../domain/ids.ts';
import type { LegOutcome } from '../../domain/session/leg.ts';
import type { CallPurpose, TryHistory, TryReport } from '../../ports/trunk-health.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

/** What the leg knows is its answered try's; a leg that took several tries does not say which of them rang. */
const SINCE_SQL = `
SELECT t.leg_id, t.try, t.trunk, ${instantSql('t.dialed_at')} AS dialed_at,
  ${instantSql('coalesce(t.progress_at, CASE WHEN l.trunk = t.trunk THEN l.progress_at END)')} AS progress_at,
  ${instantSql('coalesce(t.ringing_at, CASE WHEN l.trunk = t.trunk THEN l.ringing_at END)')} AS ringing_at,
  ${instantSql('coalesce(t.answered_at, CASE WHEN l.trunk = t.trunk THEN l.answered_at END)')} AS answered_at,
  ${instantSql('t.ended_at')} AS ended_at, t.outcome, t.sip_status, t.q850
FROM leg_tries t LEFT JOIN legs l ON l.id = t.leg_id
WHERE t.dialed_at > ?::timestamptz AND t.trunk <> ''
ORDER BY t.dialed_at DESC LIMIT ?`;

interface Row {
  readonly leg_id: LegId;
  readonly try: number;
  readonly trunk: string;
  readonly dialed_at: Instant;
  readonly progress_at: Instant | null;
  readonly ringing_at: Instant | null;
  readonly answered_at: Instant | null;
  readonly ended_at: Instant | null;
  readonly outcome: LegOutcome | null;
  readonly sip_status: number | null;
  readonly q850: number | null;
}

export class PostgresTryHistory implements TryHistory {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async since(at: Instant, limit: number): Promise<readonly TryReport[]> {
    const { rows } = await guarded(this.#knex.raw<{ rows: Row[] }>(SINCE_SQL, [timestampText(at), limit]));
    return rows.flatMap(reportsOf).toSorted((a, b) => a.at - b.at);
  }
}

function reportsOf(row: Row): TryReport[] {
  const purpose = purposeOf(row.leg_id);
  if (purpose === null) return [];
  const of = (at: Instant) => ({
    trunk: row.trunk,
    id: tryIdOf(row.leg_id, row.try),
    purpose,
    at,
    afterMs: at - row.dialed_at,
  });
  const { progress_at, ringing_at, answered_at, ended_at, outcome, sip_status, q850 } = row;
  const reports: TryReport[] = [{ ...of(row.dialed_at), what: 'dialled' }];
  if (progress_at !== null) reports.push({ ...of(progress_at), what: 'progress' });
  if (ringing_at !== null) reports.push({ ...of(ringing_at), what: 'ringing' });
  if (answered_at !== null) reports.push({ ...of(answered_at), what: 'answered' });
  if (ended_at !== null && outcome !== null)
    reports.push({
      ...of(ended_at),
      what: 'ended',
      outcome,
      sipStatus: sip_status,
      q850,
      silent: false,
      wasAnswered: answered_at !== null,
    });
  return reports;
}

function purposeOf(legId: string): CallPurpose | null {
  if (parseLegId(legId) !== null) return 'sos';
  return parseCallLegId(legId) === null ? null : 'call';
}
