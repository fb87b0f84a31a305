/**
 * `run-tests.ts <suite…> [-- <mocha option…>]`: runs the test suites one after the other, each in a mocha of its own,
 * and ends with the line `N passed, N failed`, summed over all of them. Exit code 1 when anything failed: also when
 * a suite ran no test at all, crashed, or did not end within its deadline (then the tests that never ran count as
 * one failure, so that the last line never looks better than the exit code).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SuiteTally } from './suite-reporter.ts';

type SuiteEnd = {
  suite: string;
  passed: number;
  failed: number;
  durationMs: number;
  problem: string | undefined;
};

const top = resolve(import.meta.dirname, '../..');
const minuteMs = 60_000;
const deadlinesMs: Readonly<Record<string, number>> = {
  unit: 3 * minuteMs,
  contract: 6 * minuteMs,
  integration: 10 * minuteMs,
  scenario: 10 * minuteMs,
  e2e: 15 * minuteMs,
};
const killAfterMs = 5_000;

async function runSuite(suite: string, mochaOptions: readonly string[], scratch: string): Promise<SuiteEnd> {
  console.log(`\n── ${suite} ${'─'.repeat(Math.max(0, 60 - suite.length))}`);
  const beganMs = performance.now();
  const tallyFile = join(scratch, `${suite}.json`);
  const { exitCode, timedOut } = await runMocha(suite, [
    ...['--reporter', './control-plane/tools/suite-reporter.ts', '--reporter-option', `tally=${tallyFile}`],
    ...mochaOptions,
    `test/${suite}/**/*.test.ts`,
  ]);
  const tally = readTally(tallyFile);
  const problem = problemOf(suite, tally, exitCode, timedOut);
  if (problem !== undefined) console.log(`${suite}: ${problem}`);
  const durationMs = performance.now() - beganMs;
  const failed = problem !== undefined && tally.failed === 0 ? 1 : tally.failed;
  return { suite, passed: tally.passed, failed, durationMs, problem };
}

function problemOf(
  suite: string,
  tally: SuiteTally,
  exitCode: number | null,
  timedOut: boolean,
): string | undefined {
  const during = tally.running === null ? '' : ` while running "${tally.running}"`;
  const minutes = (deadlinesMs[suite] ?? 0) / minuteMs;
  if (timedOut) return `did not end within ${minutes} minutes${during || ', something still holds it open'}`;
  if (!tally.ended) return `mocha ended early (exit code ${String(exitCode)})${during}`;
  if (tally.passed + tally.failed === 0) return 'ran no test at all';
  if (tally.failed > 0) return `${tally.failed} failed`;
  return exitCode === 0 ? undefined : `mocha ended with exit code ${String(exitCode)}`;
}

function readTally(file: string): SuiteTally {
  if (!existsSync(file)) return { passed: 0, failed: 0, running: null, ended: false };
  return JSON.parse(readFileSync(file, 'utf8')) as SuiteTally;
}

async function runMocha(
  suite: string,
  args: readonly string[],
): Promise<{ exitCode: number | null; timedOut: boolean }> {
  const child = spawn(process.execPath, [join(top, 'node_modules/mocha/bin/mocha.js'), ...args], {
    cwd: top,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const state = { timedOut: false };
  const deadline = setTimeout(() => {
    state.timedOut = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  }, deadlinesMs[suite]);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  clearTimeout(deadline);
  return { exitCode, timedOut: state.timedOut };
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

async function main(args: readonly string[]): Promise<number> {
  const split = args.includes('--') ? args.indexOf('--') : args.length;
  const suites = args.slice(0, split);
  const unknown = suites.filter((suite) => !(suite in deadlinesMs));
  if (suites.length === 0 || unknown.length > 0) {
    console.error(`usage: run-tests.ts <${Object.keys(deadlinesMs).join('|')}>… [-- <mocha option>…]`);
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'hamrahi-tests-'));
  try {
    const ends: SuiteEnd[] = [];
    for (const suite of suites) ends.push(await runSuite(suite, args.slice(split + 1), scratch));
    printSummary(ends);
    return ends.some((end) => end.failed > 0) ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
