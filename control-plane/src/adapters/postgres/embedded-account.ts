/**
 * Whose processes and files the embedded server's are. PostgreSQL refuses to run as root; started by root it runs as
 * the system user `postgres`, which is created when the machine has none (it needs a name: initdb asks for it).
 */
import { readFile } from 'node:fs/promises';
import type { Log } from '../../ports/log.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { runAs, type Account } from './run-as.ts';

const userName = 'postgres';
const nameTakenExitCode = 9;

/** Undefined when this process is not root: then the server is simply its own. */
export async function serverAccount(log: Log): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const present = await lookUp();
  if (present !== undefined) return present;
  log.info(`creating the system user ${userName} for the embedded PostgreSQL`);
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const { exitCode } = await runAs(undefined, '/usr/sbin/useradd', [
    ...options,
    '--shell',
    '/usr/sbin/nologin',
    userName,
  ]);
  const created = exitCode === 0 || exitCode === nameTakenExitCode ? await lookUp() : undefined;
  if (created !== undefined) return created;
  throw new EmbeddedPostgresError(
    'ERR_EMBEDDED_POSTGRES_ACCOUNT',
    `root cannot run PostgreSQL, and the user ${userName} could not be created (useradd: ${String(exitCode)}). ` +
      'Create it, or set DATABASE_URL.',
  );
}

async function lookUp(): Promise<Account | undefined> {
  const users = await readFile('/etc/passwd', 'utf8');
  const [, , uid, gid] =
    users
      .split('\n')
      .find((line) => line.startsWith(`${userName}:`))
      ?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
