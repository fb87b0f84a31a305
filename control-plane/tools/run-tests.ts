/**
 * `run-tests.ts [--lanes <n>] [--deadline-s <seconds>] [--make <target>]… <suite…> [-- <mocha option…>]`: runs the test
 * suites, each cut into packs of files (see plan.ts) with a mocha of its own, in a few lanes side by side: most of a
 * test's time is waiting. `--make` has a target of the Makefile run in the same queue. What a pack
 * says is printed in one piece at its end, and a line tells when it begins; a pack that is alone is heard as it goes.
 * With options for mocha, which choose what is to run, each suite is one pack.
 *
 * Ends with the line `N passed, N failed`, summed over everything. Exit code 1 when anything failed: also when a suite
 * ran no test at all, or a pack crashed or did not end within its deadline (then the tests that never ran count as one
 * failure, so that the last line never looks better than the exit code); so does a target that failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { SuiteTally } from './suite-reporter.ts';
import { runInLanes, type Job } from './test-run/lanes.ts';
import { planOf, suiteNames, type Pack } from './test-run/plan.ts';
import { endProcesses, runProcess } from './test-run/run-process.ts';
import { bySuite, secondsOf, summaryOf, type JobEnd } from './test-run/summary.ts';

type Request = {
  suites: readonly string[];
  targets: readonly string[];
  lanes: number;
  mochaOptions: readonly string[];
  deadlineMs: number | undefined;
};
type Surroundings = { env: NodeJS.ProcessEnv; scratch: string; aloud: boolean };

const top = resolve(import.meta.dirname, '../..');
const lanesByDefault = 3;
const targetDeadlineMs = 15 * 60_000;
const slowestShown = Number(process.env['SLOWEST'] ?? 12);
const beganMs = performance.now();

async function runPack(
  pack: Pack,
  { mochaOptions }: Request,
  { env, scratch, aloud }: Surroundings,
): Promise<JobEnd> {
  const { suite, name, files, deadlineMs } = pack;
  const tallyFile = join(scratch, `${name.replaceAll(/\W/g, '-')}.json`);
  // Colours are for people at a terminal, and only there.
  const colour = process.stdout.isTTY ? '--color' : '--no-color';
  const reporter = ['--reporter', './control-plane/tools/suite-reporter.ts'];
  const mocha = [process.execPath, join(top, 'node_modules/mocha/bin/mocha.js')] as const;
  const args = [...reporter, '--reporter-option', `tally=${tallyFile}`, colour, ...mochaOptions, ...files];
  return told(name, aloud, async () => {
    if (files.length === 0) return { said: Buffer.alloc(0), end: endOf(suite, nothingRan, undefined) };
    const { exitCode, timedOut, said } = await runProcess([...mocha, ...args], {
      ...{ cwd: top, env, deadlineMs, aloud },
    });
    const tally = readTally(tallyFile);
    const problem = timedOut
      ? `did not end within ${deadlineMs / 1000} s${during(tally)}`
      : problemOf(tally, exitCode);
    return { said, end: endOf(suite, tally, problem) };
  });
}

function runTarget(target: string, { env, aloud }: Surroundings): Promise<JobEnd> {
  return told(`make ${target}`, aloud, async () => {
    const { exitCode, timedOut, said } = await runProcess(['make', '--no-print-directory', target], {
      ...{ cwd: top, env, deadlineMs: targetDeadlineMs, aloud },
    });
    if (exitCode === 0 && !timedOut) return { said, end: endOf(target, nothingRan, undefined) };
    const problem = timedOut
      ? `did not end within ${targetDeadlineMs / 1000} s`
      : `failed with exit code ${exitCode}`;
    return { said, end: endOf(target, nothingRan, problem) };
  });
}

const nothingRan: SuiteTally = { passed: 0, failed: 0, failures: [], running: null, ended: false, files: {} };

function endOf(of: string, tally: SuiteTally, problem: string | undefined): Omit<JobEnd, 'durationMs'> {
  const { passed, failures, files } = tally;
  return {
    of,
    passed,
    failed: problem !== undefined ? Math.max(1, tally.failed) : 0,
    failures,
    problem,
    files,
  };
}

/** Tells when it begins, and at its end what it said. */
async function told(
  name: string,
  aloud: boolean,
  work: () => Promise<{ said: Buffer; end: Omit<JobEnd, 'durationMs'> }>,
): Promise<JobEnd> {
  const heading = (after: string): string =>
    `\n── ${name}${after} ${'─'.repeat(Math.max(0, 60 - name.length - after.length))}\n`;
  const startedMs = performance.now();
  process.stdout.write(
    aloud ? heading('') : `${secondsOf(startedMs - beganMs).padStart(7)} s  ${name} begins\n`,
  );
  const { said, end } = await work();
  const durationMs = performance.now() - startedMs;
  const problem = end.problem === undefined ? '' : `${name}: ${end.problem}\n`;
  if (!aloud) process.stdout.write(heading(`, ${secondsOf(durationMs)} s`));
  process.stdout.write(Buffer.concat([said, Buffer.from(problem)]));
  return { ...end, durationMs };
}

