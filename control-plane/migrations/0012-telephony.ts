/** Each try of a telephone leg on one trunk, and the outbox from which webhooks are delivered. */
import type { Knex } from 'knex';

export const name = '0012-telephony';

const DDL = `
-- Call detail of one try: one channel on one trunk. Numbers are never here; the leg says who was called.
CREATE TABLE leg_tries (
  leg_id text NOT NULL,
  try integer NOT NULL CHECK (try > 0),
  trunk text NOT NULL,
  dialed_at timestamptz,
  progress_at timestamptz,
  ringing_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  outcome text,
  sip_status integer,
  q850 integer,
  carrier_call_id text,
  PRIMARY KEY (leg_id, try),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX leg_tries_newest ON leg_tries (dialed_at DESC);

-- Written in the transaction of what it tells of; read, fanned out to endpoints and deleted by the webhooks' dispatcher.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The session or the call, and the number of its change: in this order, per subject, things happened.
  subject text NOT NULL,
  subject_seq bigint NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  data json NOT NULL
);
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
