/** Call detail records of telephone legs, newest first, each with its tries. */
import type { Knex } from 'knex';
import type { CallId, CallLegKind, Instant, LegId, LegKind, SessionId } from '../../domain/ids.ts';
import type { LegOutcome } from '../../domain/session/leg.ts';
import type { CallRecord, CallRecordFilter, CallTryRecord } from '../../ports/call-store.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';

/** Kept in two tables, each with an index of the newest: the page is found in either before the two are laid together. */
const COLUMNS = `r.id, r.kind, r.attempt, r.owner_kind, r.owner_id, r.trunk,
  ${instantSql('r.dialed_at')} AS dialed_at, ${instantSql('r.progress_at')} AS progress_at,
  ${instantSql('r.ringing_at')} AS ringing_at, ${instantSql('r.answered_at')} AS answered_at,
  ${instantSql('r.ended_at')} AS ended_at, r.outcome, r.sip_status, r.q850, r.carrier_call_id`;

const TRIES = `(SELECT json_agg(json_build_object('try', t.try, 'trunk', t.trunk,
    'dialledAt', ${instantSql('t.dialed_at')}, 'endedAt', ${instantSql('t.ended_at')}, 'outcome', t.outcome,
    'sipStatus', t.sip_status, 'q850', t.q850, 'carrierCallId', t.carrier_call_id) ORDER BY t.try)
  FROM leg_tries t WHERE t.leg_id = page.id)`;

interface RecordRow {
  readonly id: LegId;
  readonly kind: LegKind | CallLegKind;
  readonly attempt: number;
  readonly owner_kind: 'session' | 'call';
  readonly owner_id: string;
  readonly trunk: string | null;
  readonly dialed_at: Instant;
  readonly progress_at: Instant | null;
  readonly ringing_at: Instant | null;
  readonly answered_at: Instant | null;
  readonly ended_at: Instant | null;
  readonly outcome: LegOutcome | null;
  readonly sip_status: number | null;
  readonly q850: number | null;
  readonly carrier_call_id: string | null;
  readonly tries: readonly CallTryRecord[] | null;
}

export async function readCallRecords(knex: Knex, filter: CallRecordFilter): Promise<readonly CallRecord[]> {
  const { conditions, values } = conditionsOf(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const statement = `
SELECT page.*, ${TRIES} AS tries FROM (
  SELECT ${COLUMNS} FROM call_records r ${where}
  ORDER BY r.dialed_at DESC, r.id DESC LIMIT :limit
) AS page ORDER BY page.dialed_at DESC, page.id DESC`;
  const { rows } = await guarded(
    knex.raw<{ rows: RecordRow[] }>(statement, { ...values, limit: filter.limit }),
  );
  return rows.map(recordOf);
}

function conditionsOf({ since, until, trunk, outcome, owner, before }: CallRecordFilter) {
  const conditions: string[] = [];
  const values: Record<string, string | number> = {};
  const add = (condition: string, name: string, value: string | null): void => {
    if (value === null) return;
    conditions.push(condition);
    values[name] = value;
  };
  add('r.dialed_at >= CAST(:since AS timestamptz)', 'since', since === null ? null : timestampText(since));
  add('r.dialed_at < CAST(:until AS timestamptz)', 'until', until === null ? null : timestampText(until));
  const isTried = 'EXISTS (SELECT FROM leg_tries t WHERE t.leg_id = r.id AND t.trunk = :trunk)';
  add(`(r.trunk = :trunk OR ${isTried})`, 'trunk', trunk);
  add('r.outcome = :outcome', 'outcome', outcome);
  add('r.owner_id = CAST(:owner AS uuid)', 'owner', owner);
  add(
    '(r.dialed_at, r.id) < (SELECT b.dialed_at, b.id FROM call_records b WHERE b.id = :before)',
    'before',
    before,
  );
  return { conditions, values };
}

function recordOf(row: RecordRow): CallRecord {
  return {
    legId: row.id,
    owner:
      row.owner_kind === 'session'
        ? { kind: 'session', id: row.owner_id as SessionId }
        : { kind: 'call', id: row.owner_id as CallId },
    kind: row.kind,
    attempt: row.attempt,
    trunk: row.trunk,
    dialledAt: row.dialed_at,
    progressAt: row.progress_at,
    ringingAt: row.ringing_at,
    answeredAt: row.answered_at,
    endedAt: row.ended_at,
    outcome: row.outcome,
    sipStatus: row.sip_status,
    q850: row.q850,
    carrierCallId: row.carrier_call_id,
    tries: row.tries ?? [],
  };
}
