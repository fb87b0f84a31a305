/** Looks for texts that must not be where they are found: in files, and in the command lines of processes. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    ids.flatMap((id) => {
      try {
        return [[id, readFileSync(`/proc/${id}/cmdline`, 'latin1').replaceAll('\0', ' ')]] as const;
      } catch {
        // It has ended since the folder was read.
        return [];
      }
    }),
  );
}
