/** Alerts for whoever is on call, so that a restart keeps what was acknowledged, and what there was. */
import type { Knex } from 'knex';

export const name = '0015-ops-alerts';

const DDL = `
CREATE TABLE ops_alerts (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  -- A trunk's name, a session's id and the like.
  subject text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('critical', 'warning')),
  summary text NOT NULL,
  raised_at timestamptz NOT NULL,
  acknowledged_by text,
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  told_at timestamptz NOT NULL,
  returns integer NOT NULL CHECK (returns >= 0),
  CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL))
);
-- What stands comes first, then the newest that do not.
CREATE INDEX ops_alerts_newest ON ops_alerts (resolved_at DESC NULLS FIRST, raised_at DESC);
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