/** That a pack ran no test is no problem: its suite may have run others. */
function problemOf(tally: SuiteTally, exitCode: number | null): string | undefined {
  if (!tally.ended) return `mocha ended early (exit code ${String(exitCode)})${during(tally)}`;
  if (tally.failed > 0) return `${tally.failed} failed`;
  return exitCode === 0 ? undefined : `mocha ended with exit code ${String(exitCode)}`;
}

function during(tally: SuiteTally): string {
  if (tally.running !== null) return ` while running "${tally.running}"`;
  return tally.ended ? ', although all tests had ended: something still holds the process' : '';
}

function readTally(file: string): SuiteTally {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SuiteTally) : nothingRan;
}

/** Undefined when the arguments make no sense. */
function readRequest(args: readonly string[]): Request | undefined {
  const split = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals: suites } = parseArgs({
    args: args.slice(0, split),
    options: {
      'deadline-s': { type: 'string' },
      lanes: { type: 'string', default: process.env['LANES'] ?? String(lanesByDefault) },
      make: { type: 'string', multiple: true, default: [] },
    },
    allowPositionals: true,
  });
  const lanes = Number(values.lanes);
  if (suites.length === 0 || suites.some((suite) => !suiteNames.includes(suite))) return undefined;
  if (!Number.isInteger(lanes) || lanes < 1) return undefined;
  const seconds = values['deadline-s'];
  return {
    suites: [...new Set(suites)],
    targets: values.make,
    lanes,
    mochaOptions: args.slice(split + 1),
    deadlineMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const request = readRequest(args);
  if (request === undefined) {
    console.error(
      `usage: run-tests.ts [--lanes <n>] [--deadline-s <seconds>] [--make <target>]… <${suiteNames.join('|')}>… [-- <mocha option>…]`,
    );
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'hamrahi-tests-'));
  endWithSignals(scratch);
  try {
    const { suites, targets, mochaOptions, deadlineMs, lanes } = request;
    const packs = planOf(top, suites, { whole: mochaOptions.length > 0, deadlineMs });
    const aloud = packs.length + targets.length === 1;
    // Node compiles each module once for all processes of this run: hundreds of them load the same.
    const env = { NODE_COMPILE_CACHE: join(scratch, 'compiled'), ...process.env };
    const around = { env, scratch, aloud };
    const jobOf = (pack: Pack): Job<JobEnd> => ({
      width: pack.isQuiet ? Math.max(1, lanes - 1) : 1,
      run: () => runPack(pack, request, around),
    });
    const jobOfTarget = (target: string): Job<JobEnd> => ({ width: 1, run: () => runTarget(target, around) });
    const jobs = packs.map(jobOf);
    // Not beside the quiet ones, which come first, and yet long before the end.
    const quiet = packs.filter(({ isQuiet }) => isQuiet).length;
    jobs.splice(quiet + lanes, 0, ...targets.map(jobOfTarget));
    const ends = bySuite(await runInLanes(jobs, lanes), (name) => suites.includes(name));
    console.log(summaryOf(ends, slowestShown));
    return ends.some(({ failed }) => failed > 0) ? 1 : 0;
  } finally {
    endProcesses();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Whoever ends this process ends those it started. What their tests had started the next sandbox tidies up, as after a crash. */
function endWithSignals(scratch: string): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      endProcesses();
      rmSync(scratch, { recursive: true, force: true });
      process.exit(exitCode);
    });
}

process.exitCode = await main(process.argv.slice(2));
