/**
 * Where one sandbox lives: `.run/<id>` in the clone, with the identity of its owner, so that the next start can end
 * and remove what a SIGKILL left behind, and never what still runs.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  lstatSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeEmbeddedPostgres } from '../src/adapters/postgres/embedded.ts';
import { endLeftover, identifyProcess, isRunning, readPidFile, writePidFile } from './process-identity.ts';

const RUNS = resolve(import.meta.dirname, '../../.run');
/** Unix sockets in it must stay below 108 bytes. */
const LONGEST_PATH = 70;
const OWNER = 'owner.pid.json';
/** What makeRunDirectory calls a run. Other things may lie beside them. */
const RUN_ID = /^\d+-[0-9a-f]{6}$/;
const UNSIGNED_GRACE_MS = 10_000;

export interface RunDirectory {
  readonly path: string;
  readonly id: string;
  /** Removes it with everything in it. */
  remove(): Promise<void>;
}

export function makeRunDirectory(): RunDirectory {
  mkdirSync(RUNS, { recursive: true, mode: 0o755 });
  const id = `${process.pid}-${randomBytes(3).toString('hex')}`;
  const path = placeFor(id);
  const owner = identifyProcess(process.pid, '');
  if (owner) writePidFile(join(path, OWNER), { ...owner, marker: 'node' });
  pointLatest(id);
  return { path, id, remove: () => removeRun(join(RUNS, id)) };
}

/** Ends and removes every sandbox of this clone whose owner is dead. Returns how many there were. */
export async function cleanUpDeadRuns(): Promise<number> {
  if (!existsSync(RUNS)) return 0;
  let cleaned = 0;
  for (const name of readdirSync(RUNS)) {
    if (!RUN_ID.test(name)) continue;
    const path = join(RUNS, name);
    const owner = readPidFile(join(path, OWNER));
    if (owner ? isRunning(owner) : isJustMade(path)) continue;
    await removeRun(path);
    cleaned += 1;
  }
  return cleaned;
}

function placeFor(id: string): string {
  const path = join(RUNS, id);
  if (path.length <= LONGEST_PATH) {
    mkdirSync(path, { mode: 0o755 });
    return path;
  }
  const elsewhere = mkdtempSync(join(tmpdir(), 'hamrahi-'));
  symlinkSync(elsewhere, path);
  return elsewhere;
}

/** Another sandbox may have made its directory and not yet signed it. */
function isJustMade(path: string): boolean {
  return Date.now() - lstatSync(path).mtimeMs < UNSIGNED_GRACE_MS;
}

function pointLatest(id: string): void {
  const link = join(RUNS, 'latest');
  const fresh = `${link}-${id}`;
  symlinkSync(id, fresh);
  renameSync(fresh, link);
}

async function removeRun(path: string): Promise<void> {
  for (const part of ['control-plane', 'gateway', 'carrier', 'carrier/asterisk']) {
    const folder = join(path, part);
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.pid.json')))
      await endLeftover(join(folder, file));
  }
  await removeEmbeddedPostgres(join(path, 'postgres'));
  if (lstatSync(path).isSymbolicLink())
    rmSync(resolve(RUNS, readlinkSync(path)), { recursive: true, force: true });
  rmSync(path, { recursive: true, force: true });
}
