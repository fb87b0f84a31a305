/**
 * Tells by its exit code whether node_modules holds exactly what package-lock.json names: 0 yes, 1 no. npm keeps
 * its own record of what it installed in `node_modules/.package-lock.json` (written last, so an interrupted
 * install has none); the two are compared package by package. It saves a complete reinstall after every
 * `npm install` that changed the lock and node_modules together.
 *
 * Runs before anything is installed, so it imports nothing but Node.
 */
import { readFileSync } from 'node:fs';

type LockedPackage = { version?: string; optional?: boolean; devOptional?: boolean };
type Lock = { packages: Record<string, LockedPackage> };

const readLock = (path: string): Lock => JSON.parse(readFileSync(path, 'utf8')) as Lock;

/** The first difference in words, or undefined when both name the same packages (optional ones may be absent). */
export function difference(wanted: Lock, installed: Lock): string | undefined {
  for (const [path, want] of Object.entries(wanted.packages)) {
    const have = installed.packages[path];
    const mayBeAbsent = path === '' || want.optional === true || want.devOptional === true;
    if (have === undefined && !mayBeAbsent) return `${path} is missing`;
    if (have !== undefined && have.version !== want.version) return `${path} has another version`;
  }
  const extra = Object.keys(installed.packages).find((path) => wanted.packages[path] === undefined);
  return extra === undefined ? undefined : `${extra} is not in the lock`;
}

if (import.meta.main) {
  try {
    const found = difference(readLock('package-lock.json'), readLock('node_modules/.package-lock.json'));
    process.exitCode = found === undefined ? 0 : 1;
  } catch {
    process.exitCode = 1;
  }
}
