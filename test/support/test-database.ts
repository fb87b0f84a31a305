/** Fresh, migrated databases on one real PostgreSQL, which runs as long as the test process. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { after } from 'mocha';
import {
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../control-plane/src/adapters/postgres/embedded.ts';
import type { EmbeddedPostgres } from '../../control-plane/src/adapters/postgres/embedded.ts';
import { openDatabase } from '../../control-plane/src/adapters/postgres/open-database.ts';
import type { Database, DatabaseOptions } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { keptLog } from './kept-log.ts';

let dataDir: string | null = null;
let server: Promise<EmbeddedPostgres> | null = null;
let created = 0;

after(async function stopTestServer() {
  this.timeout(30_000);
  if (dataDir !== null) await removeEmbeddedPostgres(dataDir);
});

function testServer(): Promise<EmbeddedPostgres> {
  if (server === null) {
    dataDir = mkdtempSync(join(tmpdir(), 'hamrahi-pg-'));
    server = startEmbeddedPostgres({ dataDir, log: keptLog() });
  }
  return server;
}

/** The URL of a new, empty database. */
export async function emptyDatabaseUrl(): Promise<string> {
  const { url } = await testServer();
  created += 1;
  const name = `test_${created}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${name}`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

export interface TestDatabase extends Database {
  readonly url: string;
  /** A statement past the adapter: what stands in the tables, or what somebody does to them behind our back. */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A new database with the whole schema. `close` closes its connections; the server goes with the process. */
export async function testDatabase(options: Partial<DatabaseOptions> = {}): Promise<TestDatabase> {
  const url = await emptyDatabaseUrl();
  const database = openDatabase({ url, poolSize: 10, log: keptLog(), ...options });
  await database.migrate();
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    ...database,
    url,
    sql: async <Row extends object>(statement: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(statement, [...values])).rows,
    close: async () => {
      await client.end();
      await database.close();
    },
  };
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
