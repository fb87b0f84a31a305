/** A session that is being handed over takes up the capacity of who is to take it, before it is his. */
import type { Knex } from 'knex';

export const name = '0008-hand-over';

const DDL = `
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS handed_to text COLLATE "C";
CREATE INDEX IF NOT EXISTS sessions_handed ON sessions (handed_to) WHERE open AND handed_to IS NOT NULL;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
