/** The store's contracts, on the fake that scenario tests use and on real PostgreSQL. */
import { memoryStore } from '../support/memory-store.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { testDatabase } from '../support/test-database.ts';
import type { TestDatabase } from '../support/test-database.ts';
import { directoryContract } from './directory.contract.ts';
import { dutyContract } from './duty.contract.ts';
import { feedContract } from './feed.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import { revocationsContract } from './revocations.contract.ts';
import { sessionStoreContract } from './session-store.contract.ts';

function allContracts(name: string, ports: () => Omit<MemoryStore, 'dropEvents'>): void {
  sessionStoreContract(name, () => ports().store);
  dutyContract(name, ports);
  feedContract(name, () => ports().store);
  directoryContract(name, ports);
  ledgerContract(name, ports);
  revocationsContract(name, ports);
}

describe('ports of the store in memory', () => {
  const memory = memoryStore();
  allContracts('memory', () => memory);
});

describe('ports of the store in PostgreSQL', () => {
  let database: TestDatabase | null = null;
  before(async function () {
    this.timeout(60_000);
    database = await testDatabase();
  });
  after(() => database?.close());
  allContracts('PostgreSQL', () => database!);
});
