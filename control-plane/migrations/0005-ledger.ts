/** The ledger of what sessions achieved. It refers to sessions alone: events may go, it stays. */
import type { Knex } from 'knex';

export const name = '0005-ledger';

const DDL = `
-- When the session's entry in the ledger was made; null: it is open, or not entered yet.
ALTER TABLE sessions ADD COLUMN judged_at timestamptz;
CREATE INDEX sessions_unjudged ON sessions (ended_at) WHERE judged_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX sessions_activated ON sessions (activated_at) WHERE activated_at IS NOT NULL;

-- \`seq\`: the event that it comes from. \`nth\`: 1 for the first of its name in its session.
CREATE TABLE milestones (
  session_id uuid NOT NULL REFERENCES sessions (id),
  seq bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  nth integer NOT NULL CHECK (nth > 0),
  at timestamptz NOT NULL,
  ms double precision NOT NULL,
  PRIMARY KEY (session_id, seq, name)
);

-- \`ok\` null: it does not apply to this session; \`reason\` tells why.
CREATE TABLE verdicts (
  session_id uuid NOT NULL REFERENCES sessions (id),
  requirement text COLLATE "C" NOT NULL,
  limit_ms double precision,
  value_ms double precision,
  ok boolean,
  reason text,
  PRIMARY KEY (session_id, requirement)
);
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
