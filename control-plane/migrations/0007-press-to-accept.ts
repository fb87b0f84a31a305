/** Duty phones that have to press 1 before a call counts as taken. */
import type { Knex } from 'knex';

export const name = '0007-press-to-accept';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE roster ADD COLUMN press_to_accept boolean NOT NULL DEFAULT false');
}
