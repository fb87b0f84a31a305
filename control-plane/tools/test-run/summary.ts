/** What a run of the tests says at its end. */

import type { Failure } from '../suite-reporter.ts';

export type JobEnd = {
  /** A suite, or what else ran beside the suites. */
  of: string;
  passed: number;
  failed: number;
  failures: readonly Failure[];
  durationMs: number;
  problem: string | undefined;
  /** What each file took, in ms. */
  files: Readonly<Record<string, number>>;
};

/** All jobs of the same name as one, in the order of their first; `isSuite`: it must have run a test. */
export function bySuite(ends: readonly JobEnd[], isSuite: (name: string) => boolean): JobEnd[] {
  const names = [...new Set(ends.map((end) => end.of))];
  return names.map((of) => {
    const own = ends.filter((end) => end.of === of);
    const total = (count: (end: JobEnd) => number): number => own.reduce((sum, end) => sum + count(end), 0);
    const [passed, failed] = [total((end) => end.passed), total((end) => end.failed)];
    const nothing = isSuite(of) && passed + failed === 0;
    const problems = own.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    return {
      of,
      passed,
      // The last line never looks better than the exit code.
      failed: nothing ? 1 : failed,
      failures: own.flatMap(({ failures }) => failures),
      durationMs: total((end) => end.durationMs),
      problem: nothing ? 'ran no test at all' : problems.length > 0 ? problems.join('; ') : undefined,
      files: Object.assign({}, ...own.map(({ files }) => files)) as Record<string, number>,
    };
  });
}

/** Its last line is `N passed, N failed`. */
export function summaryOf(ends: readonly JobEnd[], slowestShown: number): string {
  const failures = ends.flatMap(({ of, failures }) =>
    failures.flatMap(({ title, why }) => [`  ${of}: ${title}`, `    ${why}`]),
  );
  const slowest = ends.flatMap(({ files }) => Object.entries(files)).sort(([, a], [, b]) => b - a);
  const sum = (of: (end: JobEnd) => number): number => ends.reduce((total, end) => total + of(end), 0);
  return [
    '',
    'where the time went',
    ...slowest.slice(0, slowestShown).map(([file, tookMs]) => `${secondsOf(tookMs).padStart(7)} s  ${file}`),
    ...(failures.length > 0 ? ['', 'what failed', ...failures] : []),
    '',
    `${'suite'.padEnd(14)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(10)}`,
    ...ends.map(
      ({ of, passed, failed, durationMs, problem }) =>
        `${of.padEnd(14)}${String(passed).padStart(8)}${String(failed).padStart(8)}` +
        `${secondsOf(durationMs).padStart(10)}${problem === undefined ? '' : `  ${problem}`}`,
    ),
    '',
    `${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`,
  ].join('\n');
}

export function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(1);
}
