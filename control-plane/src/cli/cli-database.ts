/** The database that a command works on, with deadlines for somebody who waits at a terminal and for large answers. */
import { openDatabase } from '../adapters/postgres/open-database.ts';
import type { Database } from '../adapters/postgres/open-database.ts';
import { loadSetting } from '../config/load-config.ts';
import type { Log } from '../ports/log.ts';
import { StoreError } from '../ports/session-store.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { readSandboxRun } from './sandbox-run.ts';

const ANSWER_MINUTES = 30;
const POOL_SIZE = 4;

/** A command answers with its exit code and one sentence; the log is for programs that run on. */
export const cliLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => cliLog,
};

/** Runs `work` and closes the database, however it ends. `run`: the run directory of a sandbox, if one is meant. */
export async function withDatabase<T>(
  run: string | undefined,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = openDatabase({
    url: databaseUrl(run),
    poolSize: POOL_SIZE,
    log: cliLog,
    deadlines: {
      connectMs: 5000,
      statementMs: ANSWER_MINUTES * 60_000,
      answerMs: ANSWER_MINUTES * 60_000,
      idleInTransactionMs: ANSWER_MINUTES * 60_000,
    },
  });
  try {
    const pending = await database.pendingMigrations();
    if (pending.length > 0)
      throw new CommandFailure(
        `The database is older than this program: it lacks ${pending.join(', ')}. Starting the gateway brings it up to date.`,
      );
    return await work(database);
  } catch (error) {
    if (error instanceof StoreError)
      throw new CommandFailure(`The database did not do it: ${error.message} (${error.code}).`);
    throw error;
  } finally {
    await database.close();
  }
}

function databaseUrl(run: string | undefined): string {
  if (run !== undefined) return readSandboxRun(run).databaseUrl;
  const setting = loadSetting('DATABASE_URL');
  if (!setting.ok) throw new CommandFailure(setting.sentence, EXIT.usage);
  if (setting.value === null)
    throw new CommandFailure('Say which database: set DATABASE_URL, or give --run of a sandbox.', EXIT.usage);
  return setting.value.reveal();
}
