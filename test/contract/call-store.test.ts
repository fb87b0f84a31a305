/** The contract of calls, on the fake that tests of the app use and on real PostgreSQL. */
import { MemoryCallStore } from '../support/memory-call-store.ts';
import { testDatabase } from '../support/test-database.ts';
import type { TestDatabase } from '../support/test-database.ts';
import { callStoreContract } from './call-store.contract.ts';

describe('calls in memory', () => {
  const memory = new MemoryCallStore();
  callStoreContract('memory', () => memory);
});

describe('calls in PostgreSQL', () => {
  let database: TestDatabase | null = null;
  before(async function () {
    this.timeout(60_000);
    database = await testDatabase();
  });
  after(() => database?.close());
  callStoreContract('PostgreSQL', () => database!.calls);
});
