/** One control-plane process of the sandbox: the same program that servers run, with its settings in the environment. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from './call.ts';
import { endProcess, identifyProcess, writePidFile, type ProcessIdentity } from './process-identity.ts';

const MAIN = resolve(import.meta.dirname, '../src/main.ts');
const READY_DEADLINE_MS = 20_000;
const POLL_MS = 20;
const STOP_DEADLINES_MS = { term: 8000, kill: 2000 };
const LOG_TAIL_LINES = 30;

export interface ControlPlaneOptions {
  /** Its log and pid file lie in `<runDir>/control-plane`. */
  readonly runDir: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the process can serve. */
  readonly readyUrl: string;
  /** PEM of the sandbox's own certificate; `null` without TLS. */
  readonly certificateFile: string | null;
}

export interface ControlPlaneProcess {
  readonly pid: number;
  readonly logFile: string;
  /** Its exit code, when it has ended, whoever ended it; `null`: by a signal. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
  /** SIGSTOP, SIGCONT and the like; nothing when it is gone. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL at once, as a crash would. */
  kill(): Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlaneProcess> {
  const folder = join(options.runDir, 'control-plane');
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, `${options.name}.log`);
  const output = openSync(logFile, 'a', 0o600);
  const marker = `--run=${options.runDir}/${options.name}`;
  const child = spawn(process.execPath, [MAIN, marker], {
    env: { PATH: process.env['PATH'] ?? '', ...compiledModules(), ...options.env },
    stdio: ['ignore', output, output],
    detached: false,
  });
  closeSync(output);
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  let gone = false;
  void exited.then(() => (gone = true));
  const pid = child.pid;
  if (pid === undefined) throw sandboxError('the control plane could not be started');
  const identity = await identityOf(pid, marker);
  if (identity) writePidFile(join(folder, `${options.name}.pid.json`), identity);
  let said = 'nothing';
  const ready = await until(
    async () => {
      const { status, text } = await readiness(options);
      if (status !== null) said = `${status} ${text}`;
      return status === 200;
    },
    () => gone,
    READY_DEADLINE_MS,
  );
  if (!ready) {
    child.kill('SIGKILL');
    throw sandboxError(
      `the control plane is not ready after ${READY_DEADLINE_MS / 1000} s; it said last: ${said}; its log ends:\n${tail(logFile)}`,
    );
  }
  return {
    pid,
    logFile,
    exited,
    stop: async () => {
      if (identity) await endProcess(identity, STOP_DEADLINES_MS);
      await exited;
    },
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Where this process has Node keep compiled modules, if anywhere: a start costs half as much then. */
function compiledModules(): Readonly<Record<string, string>> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/** Right after the spawn, /proc still shows the parent's command line. */
async function identityOf(pid: number, marker: string): Promise<ProcessIdentity | undefined> {
  for (let tries = 0; tries < 50; tries += 1) {
    const identity = identifyProcess(pid, marker);
    if (identity) return identity;
    await delay(5);
  }
  return undefined;
}

async function readiness({
  readyUrl,
  certificateFile,
}: ControlPlaneOptions): Promise<{ readonly status: number | null; readonly text: string }> {
  try {
    return await call(readyUrl, { certificateFile, deadlineMs: 1000 });
  } catch {
    return { status: null, text: '' };
  }
}

async function until(
  good: () => Promise<boolean>,
  over: () => boolean,
  deadlineMs: number,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end && !over()) {
    if (await good()) return true;
    await delay(POLL_MS);
  }
  return false;
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

function sandboxError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_SANDBOX_CONTROL_PLANE' });
}
