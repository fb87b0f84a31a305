import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  asteriskDirectories,
  prepareAsteriskDirectories,
  rootLoader,
  writeMinimalAsteriskConf,
  type AsteriskDirectories,
} from './asterisk-directories.ts';
import {
  endLeftover,
  endProcess,
  identifyProcess,
  isRunning,
  writePidFile,
  type ProcessEnd,
  type ProcessIdentity,
} from './process-identity.ts';

/**
 * One Asterisk of the sandbox: started from the shared root, without chroot and without privileges, through
 * the root's own loader, with a run directory of its own. Any number run side by side.
 *
 * The caller writes the configuration into `<runDir>/etc` first; where that holds no asterisk.conf, a plain
 * one with the directories is put there. What Asterisk prints goes to `<runDir>/log/console.log`, what it
 * logs to where logger.conf says (log/full). The pid file is `<runDir>/asterisk.pid.json`.
 */
export interface AsteriskOptions {
  /** The unpacked Asterisk root, shared by all processes, only read. */
  readonly root: string;
  /** At most 90 bytes as an absolute path (a unix socket lies in it). */
  readonly runDir: string;
  /** For messages: "gateway", "carrier". */
  readonly name: string;
  /** Where its ARI will listen, and a user of its ari.conf: by this it is known to be ready. */
  readonly ari: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  readonly startTimeoutMs?: number;
}

export interface AsteriskProcess {
  readonly pid: number;
  readonly directories: AsteriskDirectories;
  /** Milliseconds from the spawn to the first good answer of ARI. */
  readonly startedInMs: number;
  /** Resolves when the process has ended, whoever ended it. */
  readonly exited: Promise<AsteriskExit>;
  /** Waits until ARI answers again, e.g. after a reload. Throws ERR_SANDBOX_ASTERISK_START. */
  waitReady(timeoutMs?: number): Promise<void>;
  /** SIGTERM, SIGKILL after 5 s; harmless when repeated. Removes the pid file. */
  stop(): Promise<ProcessEnd>;
  /** SIGKILL at once, as a crash would: for tests of an engine that dies. */
  kill(): Promise<void>;
}

export interface AsteriskExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const START_TIMEOUT_MS = 20_000;
const STOP_DEADLINES_MS = { term: 5_000, kill: 2_000 };
const READY_POLL_MS = 25;
const LOG_TAIL_LINES = 30;

/** The file by which the next start finds a process that outlived its sandbox. */
export function asteriskPidFile(runDir: string): string {
  return join(resolve(runDir), 'asterisk.pid.json');
}

/** Ends an Asterisk that an earlier, killed sandbox left running in `runDir`; 'gone' when there is none. */
export function endLeftoverAsterisk(runDir: string): Promise<ProcessEnd> {
  return endLeftover(asteriskPidFile(runDir), STOP_DEADLINES_MS);
}

/** Resolves when ARI answers. Throws ERR_SANDBOX_ASTERISK_START with the tail of the log. */
export async function startAsterisk(options: AsteriskOptions): Promise<AsteriskProcess> {
  const root = resolve(options.root);
  const runDir = resolve(options.runDir);
  const directories = asteriskDirectories(root, runDir);
  await endLeftoverAsterisk(runDir);
  prepareAsteriskDirectories(root, directories);
  rmSync(join(directories.run, 'asterisk.ctl'), { force: true });
  if (!existsSync(join(directories.etc, 'asterisk.conf'))) writeMinimalAsteriskConf(directories);

  const startedAt = performance.now();
  const child = spawnAsterisk(root, directories);
  const exited = new Promise<AsteriskExit>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
    child.once('error', () => settle({ code: null, signal: null }));
  });
  const identity = await identifyChild(child, directories, options.name);
  writePidFile(asteriskPidFile(runDir), identity);
  const stop = async (): Promise<ProcessEnd> => {
    const end = await endProcess(identity, STOP_DEADLINES_MS);
    await exited;
    rmSync(asteriskPidFile(runDir), { force: true });
    return end;
  };
  const waitReady = (timeoutMs = START_TIMEOUT_MS): Promise<void> =>
    untilAriAnswers(options, identity, directories, timeoutMs);
  try {
    await waitReady(options.startTimeoutMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: identity.pid,
    directories,
    startedInMs: performance.now() - startedAt,
    exited,
    waitReady,
    stop,
    kill: async () => {
      if (isRunning(identity)) process.kill(identity.pid, 'SIGKILL');
      await exited;
    },
  };
}

function spawnAsterisk(root: string, directories: AsteriskDirectories): ChildProcess {
  const { loader, libraryPath, triplet } = rootLoader(root);
  const consoleLog = openSync(join(directories.log, 'console.log'), 'a');
  try {
    return spawn(
      loader,
      [
        '--inhibit-cache',
        '--library-path',
        libraryPath,
        '--argv0',
        'asterisk',
        join(root, 'usr/sbin/asterisk'),
        '-f',
        '-C',
        join(directories.etc, 'asterisk.conf'),
      ],
      {
        cwd: directories.run,
        // A session of its own: Ctrl-C in the terminal reaches the sandbox, which then ends us in order.
        detached: true,
        stdio: ['ignore', consoleLog, consoleLog],
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          HOME: directories.run,
          LANG: 'C.UTF-8',
          // The host's OpenSSL configuration may not suit the root's OpenSSL.
          OPENSSL_CONF: '/dev/null',
          OPENSSL_MODULES: join(root, 'usr/lib', triplet, 'ossl-modules'),
          ...configuredEnvironment(directories),
        },
      },
    );
  } finally {
    closeSync(consoleLog);
  }
}

/** What `environment` among its configuration says, where there is one: NAME=value lines, as systemd reads them. */
function configuredEnvironment({ etc }: AsteriskDirectories): Record<string, string> {
  const file = join(etc, 'environment');
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value] as const));
}

/** After spawn() the child exists, but shows our own command line until it has exec'd: wait for its own. */
async function identifyChild(
  child: ChildProcess,
  directories: AsteriskDirectories,
  name: string,
): Promise<ProcessIdentity> {
  const deadline = performance.now() + 2_000;
  while (child.pid !== undefined && child.exitCode === null && performance.now() < deadline) {
    const identity = identifyProcess(child.pid, directories.etc);
    if (identity !== undefined) return identity;
    await delay(2);
  }
  throw startError(name, 'did not start', directories);
}

async function untilAriAnswers(
  options: AsteriskOptions,
  identity: ProcessIdentity,
  directories: AsteriskDirectories,
  timeoutMs: number,
): Promise<void> {
  const { host, port, user, password } = options.ari;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/ari/asterisk/ping`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const deadline = performance.now() + timeoutMs;
  let last = 'no connection';
  while (performance.now() < deadline) {
    if (!isRunning(identity)) throw startError(options.name, 'ended while starting', directories);
    try {
      const response = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(1_000) });
      await response.arrayBuffer();
      if (response.ok) return;
      last = `HTTP ${response.status}`;
    } catch {
      last = 'no connection';
    }
    await delay(READY_POLL_MS);
  }
  throw startError(options.name, `its ARI did not answer within ${timeoutMs} ms (${last})`, directories);
}

function startError(name: string, what: string, directories: AsteriskDirectories): Error {
  const tails = ['console.log', 'full'].map((file) => logTail(join(directories.log, file))).join('');
  return Object.assign(new Error(`Asterisk "${name}" ${what}${tails}`), {
    code: 'ERR_SANDBOX_ASTERISK_START',
  });
}

function logTail(file: string): string {
  if (!existsSync(file)) return '';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  return `\n--- ${file}\n${lines.join('\n')}`;
}
