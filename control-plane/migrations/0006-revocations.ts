/** Tokens shut out before they expire, and what a ticket has to know of the token that it was got with. */
import type { Knex } from 'knex';

export const name = '0006-revocations';

const DDL = `
CREATE TABLE revocations (
  -- Drawn anew when a line is written again: the readers see that something changed.
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('token', 'subject')),
  -- The token's jti; or role and subject, with a colon between them.
  value text NOT NULL,
  at timestamptz NOT NULL,
  until timestamptz NOT NULL,
  by text NOT NULL,
  PRIMARY KEY (kind, value)
);
CREATE INDEX revocations_until ON revocations (until);
CREATE INDEX operators_inactive ON operators (id) WHERE NOT active;
ALTER TABLE tickets ADD COLUMN token_issued_at timestamptz;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
