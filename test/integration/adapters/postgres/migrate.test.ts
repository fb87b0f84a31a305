import { expect } from 'chai';
import { openDatabase } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import { MIGRATIONS } from '../../../../control-plane/migrations/index.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { emptyDatabaseUrl, withClient } from '../../../support/test-database.ts';

const names = MIGRATIONS.map((migration) => migration.name);

describe('adapters/postgres/migrate', function () {
  this.timeout(60_000);
  let url = '';
  const databases: { close(): Promise<void> }[] = [];
  const open = () => {
    const database = openDatabase({ url, poolSize: 2, log: keptLog() });
    databases.push(database);
    return database;
  };

  beforeEach(async () => {
    url = await emptyDatabaseUrl();
  });
  afterEach(async () => {
    for (const database of databases.splice(0)) await database.close();
  });

  it('names what is pending, changes nothing by that, and has nothing pending afterwards', async () => {
    const database = open();
    expect(await database.pendingMigrations()).to.deep.equal(names);
    const tables = await withClient(url, (client) =>
      client.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`),
    );
    expect(tables.rows).to.deep.equal([]);
    await database.migrate();
    await database.migrate();
    expect(await database.pendingMigrations()).to.deep.equal([]);
    expect(await database.store.feedHead()).to.equal(0);
    expect(await database.store.feedFloor()).to.equal(0);
  });

  it('lets three nodes migrate at once', async () => {
    const three = [open(), open(), open()];
    await Promise.all(three.map((database) => database.migrate()));
    for (const database of three) expect(await database.pendingMigrations()).to.deep.equal([]);
  });

  it('is not stopped by the lock of a node that was killed while it migrated', async () => {
    const database = open();
    await database.migrate();
    await withClient(url, async (client) => {
      await client.query('UPDATE knex_migrations_lock SET is_locked = 1');
      await client.query(`DELETE FROM knex_migrations WHERE name = $1`, ['0003-feed']);
      await client.query(
        'DROP TABLE IF EXISTS feed, idempotency_keys, tickets, nodes; DROP SEQUENCE feed_seq',
      );
    });
    await database.migrate();
    expect(await database.pendingMigrations()).to.deep.equal([]);
  });

  it('runs on a schema that is newer than itself', async () => {
    const database = open();
    await database.migrate();
    await withClient(url, (client) =>
      client.query(
        `INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('9999-later', 9, now())`,
      ),
    );
    await database.migrate();
    expect(await database.pendingMigrations()).to.deep.equal([]);
  });

  it('leaves nothing at all when one migration fails half-way', async () => {
    await withClient(url, (client) => client.query('CREATE TABLE timers (mine integer)'));
    const database = open();
    const failure = await database.migrate().catch((error: unknown) => error as Error);
    expect(failure).to.be.an('error');
    expect(await database.pendingMigrations()).to.deep.equal(names);
    const left = await withClient(url, (client) =>
      client.query<{ found: string | null }>(
        `SELECT coalesce(to_regclass('sessions'), to_regclass('citizens')) AS found`,
      ),
    );
    expect(left.rows).to.deep.equal([{ found: null }]);
  });
});
