/**
 * Where the embedded server's files lie. Its user must be able to reach them: it cannot below a directory that is
 * closed to others, such as a clone in root's home. Then they go below /var/lib/hamrahi-sandbox, which only root
 * can write, and the data directory that was asked for becomes a symbolic link to them.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../ports/log.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { runAs, type Account, type RunEnd } from './run-as.ts';

/** Root's own, so that nobody else can put anything there beforehand (as one could in /tmp). */
const openPlace = '/var/lib/hamrahi-sandbox';

/** The real directory for a data directory: made when missing, owned and reachable by the server's account. */
export async function reachableHome(
  dataDir: string,
  account: Account | undefined,
  log: Log,
): Promise<string> {
  if (account === undefined) {
    await makePrivate(dataDir);
    return realpath(dataDir);
  }
  const linked = await readlink(dataDir).catch(() => undefined);
  if (linked !== undefined) {
    if (existsSync(linked)) return linked;
    await rm(dataDir);
  }
  await makePrivate(dataDir);
  await chown(dataDir, account.uid, account.gid);
  if ((await runAs(account, '/usr/bin/test', ['-w', dataDir])).exitCode === 0) return realpath(dataDir);
  return moveOut(dataDir, account, log);
}

/** Deletes a data directory, and what it points to. */
export async function forgetHome(dataDir: string): Promise<void> {
  const linked = await readlink(dataDir).catch(() => undefined);
  if (linked?.startsWith(`${openPlace}/`) === true) await rm(linked, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

/** The directory of `postgres` and `initdb` that the account may execute: the package's, or a copy of the package's. */
export async function reachableBinaries(account: Account | undefined, log: Log): Promise<string> {
  const { native, version } = platformPackage();
  const binDir = join(native, 'bin');
  const tryAs = (who: Account | undefined): Promise<RunEnd> =>
    runAs(who, join(binDir, 'postgres'), ['--version']);
  if ((await tryAs(account)).exitCode === 0) return binDir;
  const { exitCode, output } = await tryAs(undefined);
  if (account === undefined || exitCode !== 0) {
    throw new EmbeddedPostgresError(
      'ERR_EMBEDDED_POSTGRES_PACKAGE',
      `${join(binDir, 'postgres')} does not run (${output.trim()}). Run make setup, or set DATABASE_URL.`,
    );
  }
  const copy = join(openPlace, `postgres-${version}-${process.arch}`);
  if (!existsSync(copy)) {
    log.info('the PostgreSQL binaries are copied to where their user can reach them', { place: copy });
    await copyWhole(native, copy);
  }
  return join(copy, 'bin');
}

async function moveOut(dataDir: string, account: Account, log: Log): Promise<string> {
  const notEmpty = await rmdir(dataDir).then(
    () => false,
    () => true,
  );
  if (notEmpty) {
    throw new EmbeddedPostgresError(
      'ERR_EMBEDDED_POSTGRES_PLACE',
      `The user of the embedded PostgreSQL cannot reach ${dataDir}, which is not empty. ` +
        'Open its parent directories to others (chmod o+x), or delete it.',
    );
  }
  await openToAll(openPlace);
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const place = join(openPlace, `data-${name}`);
  await rm(place, { recursive: true, force: true });
  await mkdir(place, { mode: 0o700 });
  await chown(place, account.uid, account.gid);
  await symlink(place, dataDir);
  log.info('the data directory is closed to the user of PostgreSQL; it is now a link', { dataDir, place });
  return place;
}

/** Complete or not at all: copied beside its place and renamed. Losing the race against another copier is fine. */
async function copyWhole(from: string, to: string): Promise<void> {
  await openToAll(dirname(to));
  const part = `${to}.part-${randomBytes(4).toString('hex')}`;
  await cp(from, part, { recursive: true, verbatimSymlinks: true });
  await chmod(part, 0o755);
  await rename(part, to).catch(async (error: unknown) => {
    await rm(part, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  });
}

/** Closed to others itself; parents that must be made are as open as any directory. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
}

async function openToAll(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const { uid } = await lstat(directory);
  if (uid !== 0)
    throw new EmbeddedPostgresError('ERR_EMBEDDED_POSTGRES_PLACE', `${directory} does not belong to root.`);
  await chmod(directory, 0o755);
}

/** The package that carries this machine's binaries is a dependency of `embedded-postgres`, not one of ours. */
function platformPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres'))).resolve(name);
    const directory = dirname(dirname(entry));
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string };
    return { native: join(directory, 'native'), version: manifest.version };
  } catch {
    throw new EmbeddedPostgresError(
      'ERR_EMBEDDED_POSTGRES_PACKAGE',
      `The package ${name} is missing. Run make setup, or set DATABASE_URL.`,
    );
  }
}
