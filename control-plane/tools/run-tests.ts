/**
 * `run-tests.ts [--deadline-s <seconds>] [--beside <suite>]… <suite…> [-- <mocha option…>]`: runs the test suites one
 * after the other, each in a mocha of its own, those after `--beside` at the same time as the others (most of a test's
 * time is waiting; what such a suite prints comes last, in one piece), and ends with the line `N passed, N failed`, summed over all of them. Exit code 1 when anything failed: also when
 * a suite ran no test at all, crashed, or did not end within its deadline (then the tests that never ran count as
 * one failure, so that the last line never looks better than the exit code).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { SuiteTally } from './suite-reporter.ts';

type Request = {
  suites: readonly string[];
  beside: readonly string[];
  mochaOptions: readonly string[];
  deadlineMs: number | undefined;
};
type SuiteEnd = {
  suite: string;
  passed: number;
  failed: number;
  durationMs: number;
  problem: string | undefined;
  files: Readonly<Record<string, number>>;
};

const top = resolve(import.meta.dirname, '../..');
const minuteMs = 60_000;
const deadlinesMs: Readonly<Record<string, number>> = {
  unit: 3 * minuteMs,
  contract: 6 * minuteMs,
  integration: 15 * minuteMs,
  scenario: 10 * minuteMs,
  e2e: 20 * minuteMs,
};
const killAfterMs = 5_000;
const afterwordMs = 1_000;
const slowestShown = Number(process.env['SLOWEST'] ?? 12);

/** Where a suite's words go: to the terminal as they come, or into a list that is printed at its end. */
type Say = { line: (text: string) => void; said: Buffer[] | null };

async function runSuite(
  suite: string,
  request: Request,
  scratch: string,
  { line, said }: Say,
): Promise<SuiteEnd> {
  line(`\n── ${suite} ${'─'.repeat(Math.max(0, 60 - suite.length))}`);
  const beganMs = performance.now();
  const tallyFile = join(scratch, `${suite}.json`);
  const deadlineMs = request.deadlineMs ?? deadlinesMs[suite] ?? minuteMs;
  const args = [
    ...['--reporter', './control-plane/tools/suite-reporter.ts', '--reporter-option', `tally=${tallyFile}`],
    // Colours are for people at a terminal, and only there.
    ...(process.stdout.isTTY ? [] : ['--no-color']),
    ...request.mochaOptions,
    `test/${suite}/**/*.test.ts`,
  ];
  const { exitCode, timedOut } = await runMocha(args, deadlineMs, said);
  const tally = readTally(tallyFile);
  const problem = timedOut
    ? `did not end within ${deadlineMs / 1000} s${during(tally)}`
    : problemOf(tally, exitCode);
  if (problem !== undefined) line(`${suite}: ${problem}`);
  const durationMs = performance.now() - beganMs;
  const failed = problem !== undefined && tally.failed === 0 ? 1 : tally.failed;
  return { suite, passed: tally.passed, failed, durationMs, problem, files: tally.files };
}

async function runBeside(
  suite: string,
  request: Request,
  scratch: string,
): Promise<{ end: SuiteEnd; said: Buffer }> {
  const said: Buffer[] = [];
  const line = (text: string): void => void said.push(Buffer.from(`${text}\n`));
  const end = await runSuite(suite, request, scratch, { line, said });
  return { end, said: Buffer.concat(said) };
}

function problemOf(tally: SuiteTally, exitCode: number | null): string | undefined {
  if (!tally.ended) return `mocha ended early (exit code ${String(exitCode)})${during(tally)}`;
  if (tally.passed + tally.failed === 0) return 'ran no test at all';
  if (tally.failed > 0) return `${tally.failed} failed`;
  return exitCode === 0 ? undefined : `mocha ended with exit code ${String(exitCode)}`;
}

function during(tally: SuiteTally): string {
  if (tally.running !== null) return ` while running "${tally.running}"`;
  return tally.ended ? ', although all tests had ended: something still holds the process' : '';
}

function readTally(file: string): SuiteTally {
  if (!existsSync(file)) return { passed: 0, failed: 0, running: null, ended: false, files: {} };
  return JSON.parse(readFileSync(file, 'utf8')) as SuiteTally;
}

async function runMocha(
  args: readonly string[],
  deadlineMs: number,
  said: Buffer[] | null,
): Promise<{ exitCode: number | null; timedOut: boolean }> {
  const child = spawn(process.execPath, [join(top, 'node_modules/mocha/bin/mocha.js'), ...args], {
    cwd: top,
    stdio: ['ignore', said ? 'pipe' : 'inherit', said ? 'pipe' : 'inherit'],
  });
  child.stdout?.on('data', (data: Buffer) => said?.push(data));
  child.stderr?.on('data', (data: Buffer) => said?.push(data));
  const state = { timedOut: false };
  const deadline = setTimeout(() => {
    state.timedOut = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  }, deadlineMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    // What it said last is wanted too; but a process that it left behind may hold its pipes open for ever.
    child.once('close', resolve);
    child.once('exit', (code) => setTimeout(() => resolve(code), afterwordMs).unref());
  });
  clearTimeout(deadline);
  return { exitCode, timedOut: state.timedOut };
}

function printSlowest(ends: readonly SuiteEnd[]): void {
  const files = ends.flatMap(({ files }) => Object.entries(files)).sort(([, a], [, b]) => b - a);
  console.log('\nwhere the time went');
  for (const [file, tookMs] of files.slice(0, slowestShown))
    console.log(`${(tookMs / 1000).toFixed(1).padStart(7)} s  ${file}`);
}

function printSummary(ends: readonly SuiteEnd[]): void {
  console.log(
    `\n${'suite'.padEnd(14)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(10)}`,
  );
  for (const { suite, passed, failed, durationMs, problem } of ends) {
    const columns = [
      String(passed).padStart(8),
      String(failed).padStart(8),
      (durationMs / 1000).toFixed(1).padStart(10),
    ];
    console.log(`${suite.padEnd(14)}${columns.join('')}${problem === undefined ? '' : `  ${problem}`}`);
  }
  const sum = (of: (end: SuiteEnd) => number): number => ends.reduce((total, end) => total + of(end), 0);
  console.log(`\n${sum((end) => end.passed)} passed, ${sum((end) => end.failed)} failed`);
}

/** Undefined when the arguments make no sense. */
function readRequest(args: readonly string[]): Request | undefined {
  const split = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals: suites } = parseArgs({
    args: args.slice(0, split),
    options: { 'deadline-s': { type: 'string' }, beside: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  const { beside } = values;
  if (suites.length === 0 || [...suites, ...beside].some((suite) => !(suite in deadlinesMs)))
    return undefined;
  const seconds = values['deadline-s'];
  return {
    suites,
    beside,
    mochaOptions: args.slice(split + 1),
    deadlineMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const request = readRequest(args);
  if (request === undefined) {
    console.error(
      `usage: run-tests.ts [--deadline-s <seconds>] [--beside <suite>]… <${Object.keys(deadlinesMs).join('|')}>… [-- <mocha option>…]`,
    );
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'hamrahi-tests-'));
  try {
    const beside = request.beside.map((suite) => runBeside(suite, request, scratch));
    const ends: SuiteEnd[] = [];
    const aloud = { line: (text: string) => console.log(text), said: null };
    for (const suite of request.suites) ends.push(await runSuite(suite, request, scratch, aloud));
    for (const { end, said } of await Promise.all(beside)) {
      process.stdout.write(said);
      ends.push(end);
    }
    printSlowest(ends);
    printSummary(ends);
    return ends.some((end) => end.failed > 0) ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
