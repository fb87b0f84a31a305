/**
 * Runs one of the system's programs for an installation step: all output into a log file, a deadline, and an end
 * together with this process (the kernel sends SIGTERM to the program when its parent dies, even by SIGKILL).
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';

export type CommandRequest = {
  command: string;
  args: readonly string[];
  logFile: string;
  deadlineMs: number;
  /** Sees each line of output as it comes. */
  onLine?: (line: string) => void;
};

/** `exitCode` is null when the program could not start, was killed, or passed its deadline (`timedOut`). */
export type CommandEnd = { exitCode: number | null; timedOut: boolean; output: string };

const keptOutputChars = 20_000;
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const killAfterMs = 10_000;

/** Programs speak English and ask nothing, so that their messages can be recognised. */
function commandEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: systemPath,
    LC_ALL: 'C',
    DEBIAN_FRONTEND: 'noninteractive',
    DEBCONF_NOWARNINGS: 'yes',
  };
}

export async function runCommand(request: CommandRequest): Promise<CommandEnd> {
  const log = createWriteStream(request.logFile, { flags: 'a' });
  log.write(`\n$ ${request.command} ${request.args.join(' ')}\n`);
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', request.command, ...request.args], {
    env: commandEnvironment(),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const deadline = { passed: false };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      output = `${output}${line}\n`.slice(-keptOutputChars);
      request.onLine?.(line);
    });
  }
  const timer = setTimeout(() => {
    deadline.passed = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  }, request.deadlineMs);
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      output += `${error.message}\n`;
      resolve(null);
    });
    child.once('close', (code) => resolve(code));
  });
  clearTimeout(timer);
  log.end();
  await finished(log);
  return { exitCode: deadline.passed ? null : exitCode, timedOut: deadline.passed, output };
}
