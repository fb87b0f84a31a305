/** Reading sessions, outside any transaction. */
import type { Knex } from 'knex';
import type { Location } from '../../contracts/common.ts';
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { TimerName } from '../../domain/session/event.ts';
import type { DueTimer, SessionStore, StoredEvent, StoredSession } from '../../ports/session-store.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';

const STORED = 'state as session, seq::float8 as seq';

/** Two questions, so that each finds its own index however many sessions have ended: the open ones, and ended ones with legs. */
const LIST_OPEN_SQL = `
SELECT ${STORED} FROM (
  (SELECT state, seq, created_at, id FROM sessions WHERE open ORDER BY created_at, id LIMIT :limit)
  UNION ALL
  (SELECT state, seq, created_at, id FROM sessions
   WHERE created_at > now() - interval '1 day' AND NOT open AND jsonb_array_length(state->'legs') > 0
   ORDER BY created_at, id LIMIT :limit)
) AS unfinished
ORDER BY created_at, id LIMIT :limit`;

const NEWEST = 'ORDER BY created_at DESC, id DESC LIMIT :limit';

/**
 * As `isOfZones`: a session of no zone concerns whoever is on duty anywhere. Zone by zone, so that one in which little
 * happens does not make the list read all the others'.
 */
const listOfZonesSql = (others: string): string => `
WITH duty AS (SELECT CAST(:zones AS text[]) AS zones)
SELECT ${STORED} FROM (
  SELECT page.* FROM duty CROSS JOIN unnest(duty.zones) AS z (id) CROSS JOIN LATERAL (
    SELECT state, seq, created_at, s.id FROM sessions s WHERE s.zone_id = z.id AND ${others} ${NEWEST}
  ) AS page
  UNION ALL
  (SELECT state, seq, created_at, s.id FROM sessions s
   WHERE s.zone_id IS NULL AND (SELECT cardinality(zones) > 0 FROM duty) AND ${others} ${NEWEST})
  UNION ALL
  (SELECT state, seq, created_at, s.id FROM sessions s
   WHERE s.operator_id = CAST(:operatorId AS text) AND s.open AND ${others}
     AND NOT (SELECT coalesce(s.zone_id = ANY (zones), cardinality(zones) > 0) FROM duty) ${NEWEST})
) AS found ${NEWEST}`;

const listSql = (others: string): string => `SELECT ${STORED} FROM sessions s WHERE ${others} ${NEWEST}`;

export class SessionQueries {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async find(sessionId: SessionId): Promise<StoredSession | null> {
    const row = await guarded(this.#stored().where({ id: sessionId }).first());
    return row ?? null;
  }

  listOpen(limit: number): Promise<readonly StoredSession[]> {
    return this.#sessions(LIST_OPEN_SQL, { limit });
  }

  list({
    open,
    zones,
    operatorId = null,
    except = null,
    before,
    limit,
  }: Parameters<SessionStore['list']>[0]): Promise<readonly StoredSession[]> {
    const others = [
      open === null ? 'true' : open ? 's.open' : 'NOT s.open',
      ...(before === null
        ? []
        : ['(created_at, s.id) < (SELECT b.created_at, b.id FROM sessions b WHERE b.id = :before)']),
    ].join(' AND ');
    const values = { limit, ...(before === null ? {} : { before }) };
    const seen = except === null ? others : `s.zone_id IS DISTINCT FROM :except AND ${others}`;
    return zones === null
      ? this.#sessions(listSql(seen), { ...values, ...(except === null ? {} : { except }) })
      : this.#sessions(listOfZonesSql(others), { ...values, zones: [...new Set(zones)], operatorId });
  }

  async location(sessionId: SessionId): Promise<Location | null> {
    const row = await guarded(
      this.#knex
        .from('session_personal')
        .select<PositionColumns[]>('latitude', 'longitude', 'accuracy_m')
        .where({ session_id: sessionId })
        .whereNotNull('latitude')
        .orderBy('seq', 'desc')
        .first(),
    );
    return row ? locationOf(row) : null;
  }

  async timers(until: Instant | null, limit: number): Promise<readonly DueTimer[]> {
    const query = this.#knex
      .from('timers as t')
      .join('sessions as s', 's.id', 't.session_id')
      .where('s.open', true)
      .select<TimerRow[]>('t.session_id', 't.timer', this.#knex.raw(`${instantSql('t.due_at')} as due_at`))
      .orderByRaw('t.due_at, t.session_id, t.timer')
      .limit(limit);
    if (until !== null) void query.where('t.due_at', '<=', timestampText(until));
    const rows = await guarded(query);
    return rows.map((row) => ({ sessionId: row.session_id, timer: row.timer, dueAt: row.due_at }));
  }

  async events(sessionId: SessionId, limit: number): Promise<readonly StoredEvent[]> {
    return guarded(
      this.#knex
        .from('session_events')
        .select<StoredEvent[]>(
          this.#knex.raw(`seq::float8 as seq, ${instantSql('at')} as at, event, encode(hash, 'hex') as hash`),
        )
        .where({ session_id: sessionId })
        .orderBy('session_events.seq')
        .limit(limit),
    );
  }

  async ping(deadlineMs: number): Promise<boolean> {
    const expired = Promise.withResolvers<boolean>();
    const deadline = setTimeout(() => expired.resolve(false), deadlineMs);
    const answer = this.#knex.raw('SELECT 1').then(
      () => true,
      () => false,
    );
    const isThere = await Promise.race([answer, expired.promise]);
    clearTimeout(deadline);
    return isThere;
  }

  #stored() {
    return this.#knex.from('sessions').select<StoredSession[]>(this.#knex.raw(STORED));
  }

  async #sessions(
    statement: string,
    values: Readonly<Record<string, string | number | string[] | null>>,
  ): Promise<readonly StoredSession[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: StoredSession[] }>(statement, values as Record<string, string>),
    );
    return rows;
  }
}

interface TimerRow {
  readonly session_id: SessionId;
  readonly timer: TimerName;
  readonly due_at: Instant;
}
