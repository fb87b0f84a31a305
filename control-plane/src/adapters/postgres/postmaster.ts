/**
 * A running PostgreSQL as its data directory tells of it: the file `postmaster.pid` (its lines are listed in
 * PostgreSQL's miscadmin.h: pid, data directory, start time, port, socket directory, address, shared memory, status).
 * A pid alone proves nothing after a crash, since the kernel gives it to others: the process must also be a
 * `postgres` whose working directory is this very data directory.
 */
import { readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-error.ts';

export type Postmaster = { pid: number; port: number; ready: boolean };

const pollMs = 15;
const rudeDeadlineMs = 3_000;

/** What the text of `postmaster.pid` says, or undefined while it is still being written. */
export function parsePostmasterPid(text: string): Postmaster | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 1 || !Number.isInteger(port) || port <= 0) return undefined;
  return { pid, port, ready: lines[7] === 'ready' };
}

/** The server that runs on this data directory now, if one does. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const postmaster = parsePostmasterPid(text);
  return postmaster !== undefined && (await runsOn(data, postmaster.pid)) ? postmaster : undefined;
}

/**
 * Fast shutdown (SIGINT: clients are cut, everything is checkpointed); past the deadline immediate shutdown
 * (SIGQUIT), then SIGKILL: the next start then recovers from the log, losing nothing that was committed.
 */
export async function stopPostmaster(data: string, { pid }: Postmaster, deadlineMs: number): Promise<void> {
  const steps = [
    { signal: 'SIGINT', waitMs: deadlineMs },
    { signal: 'SIGQUIT', waitMs: rudeDeadlineMs },
    { signal: 'SIGKILL', waitMs: rudeDeadlineMs },
  ] as const;
  for (const { signal, waitMs } of steps) {
    if (!(await runsOn(data, pid))) return;
    sendSignal(pid, signal);
    if (await isGone(data, pid, waitMs)) return;
  }
  throw new EmbeddedPostgresError('ERR_EMBEDDED_POSTGRES_STOP', `PostgreSQL, process ${pid}, does not end.`);
}

async function isGone(data: string, pid: number, waitMs: number): Promise<boolean> {
  const giveUpAtMs = performance.now() + waitMs;
  while (performance.now() < giveUpAtMs) {
    if (!(await runsOn(data, pid))) return true;
    await delay(pollMs);
  }
  return false;
}

async function runsOn(data: string, pid: number): Promise<boolean> {
  try {
    const [cwd, name, own] = await Promise.all([
      readlink(`/proc/${pid}/cwd`),
      readFile(`/proc/${pid}/comm`, 'utf8'),
      realpath(data),
    ]);
    return cwd === own && name.trim() === 'postgres';
  } catch {
    return false;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
