import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findAsteriskRoot } from '../../control-plane/sandbox/install/asterisk-root.ts';

/** The repository's own folder. */
export const repositoryTop = resolve(import.meta.dirname, '../..');

/** The installed Asterisk root. Throws where there is none: these tests need the real thing. */
export function asteriskRootDir(): string {
  const root = findAsteriskRoot(repositoryTop);
  if (root === undefined) throw new Error('there is no Asterisk root: run `make install` first');
  return root.dir;
}

/** A fresh run directory, short enough for a unix socket in it, and what removes it again. */
export function makeRunDir(name: string): { runDir: string; remove: () => Promise<void> } {
  const runDir = mkdtempSync(join(tmpdir(), `hamrahi-${name}-`));
  return { runDir, remove: () => rm(runDir, { recursive: true, force: true }) };
}
