/** Looks for texts that must not be where they are found: in files, and in the command lines of processes. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
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

/** Every file of the repository that is, or is to be, under version control. */
export function trackedFiles(): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8', maxBuffer: 16_777_216 });
  const paths = names.split('\0').filter((name) => name !== '');
  return paths
    .map((name) => join(REPOSITORY, name))
    .filter((path) => existsSync(path) && lstatSync(path).isFile());
}
