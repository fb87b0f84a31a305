/** Telephone calls that the backend asks for: their state, their numbers beside them, their legs, timers and keys. */
import type { Knex } from 'knex';

export const name = '0014-calls';

const CALLS = `
-- The columns repeat what \`body\` says, for records and queries; every write sets both. No number is in either.
CREATE TABLE calls (
  id uuid PRIMARY KEY,
  -- Role and subject of who asked for it.
  created_by text COLLATE "C" NOT NULL,
  purpose text NOT NULL,
  state text NOT NULL,
  -- A state that this list does not know counts as open: nothing of it is lost by mistake.
  open boolean NOT NULL GENERATED ALWAYS AS (state NOT IN ('ended', 'failed')) STORED,
  reason text,
  created_at timestamptz NOT NULL,
  answered_at timestamptz,
  ended_at timestamptz,
  changed_at timestamptz NOT NULL,
  -- Number of its last change.
  seq bigint NOT NULL CHECK (seq > 0),
  -- The node that wrote it last, and the lease under which it did.
  owner_node text,
  owner_epoch bigint,
  body jsonb NOT NULL,
  CONSTRAINT calls_end CHECK ((ended_at IS NULL) = open),
  CONSTRAINT calls_reason CHECK ((reason IS NULL) = open)
);
CREATE INDEX calls_newest ON calls (created_at DESC, id DESC);
CREATE INDEX calls_by_state ON calls (state, created_at DESC, id DESC);
CREATE INDEX calls_open ON calls (created_at) WHERE open;
CREATE INDEX calls_ended ON calls (ended_at) WHERE ended_at IS NOT NULL;

-- Personal data of one call. Deleting the row is its erasure; the call's record stays.
CREATE TABLE call_personal (
  call_id uuid PRIMARY KEY REFERENCES calls (id),
  -- E.164, by place: who was called first, those of bridgeTo in their order, those of transfers.
  numbers text[] NOT NULL CHECK (cardinality(numbers) BETWEEN 1 AND 100),
  caller_id text CHECK (caller_id ~ '^\\+[1-9][0-9]{6,14}$'),
  -- The backend's own words: they may name somebody.
  metadata jsonb NOT NULL
);
CREATE INDEX call_personal_metadata ON call_personal USING gin (metadata jsonb_path_ops);

CREATE TABLE call_timers (
  call_id uuid NOT NULL REFERENCES calls (id),
  timer text NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (call_id, timer)
);

-- Of one caller (role and subject); the key as its hash, the body as one that nobody can guess without the key.
CREATE TABLE call_keys (
  caller text COLLATE "C" NOT NULL,
  key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
  body_hash text NOT NULL,
  call_id uuid NOT NULL,
  claimed_at timestamptz NOT NULL,
  PRIMARY KEY (caller, key_hash)
);
CREATE INDEX call_keys_oldest ON call_keys (claimed_at);
`;

const LEGS = `
-- Call detail records as in \`legs\`: one row per leg of a call.
CREATE TABLE call_legs (
  id text PRIMARY KEY,
  call_id uuid NOT NULL REFERENCES calls (id),
  kind text NOT NULL,
  attempt integer NOT NULL CHECK (attempt > 0),
  place integer NOT NULL CHECK (place >= 0),
  trunk text,
  dialed_at timestamptz NOT NULL,
  ringing_at timestamptz,
  progress_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  outcome text,
  sip_status integer,
  q850 integer,
  carrier_call_id text,
  UNIQUE (call_id, kind, attempt),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX call_legs_newest ON call_legs (dialed_at DESC, id DESC);

-- Lists of call records begin at the newest, whatever kind of call they are of.
CREATE INDEX legs_phones_newest ON legs (dialed_at DESC, id DESC)
  WHERE kind IN ('citizen-phone', 'operator-phone') AND dialed_at IS NOT NULL;
CREATE VIEW call_records AS
SELECT l.id, l.kind, l.attempt, 'session' AS owner_kind, l.session_id AS owner_id, l.trunk, l.dialed_at, l.ringing_at,
  l.progress_at, l.answered_at, l.ended_at, l.outcome, l.sip_status, l.q850, l.carrier_call_id
FROM legs l WHERE l.kind IN ('citizen-phone', 'operator-phone') AND l.dialed_at IS NOT NULL
UNION ALL
SELECT l.id, l.kind, l.attempt, 'call' AS owner_kind, l.call_id AS owner_id, l.trunk, l.dialed_at, l.ringing_at,
  l.progress_at, l.answered_at, l.ended_at, l.outcome, l.sip_status, l.q850, l.carrier_call_id
FROM call_legs l;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(CALLS);
  await knex.raw(LEGS);
}
