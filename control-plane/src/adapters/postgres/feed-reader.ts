/** The feed as its readers see it: in order, and never past what may still be filled in (feed-order.ts). */
import type { Knex } from 'knex';
import type { Instant, SessionId, ZoneId } from '../../domain/ids.ts';
import type { FeedEventName } from '../../domain/session/command.ts';
import type { Session } from '../../domain/session/session.ts';
import type { FeedDraft, FeedRow } from '../../ports/session-store.ts';
import { FEED_HORIZON_SQL } from './feed-order.ts';
import { guarded } from './guarded.ts';
import { instantSql } from './instant.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';

const FEED_AFTER_SQL = `
SELECT f.seq::float8 AS seq, f.session_id, f.session_seq::float8 AS session_seq, f.type, ${instantSql('f.at')} AS at,
  f.zone_id, f.detail, f.session, p.latitude, p.longitude, p.accuracy_m
FROM feed f
LEFT JOIN LATERAL (
  SELECT p.latitude, p.longitude, p.accuracy_m FROM session_personal p
  WHERE p.session_id = f.session_id AND p.latitude IS NOT NULL ORDER BY p.seq DESC LIMIT 1
) p ON true
WHERE f.seq > ? AND f.seq <= ?
ORDER BY f.seq LIMIT ?`;

export class FeedReader {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async after(seq: number, limit: number): Promise<readonly FeedRow[]> {
    const horizon = await this.head();
    if (horizon <= seq) return [];
    const { rows } = await guarded(
      this.#knex
        .raw<{ rows: FeedColumns[] }>(FEED_AFTER_SQL, [seq, horizon, limit])
        .options({ name: 'feed-after' }),
    );
    return rows.map(feedRow);
  }

  async head(): Promise<number> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: { horizon: number }[] }>(FEED_HORIZON_SQL).options({ name: 'feed-horizon' }),
    );
    return rows[0]?.horizon ?? 0;
  }

  async floor(): Promise<number> {
    // The head is read first: rows that come and go between the two reads must not lower the floor.
    const head = await this.head();
    const lowest = await guarded(
      this.#knex
        .from('feed')
        .select<{ seq: number }[]>(this.#knex.raw('seq::float8 as seq'))
        .orderBy('feed.seq')
        .first(),
    );
    return lowest ? Math.min(lowest.seq - 1, head) : head;
  }
}

interface FeedColumns extends PositionColumns {
  readonly seq: number;
  readonly session_id: SessionId;
  readonly session_seq: number;
  readonly type: FeedEventName;
  readonly at: Instant;
  readonly zone_id: ZoneId | null;
  readonly detail: FeedDraft['detail'];
  readonly session: Session;
}

function feedRow(row: FeedColumns): FeedRow {
  return {
    seq: row.seq,
    sessionId: row.session_id,
    sessionSeq: row.session_seq,
    type: row.type,
    at: row.at,
    zoneId: row.zone_id,
    detail: row.detail,
    session: row.session,
    location: locationOf(row),
  };
}
