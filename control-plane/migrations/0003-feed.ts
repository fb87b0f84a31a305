/** The feed (outbox of public events), idempotency keys, tickets and the nodes' leases. */
import type { Knex } from 'knex';

export const name = '0003-feed';

const DDL = `
-- Drawn under the gate that docs/adr/0006-feed-order.md describes. Starts at 0 so that last_value is always a row's or lower.
CREATE SEQUENCE feed_seq MINVALUE 0 START 0;
SELECT nextval('feed_seq');

CREATE TABLE feed (
  seq bigint PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions (id),
  session_seq bigint NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  zone_id text,
  detail json NOT NULL,
  -- The session after this change.
  session json NOT NULL
);

-- Keys are kept as hashes: a client may put anything into one.
CREATE TABLE idempotency_keys (
  citizen_id text NOT NULL,
  key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
  body_hash text NOT NULL,
  session_id uuid NOT NULL,
  claimed_at timestamptz NOT NULL,
  PRIMARY KEY (citizen_id, key_hash)
);
CREATE INDEX idempotency_keys_claimed ON idempotency_keys (claimed_at);

CREATE TABLE tickets (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  role text NOT NULL,
  subject text NOT NULL,
  purpose text NOT NULL,
  device_id text,
  token_id text,
  expires_at timestamptz NOT NULL
);
CREATE INDEX tickets_expires ON tickets (expires_at);

CREATE TABLE nodes (
  id text PRIMARY KEY,
  epoch bigint NOT NULL,
  lease_until timestamptz NOT NULL
);
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
