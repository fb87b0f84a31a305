/** Reading sessions, outside any transaction. */
import type { Knex } from 'knex';
import type { Location } from '../../contracts/common.ts';
import type { Instant, OperatorId, SessionId, ZoneId } from '../../domain/ids.ts';
import type { TimerName } from '../../domain/session/event.ts';
import type { DueTimer, SessionStore, StoredEvent, StoredSession } from '../../ports/session-store.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText } from './instant.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';

/** Ended, and a leg of it has no end yet. */
const GOING_DOWN = `created_at > now() - interval '1 day' AND NOT open AND jsonb_array_length(state->'legs') > 0`;
const STORED = 'state as session, seq::float8 as seq';

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
    const unfinished = this.#stored().where({ open: true }).orWhereRaw(GOING_DOWN);
    return guarded(unfinished.orderBy(['created_at', 'id']).limit(limit));
  }

  list({
    open,
    zones,
    operatorId = null,
    before,
    limit,
  }: Parameters<SessionStore['list']>[0]): Promise<readonly StoredSession[]> {
    const query = this.#stored().orderByRaw('created_at DESC, id DESC').limit(limit);
    if (open !== null) void query.where({ open });
    if (zones !== null) void query.where((some) => ofZones(some, zones, operatorId));
    if (before !== null)
      void query.whereRaw('(created_at, id) < (SELECT b.created_at, b.id FROM sessions b WHERE b.id = ?)', [
        before,
      ]);
    return guarded(query);
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
}

interface TimerRow {
  readonly session_id: SessionId;
  readonly timer: TimerName;
  readonly due_at: Instant;
}

/** As `isOfZones`: a session of no zone concerns whoever is on duty anywhere. */
function ofZones(query: Knex.QueryBuilder, zones: readonly ZoneId[], operatorId: OperatorId | null): void {
  void query.whereIn('zone_id', [...zones]);
  if (zones.length > 0) void query.orWhereNull('zone_id');
  if (operatorId !== null) void query.orWhere({ operator_id: operatorId, open: true });
}
