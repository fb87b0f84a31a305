/** Runs one of PostgreSQL's programs to its end, as the user that owns the server's files. */
import { spawn } from 'node:child_process';

export type Account = { uid: number; gid: number };

/** `exitCode` is null when the program could not start or was killed; `output` is what it said on both streams. */
export type RunEnd = { exitCode: number | null; output: string };

const defaultDeadlineMs = 20_000;

/** With a clean environment (nothing of libpq's or initdb's variables comes through), and within a deadline. */
export async function runAs(
  account: Account | undefined,
  command: string,
  args: readonly string[],
  { cwd = '/', deadlineMs = defaultDeadlineMs } = {},
): Promise<RunEnd> {
  const child = spawn(command, args, {
    cwd,
    ...account,
    env: serverEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(null);
    });
    child.once('close', (code) => resolve(code));
  });
  clearTimeout(deadline);
  return { exitCode, output };
}

/** What the server and its tools see of the environment. */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};
