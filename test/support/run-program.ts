/** Runs a program to its end, within a deadline, and gives what it said; for tests of our own command lines. */
import { spawn } from 'node:child_process';

export type ProgramEnd = { exitCode: number | null; output: string; durationMs: number };

export type ProgramOptions = {
  cwd: string;
  /** Instead of the test's own environment. */
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  deadlineMs?: number;
};

export async function runProgram(
  command: string,
  args: readonly string[],
  { deadlineMs = 30_000, ...options }: ProgramOptions,
): Promise<ProgramEnd> {
  const beganMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: deadlineMs, ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  return { exitCode, output, durationMs: performance.now() - beganMs };
}
