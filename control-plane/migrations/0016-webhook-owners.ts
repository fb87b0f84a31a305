/** Whose a webhook endpoint is: each backend sees and changes its own. */
import type { Knex } from 'knex';

export const name = '0016-webhook-owners';

const DDL = `
-- Role and subject of the token that created it. Null: from before there were owners, and every backend's, as it was then.
ALTER TABLE webhook_endpoints ADD COLUMN owner text;
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
