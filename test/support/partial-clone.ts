/** A directory with some of this clone's files in it, for tests that must not touch the clone itself. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const clone = resolve(import.meta.dirname, '../..');

export type PartialClone = { dir: string; remove(): void };

/** `paths` are files or directories below the clone's top. The directory is open to other users. */
export function copyOfClone(paths: readonly string[], parent = tmpdir()): PartialClone {
  const holder = mkdtempSync(join(parent, 'hamrahi-clone-'));
  chmodSync(holder, 0o755);
  const dir = join(holder, 'clone');
  mkdirSync(dir);
  for (const path of paths) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    cpSync(join(clone, path), join(dir, path), { recursive: true });
  }
  return { dir, remove: () => rmSync(holder, { recursive: true, force: true }) };
}

/** This very Node at a place where every user can run it: the clone may lie below a directory closed to others. */
export function nodeForEverybody({ dir }: PartialClone): string {
  const node = join(dir, 'node-for-everybody');
  copyFileSync(process.execPath, node);
  return node;
}
