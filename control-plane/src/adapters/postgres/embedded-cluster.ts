/**
 * Makes the database cluster of a data directory, once: initdb beside its place, then one rename, so that a cluster
 * that exists is complete, whenever we were killed. Its superuser has a random password in a file for root's and
 * the server's eyes only, because other users of the machine can reach a port on loopback.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chown, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { runAs, type Account } from './run-as.ts';

const initDeadlineMs = 120_000;
const partPrefix = 'data.part-';

/** Returns the password of `role`, the cluster's superuser. The caller holds the start lock. */
export async function initialiseCluster(
  home: string,
  binDir: string,
  account: Account | undefined,
  role: string,
): Promise<string> {
  const data = join(home, 'data');
  const passwordFile = join(home, 'password');
  if (!existsSync(data)) {
    await removeParts(home);
    await writePassword(passwordFile, account);
    await runInitdb(home, data, binDir, account, role, passwordFile);
  }
  const password = await readFile(passwordFile, 'utf8').catch(() => '');
  if (password !== '') return password.trim();
  throw new EmbeddedPostgresError(
    'ERR_EMBEDDED_POSTGRES_PASSWORD',
    `${passwordFile} is gone, and without it nobody can log in to ${data}. Put it back, or delete the data directory.`,
  );
}

async function writePassword(file: string, account: Account | undefined): Promise<void> {
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  await writeFile(draft, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (account !== undefined) await chown(draft, account.uid, account.gid);
  await rename(draft, file);
}

async function runInitdb(
  home: string,
  data: string,
  binDir: string,
  account: Account | undefined,
  role: string,
  passwordFile: string,
): Promise<void> {
  const part = join(home, `${partPrefix}${process.pid}`);
  const args = [
    `--pgdata=${part}`,
    `--username=${role}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  const limits = { cwd: home, deadlineMs: initDeadlineMs };
  const { exitCode, output } = await runAs(account, join(binDir, 'initdb'), args, limits);
  if (exitCode !== 0) {
    await rm(part, { recursive: true, force: true });
    throw new EmbeddedPostgresError('ERR_EMBEDDED_POSTGRES_INIT', `initdb failed: ${output.slice(-1000)}`);
  }
  await moveIn(part, data, home);
}

async function moveIn(part: string, data: string, home: string): Promise<void> {
  await rename(part, data);
  const directory = await open(home);
  await directory.sync();
  await directory.close();
}

async function removeParts(home: string): Promise<void> {
  for (const name of readdirSync(home)) {
    if (name.startsWith(partPrefix)) await rm(join(home, name), { recursive: true, force: true });
  }
}
