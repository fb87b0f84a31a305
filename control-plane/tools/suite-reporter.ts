/**
 * mocha's spec output, and beside it a tally in a file (`--reporter-option tally=<file>`), rewritten after every
 * test: when a suite crashes or hangs, it still tells how far it came and which test was running.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';

const LINGER_MS = 30_000;
const WHY_LENGTH = 600;

export type Failure = {
  /** The test's full title. */
  title: string;
  /** How it failed, on one line. */
  why: string;
};

export type SuiteTally = {
  passed: number;
  failed: number;
  failures: readonly Failure[];
  running: string | null;
  ended: boolean;
  /** What each file took, in ms, its hooks with it. */
  files: Record<string, number>;
};

export class SuiteReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = (options.reporterOptions as { tally?: string } | undefined)?.tally;
    if (file === undefined) return;
    const tally: SuiteTally = {
      ...{ passed: 0, failed: 0, failures: [] },
      ...{ running: null, ended: false, files: {} },
    };
    const write = (change: Partial<SuiteTally>): void => {
      Object.assign(tally, change);
      writeFileSync(file, JSON.stringify(tally));
    };
    runner.on('test', (test) => write({ running: test.fullTitle() }));
    runner.on('pass', () => write({ passed: tally.passed + 1, running: null }));
    runner.on('fail', (test, error: unknown) => {
      const failures = [...tally.failures, { title: test.fullTitle(), why: whyOf(error) }];
      write({ failed: tally.failed + 1, failures, running: null });
    });
    const beganMs = new Map<Mocha.Suite, number>();
    runner.on('suite', (suite) => beganMs.set(suite, performance.now()));
    runner.on('suite end', (suite) => {
      if (suite.parent?.root !== true || suite.file === undefined) return;
      const file = relative(process.cwd(), suite.file);
      const tookMs = Math.round(performance.now() - (beganMs.get(suite) ?? NaN));
      write({ files: { ...tally.files, [file]: (tally.files[file] ?? 0) + tookMs } });
    });
    runner.on('end', () => {
      write({ ended: true });
      endLate();
    });
  }
}

function whyOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const { actual } = error as { actual?: unknown };
  // chai abbreviates what it compares; mocha has made a text of it by now.
  const isAbbreviated = typeof actual === 'string' && /\[ Array\(|\{ Object \(/.test(message);
  const was = isAbbreviated ? `; it was ${actual}` : '';
  return `${message}${was}`.replaceAll(/\s+/g, ' ').slice(0, WHY_LENGTH);
}

/** A browser's or a library's leftover must not hold the whole run: it is named, and the suite fails. */
function endLate(): void {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`still open ${LINGER_MS / 1000} s after the last test, ended now: ${open}\n`);
    process.exit(1);
  }, LINGER_MS).unref();
}

// mocha loads reporters by require(), which yields what this name exports.
export { SuiteReporter as 'module.exports' };
