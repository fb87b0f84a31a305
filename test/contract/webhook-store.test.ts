/** The webhooks' store, in memory and in PostgreSQL. */
import { memoryWebhooks } from '../support/memory/memory-webhooks.ts';
import { commitOutbox } from '../support/outbox-rows.ts';
import { testDatabase } from '../support/test-database.ts';
import type { TestDatabase } from '../support/test-database.ts';
import { webhookStoreContract } from './webhook-store.contract.ts';

const memory = memoryWebhooks();
webhookStoreContract('memory', () => ({
  ...memory,
  commit: (...entries) => {
    memory.commit(...entries);
    return Promise.resolve();
  },
}));

describe('in PostgreSQL', function () {
  this.timeout(30_000);
  let database: TestDatabase | null = null;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database?.close());
  webhookStoreContract('PostgreSQL', () => ({
    ...database!,
    commit: (...entries) => commitOutbox(database!, entries),
  }));
});
