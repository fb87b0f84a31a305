/** Webhooks: endpoints of receivers, and one delivery for each event of the outbox and endpoint. */
import type { Knex } from 'knex';

export const name = '0013-webhooks';

const DDL = `
CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY,
  url text NOT NULL,
  description text NOT NULL,
  -- Types, families ("sos.*") and "*".
  events text[] NOT NULL,
  enabled boolean NOT NULL,
  -- Null while it is enabled.
  disabled_because text CHECK (disabled_because IN ('asked', 'gone')),
  -- Sealed with the data key of the settings (AES-256-GCM): the database alone signs nothing.
  secret bytea NOT NULL,
  previous_secret bytea,
  -- Until then the previous secret signs too.
  previous_until timestamptz,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  CHECK (enabled = (disabled_because IS NULL)),
  CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

CREATE TABLE webhook_deliveries (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  -- The webhook-id that the receiver sees: the same at each endpoint and with each attempt.
  message_id text NOT NULL,
  -- Number of the outbox's row. In this order, per endpoint and subject, it is told.
  position bigint NOT NULL,
  subject text NOT NULL,
  subject_seq bigint NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  data json NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  -- Its first attempt has not ended: what follows of the same subject waits for it.
  untried boolean NOT NULL,
  -- That have ended.
  attempts integer NOT NULL DEFAULT 0,
  -- Of the next attempt, while it is pending.
  due_at timestamptz NOT NULL,
  -- An attempt is under way, by whom and until when at the latest. After that it is anybody's.
  claim uuid,
  claimed_by text,
  claimed_until timestamptz,
  last_attempt_at timestamptz,
  last_status integer,
  last_reason text,
  PRIMARY KEY (endpoint_id, message_id),
  CHECK (NOT untried OR state = 'pending'),
  CHECK ((claim IS NULL) = (claimed_by IS NULL) AND (claim IS NULL) = (claimed_until IS NULL))
) WITH (
  -- A queue: each row is written three times within seconds. No index has the columns of a claim, which stays in its page.
  fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
-- Lists; and the order of what was never tried.
CREATE UNIQUE INDEX webhook_deliveries_position ON webhook_deliveries (endpoint_id, position);
CREATE INDEX webhook_deliveries_untried ON webhook_deliveries (endpoint_id, position) WHERE untried;
CREATE INDEX webhook_deliveries_held ON webhook_deliveries (subject, endpoint_id, position) WHERE untried;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at)
  WHERE state = 'pending' AND NOT untried;
-- Retention.
CREATE INDEX webhook_deliveries_over ON webhook_deliveries (state, last_attempt_at) WHERE state <> 'pending';
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
