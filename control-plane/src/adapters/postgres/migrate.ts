/** Brings the schema up to this program's version: forward only, one node at a time. */
import type { Knex } from 'knex';
import { Client } from 'pg';
import { MIGRATIONS } from '../../../migrations/index.ts';
import type { Migration } from '../../../migrations/index.ts';
import type { Log } from '../../ports/log.ts';
import type { Deadlines } from './connections.ts';
import { guarded } from './guarded.ts';
import { openKnex } from './knex-connections.ts';

const TABLE = 'knex_migrations';
/** Advisory lock of whoever migrates ("MIGR"). The server frees it when the holder's connection ends, however it ends. */
const LOCK_SQL = 'SELECT pg_advisory_lock(1296648018, 1)';
const MIGRATION_MINUTES = 30;

const CONFIG: Knex.MigratorConfig = {
  tableName: TABLE,
  migrationSource: {
    getMigrations: () => Promise.resolve([...MIGRATIONS]),
    getMigrationName: (migration: Migration) => migration.name,
    getMigration: (migration: Migration) =>
      Promise.resolve({ up: (knex: Knex) => migration.up(knex), down: noWayBack }),
  },
  // A program that was rolled back runs on the newer schema: migrations only ever add what the older one can ignore.
  disableMigrationsListValidation: true,
};

export async function migrate(url: string, deadlines: Deadlines, log: Log): Promise<void> {
  const patient: Deadlines = {
    ...deadlines,
    statementMs: MIGRATION_MINUTES * 60_000,
    answerMs: MIGRATION_MINUTES * 60_000,
    idleInTransactionMs: 60_000,
  };
  const holder = new Client({
    connectionString: url,
    connectionTimeoutMillis: deadlines.connectMs,
    query_timeout: patient.answerMs,
    keepAlive: true,
  });
  // Losing the lock while migrating is survivable: knex has a lock of its own.
  holder.on('error', () => log.warn('the connection that guards the migration was lost'));
  const connections = openKnex(url, 2, patient, log);
  try {
    await guarded(holder.connect());
    await guarded(holder.query(LOCK_SQL));
    await run(connections.knex, log);
  } finally {
    await connections.end();
    await holder.end();
  }
}

async function run(knex: Knex, log: Log): Promise<void> {
  if ((await pendingMigrations(knex)).length === 0) return;
  // We hold the real lock: knex's own, a row, can only be what a killed node left behind.
  await guarded(knex.migrate.forceFreeMigrationsLock(CONFIG));
  const [, names] = await guarded(knex.migrate.latest(CONFIG) as Promise<[number, string[]]>);
  log.info('database migrated', { migrations: names.join(' ') });
}

/** Names of the migrations that this program has and the database has not, in order. Changes nothing. */
export async function pendingMigrations(knex: Knex): Promise<readonly string[]> {
  const { rows } = await guarded(
    knex.raw<{ rows: { present: boolean }[] }>('SELECT to_regclass(?) IS NOT NULL AS present', [TABLE]),
  );
  const done = rows[0]?.present
    ? await guarded(knex.from(TABLE).select<{ name: string }[]>('name').limit(10_000))
    : [];
  const names = new Set(done.map((row) => row.name));
  return MIGRATIONS.map((migration) => migration.name).filter((name) => !names.has(name));
}

function noWayBack(): Promise<never> {
  return Promise.reject(new Error('migrations go forward only'));
}
