/**
 * One installation at a time in one clone. The lock is the kernel's (flock(1) of util-linux, held by a small child
 * that lives as long as our pipe to it), so that the death of its holder, however sudden, frees it at once and
 * no stale lock can exist. The lock file's content, the holder's pid, is for the message only.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { failed, installed, type InstallResult } from './failure.ts';

export type InstallLock = { release(): Promise<void> };

/** Waits up to `waitMs` for the present holder; `onWait` is told its pid once. */
export async function takeInstallLock(
  file: string,
  waitMs: number,
  onWait: (holder: string) => void,
): Promise<InstallResult<InstallLock>> {
  const lock = (await tryLock(file, 0)) ?? (await waitForLock(file, waitMs, onWait));
  if (lock !== undefined) return installed(lock);
  return failed(
    'ERR_INSTALL_BUSY',
    `Another installation in this clone (process ${holderOf(file)}) did not end in ${Math.round(waitMs / 1000)} s.`,
    'See what it waits for, then run make again.',
  );
}

async function waitForLock(
  file: string,
  waitMs: number,
  onWait: (holder: string) => void,
): Promise<InstallLock | undefined> {
  onWait(holderOf(file));
  return tryLock(file, waitMs);
}

async function tryLock(file: string, waitMs: number): Promise<InstallLock | undefined> {
  const seconds = (waitMs / 1000).toFixed(1);
  const script = 'echo held; exec cat >/dev/null';
  const child = spawn('flock', ['--wait', seconds, '--conflict-exit-code', '75', file, 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const held = new Promise<true>((resolve) => child.stdout.once('data', () => resolve(true)));
  const first = await Promise.race([held, ended]);
  if (first === 75) return undefined;
  if (first !== true) throw new Error(`flock ended with ${String(first)}`);
  writeFileSync(file, `${process.pid}\n`);
  return {
    async release() {
      child.stdin.end();
      await ended;
    },
  };
}

function holderOf(file: string): string {
  return readFileSync(file, 'utf8').trim() || 'unknown';
}
