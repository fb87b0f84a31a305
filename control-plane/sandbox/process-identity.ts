import { readFileSync, writeFileSync, rmSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/**
 * Which process exactly: a pid alone is re-used by the kernel, a pid together with the start time of its
 * process (field 22 of /proc/<pid>/stat, in clock ticks since boot) is not. A sandbox writes it to a file
 * when it starts a server, so that the next start can end what a SIGKILL left behind, and nothing else.
 */
const identitySchema = z.strictObject({
  pid: z.int().positive(),
  startTicks: z.string().regex(/^\d+$/),
  /** A piece of the command line (its run directory) that the process must still carry. */
  marker: z.string().min(1),
});

export type ProcessIdentity = z.infer<typeof identitySchema>;

/** How a process ended: by itself before we asked, after SIGTERM, or only after SIGKILL. */
export type ProcessEnd = 'gone' | 'terminated' | 'killed';

/** The identity of a running process of ours, or undefined when there is none with this pid and marker. */
export function identifyProcess(pid: number, marker: string): ProcessIdentity | undefined {
  const startTicks = readStartTicks(pid);
  if (startTicks === undefined || !readCommandLine(pid).includes(marker)) return undefined;
  return { pid, startTicks, marker };
}

/** True while exactly this process runs. A zombie does not run. */
export function isRunning(identity: ProcessIdentity): boolean {
  return (
    readStartTicks(identity.pid) === identity.startTicks &&
    readCommandLine(identity.pid).includes(identity.marker)
  );
}

/** Writes the file whole or not at all. */
export function writePidFile(path: string, identity: ProcessIdentity): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(identity)}\n`);
  renameSync(temporary, path);
}

/** The identity a pid file holds, or undefined when the file is absent or unreadable. */
export function readPidFile(path: string): ProcessIdentity | undefined {
  try {
    return identitySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Ends the process of a pid file, if it still is that process, and removes the file. */
export async function endLeftover(
  pidFile: string,
  deadlinesMs = { term: 5_000, kill: 2_000 },
): Promise<ProcessEnd> {
  const identity = readPidFile(pidFile);
  const end = identity === undefined ? 'gone' : await endProcess(identity, deadlinesMs);
  rmSync(pidFile, { force: true });
  return end;
}

/**
 * SIGTERM, then SIGKILL after `term` ms. Throws ERR_SANDBOX_PROCESS_STUCK when even that did not end it
 * within `kill` ms.
 */
export async function endProcess(
  identity: ProcessIdentity,
  deadlinesMs: { term: number; kill: number },
): Promise<ProcessEnd> {
  if (!signal(identity, 'SIGTERM')) return 'gone';
  if (await untilGone(identity, deadlinesMs.term)) return 'terminated';
  signal(identity, 'SIGKILL');
  if (await untilGone(identity, deadlinesMs.kill)) return 'killed';
  throw Object.assign(new Error(`process ${identity.pid} (${identity.marker}) survives SIGKILL`), {
    code: 'ERR_SANDBOX_PROCESS_STUCK',
  });
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

/** Start time in ticks; undefined when the process is gone or a zombie. */
function readStartTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    return state === 'Z' || state === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
