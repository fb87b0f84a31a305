/** Mistakes in files that people write. */

/** Where one is, and what belongs there. */
export interface FileProblem {
  /** The file in which it is to be mended. */
  readonly file: string;
  /** From 1; null when there is no such file. */
  readonly line: number | null;
  /** Dotted path of the field, empty for the file as a whole. */
  readonly path: string;
  /** Completes "expected …". Never repeats what stands there: it may be a password. */
  readonly expected: string;
}

/** In a trunk file, or in the site's. */
export interface TrunkProblem extends FileProblem {
  readonly code: 'ERR_TRUNK_FILE_MISSING' | 'ERR_TRUNK_FILE_SYNTAX' | 'ERR_TRUNK_FILE_INVALID';
}

/** `file:line: path: expected …`, as compilers write it. */
export function problemText(problem: FileProblem): string {
  return `${problemPlace(problem)}: expected ${problem.expected}`;
}

export function problemPlace({ file, line, path }: FileProblem): string {
  const place = line === null ? file : `${file}:${line}`;
  return path === '' ? place : `${place}: ${path}`;
}
