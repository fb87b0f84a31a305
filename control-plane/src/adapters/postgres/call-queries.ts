/** Reading calls, outside any transaction. */
import type { Knex } from 'knex';
import type { Call } from '../../domain/call/call.ts';
import type { CallTimer } from '../../domain/call/event.ts';
import type { CallId, Instant } from '../../domain/ids.ts';
import type { CallFilter, DueCallTimer, KnownCall, StoredCall } from '../../ports/call-store.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';
import { storedNumbers, storedPhone } from './stored-phone.ts';

const KNOWN = 'c.body, c.seq::float8 AS seq, p.numbers, p.caller_id, p.metadata';
const FROM = 'FROM calls c LEFT JOIN call_personal p ON p.call_id = c.id';

/** Two questions, so that each finds its own index however many calls are over. */
const UNFINISHED_SQL = `
SELECT body, seq::float8 AS seq FROM (
  (SELECT body, seq, created_at, id FROM calls WHERE open ORDER BY created_at, id LIMIT :limit)
  UNION ALL
  (SELECT body, seq, created_at, id FROM calls
   WHERE ended_at > now() - interval '1 day' AND jsonb_array_length(body->'legs') > 0
   ORDER BY created_at, id LIMIT :limit)
) AS unfinished
ORDER BY created_at, id LIMIT :limit`;

interface KnownRow {
  readonly body: Call;
  readonly seq: number;
  readonly numbers: string[] | null;
  readonly caller_id: string | null;
  readonly metadata: Record<string, string> | null;
}

export class CallQueries {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async find(callId: CallId): Promise<KnownCall | null> {
    const [found] = await this.#known(`SELECT ${KNOWN} ${FROM} WHERE c.id = CAST(:callId AS uuid)`, {
      callId,
    });
    return found ?? null;
  }

  list({
    createdBy,
    states,
    since,
    until,
    metadata,
    before,
    limit,
  }: CallFilter): Promise<readonly KnownCall[]> {
    const conditions = [
      ...(createdBy === null ? [] : ['c.created_by = :createdBy']),
      ...(states.length === 0 ? [] : ['c.state = ANY (CAST(:states AS text[]))']),
      ...(since === null ? [] : ['c.created_at >= CAST(:since AS timestamptz)']),
      ...(until === null ? [] : ['c.created_at < CAST(:until AS timestamptz)']),
      ...(metadata === null ? [] : ['c.created_by = :owner', 'p.metadata @> CAST(:metadata AS jsonb)']),
      ...(before === null
        ? []
        : [
            '(c.created_at, c.id) < (SELECT b.created_at, b.id FROM calls b WHERE b.id = CAST(:before AS uuid))',
          ]),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const statement = `SELECT ${KNOWN} ${FROM} ${where} ORDER BY c.created_at DESC, c.id DESC LIMIT :limit`;
    return this.#known(statement, {
      limit,
      ...(createdBy === null ? {} : { createdBy }),
      ...(states.length === 0 ? {} : { states: [...states] }),
      ...(since === null ? {} : { since: timestampText(since) }),
      ...(until === null ? {} : { until: timestampText(until) }),
      ...(metadata === null
        ? {}
        : { owner: metadata.createdBy, metadata: JSON.stringify({ [metadata.key]: metadata.value }) }),
      ...(before === null ? {} : { before }),
    });
  }

  async listUnfinished(limit: number): Promise<readonly StoredCall[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: { body: Call; seq: number }[] }>(UNFINISHED_SQL, { limit }),
    );
    return rows.map(({ body: call, seq }) => ({ call, seq }));
  }

  async timers(limit: number): Promise<readonly DueCallTimer[]> {
    const rows = await guarded(
      this.#knex
        .from('call_timers')
        .select<TimerRow[]>('call_id', 'timer', this.#knex.raw(`${instantSql('due_at')} as due_at`))
        .orderByRaw('call_timers.due_at, call_id, timer')
        .limit(limit),
    );
    return rows.map((row) => ({ callId: row.call_id, timer: row.timer, dueAt: row.due_at }));
  }

  async #known(
    statement: string,
    values: Readonly<Record<string, string | number | string[]>>,
  ): Promise<readonly KnownCall[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: KnownRow[] }>(statement, values as Record<string, string>),
    );
    return rows.map(knownCall);
  }
}

interface TimerRow {
  readonly call_id: CallId;
  readonly timer: CallTimer;
  readonly due_at: Instant;
}

function knownCall({ body: call, seq, numbers, caller_id, metadata }: KnownRow): KnownCall {
  if (numbers === null) return { call, seq, personal: null };
  return {
    call,
    seq,
    personal: {
      numbers: storedNumbers(numbers),
      callerId: storedPhone(caller_id),
      metadata: metadata ?? {},
    },
  };
}
