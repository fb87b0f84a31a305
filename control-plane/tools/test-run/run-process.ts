/** Runs one process of a test run to its end, or to its deadline. */
import { spawn, type ChildProcess } from 'node:child_process';

export type ProcessEnd = {
  exitCode: number | null;
  timedOut: boolean;
  /** What it said; empty where it was heard by itself. */
  said: Buffer;
};

const killAfterMs = 5_000;
const afterwordMs = 1_000;

/** Those that run: whoever ends before them ends them, too. */
const running = new Set<ChildProcess>();

/** `aloud`: what it says goes to the terminal as it comes; otherwise it is kept. */
export async function runProcess(
  [command, ...args]: readonly [string, ...string[]],
  options: { cwd: string; env: NodeJS.ProcessEnv; deadlineMs: number; aloud: boolean },
): Promise<ProcessEnd> {
  const output = options.aloud ? 'inherit' : 'pipe';
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', output, output],
  });
  running.add(child);
  const said: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => said.push(data));
  child.stderr?.on('data', (data: Buffer) => said.push(data));
  const state = { timedOut: false };
  const deadline = setTimeout(() => {
    state.timedOut = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  }, options.deadlineMs);
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      // What it said last is wanted too; but a process that it left behind may hold its pipes open for ever.
      child.once('close', resolve);
      child.once('exit', (code) => setTimeout(() => resolve(code), afterwordMs).unref());
    });
    return { exitCode, timedOut: state.timedOut, said: Buffer.concat(said) };
  } finally {
    clearTimeout(deadline);
    running.delete(child);
    // Otherwise such a process would hold this one, too.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

export function endProcesses(): void {
  for (const child of running) child.kill('SIGTERM');
}
