/**
 * mocha's spec output, and beside it a tally in a file (`--reporter-option tally=<file>`), rewritten after every
 * test: when a suite crashes or hangs, it still tells how far it came and which test was running.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';

const LINGER_MS = 30_000;

export type SuiteTally = {
  passed: number;
  failed: number;
  /** Full titles of those that failed. */
  failures: readonly string[];
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
    runner.on('fail', (test) => {
      const failures = [...tally.failures, test.fullTitle()];
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
