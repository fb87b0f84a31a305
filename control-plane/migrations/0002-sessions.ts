/** Sessions with their chained events, the personal data beside them, call records and timers. */
import type { Knex } from 'knex';

export const name = '0002-sessions';

const SESSIONS = `
-- The columns repeat what \`state\` says, for the record and for queries; every write sets both.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  -- Pseudonymous. No foreign key: a citizen nobody has registered is served all the same.
  citizen_id text COLLATE "C" NOT NULL,
  device_id text NOT NULL,
  zone_id text COLLATE "C",
  phase text NOT NULL,
  -- A phase that this list does not know counts as open: nothing of it is lost or freed by mistake.
  open boolean NOT NULL GENERATED ALWAYS AS (phase NOT IN ('resolved', 'released')) STORED,
  created_at timestamptz NOT NULL,
  activated_at timestamptz,
  operator_id text COLLATE "C",
  webrtc_session_id text,
  degraded_reason text,
  fallback_failed_at timestamptz,
  fallback_initiated_at timestamptz,
  fallback_call_reference text,
  fallback_reason text,
  ended_at timestamptz,
  ended_by text,
  resolved_at timestamptz,
  changed_at timestamptz NOT NULL,
  -- Number and hash of the last event: the chain's head.
  seq bigint NOT NULL CHECK (seq >= 0),
  chain_head bytea NOT NULL CHECK (octet_length(chain_head) = 32),
  -- The node that acts for it, and the lease under which it does; for several nodes.
  owner_node text,
  owner_epoch bigint,
  state jsonb NOT NULL,
  CONSTRAINT sessions_activated CHECK (activated_at IS NOT NULL OR phase IN ('arming', 'released')),
  CONSTRAINT sessions_fallback_whole
    CHECK (num_nonnulls(fallback_failed_at, fallback_initiated_at, fallback_call_reference, fallback_reason) IN (0, 4)),
  CONSTRAINT sessions_end CHECK ((ended_at IS NULL) = open),
  CONSTRAINT sessions_resolved CHECK ((resolved_at IS NOT NULL) = (phase = 'resolved'))
);
CREATE UNIQUE INDEX sessions_one_open_per_citizen ON sessions (citizen_id) WHERE open;
CREATE INDEX sessions_citizen ON sessions (citizen_id);
CREATE INDEX sessions_newest ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_open ON sessions (created_at) WHERE open;
CREATE INDEX sessions_load ON sessions (operator_id) WHERE open AND operator_id IS NOT NULL;
CREATE INDEX sessions_idle ON sessions (operator_id, ended_at) WHERE operator_id IS NOT NULL;

-- Append-only. \`hash\` covers everything here and the hash before it; \`event\` is kept as the text that was hashed.
CREATE TABLE session_events (
  session_id uuid NOT NULL REFERENCES sessions (id),
  seq bigint NOT NULL CHECK (seq > 0),
  type text NOT NULL,
  at timestamptz NOT NULL,
  event json NOT NULL,
  personal_hash bytea CHECK (octet_length(personal_hash) = 32),
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (session_id, seq)
);

-- Personal data of one event. Deleting a row (salt and all) is its erasure; the chain stays whole.
CREATE TABLE session_personal (
  session_id uuid NOT NULL,
  seq bigint NOT NULL,
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  latitude double precision,
  longitude double precision,
  accuracy_m double precision,
  claimed json,
  PRIMARY KEY (session_id, seq),
  FOREIGN KEY (session_id, seq) REFERENCES session_events (session_id, seq),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
);
`;

const CALLS = `
-- Call detail records: one row per leg. Numbers are never here; \`party_id\` says who was called.
CREATE TABLE legs (
  id text PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions (id),
  kind text NOT NULL,
  attempt integer NOT NULL CHECK (attempt > 0),
  party_role text,
  party_id text,
  trunk text,
  dialed_at timestamptz,
  ringing_at timestamptz,
  progress_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  outcome text,
  sip_status integer,
  q850 integer,
  carrier_call_id text,
  UNIQUE (session_id, kind, attempt),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE TABLE timers (
  session_id uuid NOT NULL REFERENCES sessions (id),
  timer text NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, timer)
);
CREATE INDEX timers_due ON timers (due_at);

-- RTC-4 and FB-4 in one SELECT; the position comes from where it can be erased.
CREATE VIEW session_record AS
SELECT s.id AS session_id, s.citizen_id, s.activated_at, s.operator_id, s.webrtc_session_id,
  position.latitude, position.longitude, position.accuracy_m,
  s.zone_id, s.phase, s.degraded_reason,
  s.fallback_failed_at, s.fallback_initiated_at, s.fallback_call_reference, s.fallback_reason,
  s.resolved_at, s.ended_at, s.ended_by
FROM sessions s
LEFT JOIN LATERAL (
  SELECT p.latitude, p.longitude, p.accuracy_m FROM session_personal p
  WHERE p.session_id = s.id AND p.latitude IS NOT NULL ORDER BY p.seq DESC LIMIT 1
) position ON true;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(SESSIONS);
  await knex.raw(CALLS);
}
