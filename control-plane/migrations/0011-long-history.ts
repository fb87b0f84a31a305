/** What keeps lists, reports and retention quick however many sessions have ended: each finds what it wants and little else. */
import type { Knex } from 'knex';

export const name = '0011-long-history';

/** In this order, for a change of the table keeps even readers out from then to the end. */
const DDL = `
-- A zone in which little happens is listed as quickly as any.
CREATE INDEX sessions_zone_newest ON sessions (zone_id, created_at DESC, id DESC);
-- In place of sessions_activated: a report reads this and not the sessions.
CREATE INDEX sessions_activated_zone ON sessions (activated_at, zone_id, id) WHERE activated_at IS NOT NULL;
-- In place of sessions_with_events: without heads no events are ever dropped, and none need be looked at.
CREATE INDEX sessions_with_sealed_events ON sessions (ended_at)
  WHERE events_dropped_at IS NULL AND judged_at IS NOT NULL AND sealed_at IS NOT NULL AND ended_at IS NOT NULL;
-- A leaf asks for the last head before its own that left nothing out.
CREATE INDEX audit_heads_not_full ON audit_heads (number) WHERE leaves < 2000;
-- Breaches are few.
CREATE INDEX verdicts_broken ON verdicts (session_id) WHERE NOT ok;

DROP INDEX sessions_activated, sessions_with_events;
-- When retention took her position and claims, and the ledger's entry: what was taken is not looked at again.
ALTER TABLE sessions ADD COLUMN personal_dropped_at timestamptz, ADD COLUMN ledger_dropped_at timestamptz;
CREATE INDEX sessions_with_personal ON sessions (ended_at)
  WHERE personal_dropped_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX sessions_with_ledger ON sessions (ended_at)
  WHERE ledger_dropped_at IS NULL AND judged_at IS NOT NULL AND ended_at IS NOT NULL;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
