/** Who waits for an operator is counted with each activation: by an index of those alone, however many are open. */
import type { Knex } from 'knex';

export const name = '0010-queue';

const DDL = `
CREATE INDEX IF NOT EXISTS sessions_waiting ON sessions (zone_id)
  WHERE open AND operator_id IS NULL AND activated_at IS NOT NULL;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
