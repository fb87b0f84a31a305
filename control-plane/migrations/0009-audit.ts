/** Signed heads over the log of sessions, their leaves, and entries about the log itself. All append-only. */
import type { Knex } from 'knex';

export const name = '0009-audit';

const DDL = `
-- When the last head over a session at rest was made. Set back by every later change.
ALTER TABLE sessions ADD COLUMN sealed_at timestamptz;
CREATE INDEX sessions_unsealed ON sessions (id) WHERE sealed_at IS NULL;
-- When retention took its events.
ALTER TABLE sessions ADD COLUMN events_dropped_at timestamptz;
CREATE INDEX sessions_with_events ON sessions (ended_at) WHERE events_dropped_at IS NULL AND ended_at IS NOT NULL;

CREATE TABLE audit_heads (
  number bigint PRIMARY KEY CHECK (number > 0),
  -- Microseconds since 1970, as it was signed.
  at bigint NOT NULL,
  previous bytea NOT NULL CHECK (octet_length(previous) = 32),
  leaves integer NOT NULL,
  root bytea NOT NULL CHECK (octet_length(root) = 32),
  key_id text NOT NULL,
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  signature bytea NOT NULL
);

-- Erasures and retentions: what is gone, and why. \`detail\` is kept as the text that was hashed.
CREATE TABLE audit_records (
  number bigint PRIMARY KEY CHECK (number > 0),
  at bigint NOT NULL,
  kind text NOT NULL,
  detail json NOT NULL
);

-- No foreign keys: a leaf outlives what somebody deletes, and tells of it.
CREATE TABLE audit_leaves (
  head bigint NOT NULL,
  place integer NOT NULL,
  session_id uuid,
  seq bigint,
  record bigint,
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  record_hash bytea CHECK (octet_length(record_hash) = 32),
  PRIMARY KEY (head, place),
  CHECK ((session_id IS NULL) <> (record IS NULL)),
  CHECK ((session_id IS NULL) = (seq IS NULL))
);
CREATE INDEX audit_leaves_session ON audit_leaves (session_id, head) WHERE session_id IS NOT NULL;
CREATE INDEX audit_leaves_record ON audit_leaves (record) WHERE record IS NOT NULL;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
