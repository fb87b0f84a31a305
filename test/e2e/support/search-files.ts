/** Looks for texts that must not be where they are found: in files, and in the command lines of processes. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** What must not be found, by a name that may be told in its place. */
export type Forbidden = Readonly<Record<string, string>>;

/** Every plain file below `folder`; links are not followed. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** The names of those that stand in `text`. */
export function foundIn(text: string, forbidden: Forbidden): readonly string[] {
  return Object.keys(forbidden).filter((name) => text.includes(forbidden[name]!));
}

/** `<file>: <name>` of each that stands in one of the files. */
export function foundInFiles(files: readonly string[], forbidden: Forbidden): readonly string[] {
  return files.flatMap((file) => {
    const text = readFileSync(file, 'latin1');
    return foundIn(text, forbidden).map((name) => `${file}: ${name}`);
  });
}

/** Whether others than its owner may do anything with it. */
export function isOpenToOthers(file: string): boolean {
  return (lstatSync(file).mode & 0o077) !== 0;
}

/** Command lines of all processes of this machine, by their ids. */
export function commandLines(): ReadonlyMap<string, string> {
  return ofProcesses('cmdline');
}

/** Their environments as they were given, of those that we may look at. */
export function environments(): ReadonlyMap<string, string> {
  return ofProcesses('environ');
}

function ofProcesses(what: 'cmdline' | 'environ'): ReadonlyMap<string, string> {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    ids.flatMap((id) => {
      try {
        return [[id, readFileSync(`/proc/${id}/${what}`, 'latin1').replaceAll('\0', ' ')]] as const;
      } catch {
        // It has ended since the folder was read, or is somebody else's.
        return [];
      }
    }),
  );
}

/**
 * Every file of the repository that is, or is to be, under version control: all but what .gitignore names, which knows
 * folders (`dist/`) and endings (`*.log`) alone. A machine without git has tests, too.
 */
export function trackedFiles(): readonly string[] {
  const ignored = readFileSync(join(REPOSITORY, '.gitignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const folders = new Set([
    '.git',
    ...ignored.filter((one) => one.endsWith('/')).map((one) => one.slice(0, -1)),
  ]);
  const endings = ignored.filter((one) => one.startsWith('*')).map((one) => one.slice(1));
  if (folders.size - 1 + endings.length !== ignored.length)
    throw new Error('.gitignore says more than this reads');
  const below = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory()) return folders.has(entry.name) ? [] : below(join(folder, entry.name));
      const isKept = entry.isFile() && !endings.some((ending) => entry.name.endsWith(ending));
      return isKept ? [join(folder, entry.name)] : [];
    });
  return below(REPOSITORY);
}
