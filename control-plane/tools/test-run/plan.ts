/**
 * What a run of the tests consists of. A long suite is cut into packs of files, each for a mocha of its own: more packs
 * than lanes, so that the lanes end at about the same time. Files are dealt to the packs in turn, as neighbours by name
 * tend to be alike in length; nobody has to keep a list of how long each takes.
 *
 * A file with the line `// run-tests: quiet` measures times, or loads the machine by itself: such files are a pack of
 * their own, beside which one lane runs. They come first, so that no lane ever waits for another to become free.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Pack = {
  suite: string;
  /** As people read it: `e2e 3/8`. */
  name: string;
  files: readonly string[];
  /** Beside it there is one lane and no more. */
  isQuiet: boolean;
  deadlineMs: number;
};

const minuteMs = 60_000;
const suites: Readonly<Record<string, { packs: number; deadlineMs: number }>> = {
  unit: { packs: 1, deadlineMs: 5 * minuteMs },
  contract: { packs: 2, deadlineMs: 6 * minuteMs },
  integration: { packs: 7, deadlineMs: 20 * minuteMs },
  scenario: { packs: 1, deadlineMs: 10 * minuteMs },
  e2e: { packs: 10, deadlineMs: 20 * minuteMs },
};
const quietMark = /^\/\/ run-tests: quiet$/m;

export const suiteNames: readonly string[] = Object.keys(suites);

/** In the order in which they are to begin. `whole`: each suite in one piece, because what runs of it is chosen otherwise. */
export function planOf(
  top: string,
  names: readonly string[],
  { whole, deadlineMs }: { whole: boolean; deadlineMs: number | undefined },
): readonly Pack[] {
  const packs = names.flatMap((suite) => packsOf(top, suite, whole, deadlineMs));
  return [...packs.filter(({ isQuiet }) => isQuiet), ...packs.filter(({ isQuiet }) => !isQuiet)];
}

function packsOf(top: string, suite: string, whole: boolean, wishedMs: number | undefined): Pack[] {
  const found = globSync(`test/${suite}/**/*.test.ts`, { cwd: top }).sort();
  const { packs, deadlineMs } = suites[suite] ?? { packs: 1, deadlineMs: minuteMs };
  const isMarked = (file: string): boolean => !whole && quietMark.test(readFileSync(join(top, file), 'utf8'));
  const quiet = found.filter(isMarked);
  const decks = dealt(
    found.filter((file) => !quiet.includes(file)),
    whole ? 1 : packs,
  );
  const all = [
    ...(quiet.length > 0 ? [{ files: quiet, isQuiet: true, named: `${suite} quiet` }] : []),
    ...decks.map((files, at) => ({
      files,
      isQuiet: false,
      named: decks.length > 1 ? `${suite} ${at + 1}/${decks.length}` : suite,
    })),
  ];
  // A piece of a suite needs no more than half of the time that the whole of it is given.
  const ownMs = wishedMs ?? (all.length > 1 ? deadlineMs / 2 : deadlineMs);
  return all.map(({ files, isQuiet, named }) => ({ suite, name: named, files, isQuiet, deadlineMs: ownMs }));
}

/** In turn, into as many packs as there are files for; one empty pack where there is no file. */
function dealt(files: readonly string[], packs: number): string[][] {
  const count = Math.max(1, Math.min(packs, files.length));
  return Array.from({ length: count }, (_, pack) => files.filter((_file, at) => at % count === pack));
}
