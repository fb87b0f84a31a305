/**
 * `node control-plane/sandbox/install/main.ts [asterisk] [chromium]`: brings the named parts onto this machine,
 * silently when they are there. Exit code 0, or 1 with one line that says what is wrong and one with what to do.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findAsteriskRoot, asteriskSuite, installAsteriskRoot } from './asterisk-root.ts';
import { installChromium } from './chromium.ts';
import { installed, type InstallResult } from './failure.ts';
import { takeInstallLock } from './install-lock.ts';
import { startProgress, type Progress } from './progress.ts';

const top = resolve(import.meta.dirname, '../../..');
const lockWaitMs = 15 * 60_000;

const steps: Readonly<Record<string, (progress: Progress) => Promise<InstallResult<unknown>>>> = {
  asterisk: (progress) => installAsteriskRoot(top, progress),
  chromium: (progress) => installChromium(top, progress),
};

async function installAll(names: readonly string[]): Promise<InstallResult<unknown>> {
  const cache = join(top, '.cache');
  await mkdir(cache, { recursive: true });
  const lock = await takeInstallLock(join(cache, 'install.lock'), lockWaitMs, (holder) => {
    process.stderr.write(`install: process ${holder} installs in this clone, waiting for it\n`);
  });
  if (!lock.ok) return lock;
  try {
    for (const name of names) {
      const result = await steps[name]?.(startProgress(name));
      if (result?.ok === false) return result;
    }
    return installed(true);
  } finally {
    await lock.value.release();
  }
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in steps));
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(`usage: main.ts ${Object.keys(steps).join(' ')} (any of them)\n`);
  process.exitCode = 2;
} else {
  const result = await installAll(names);
  const root = names.includes('asterisk') ? findAsteriskRoot(top) : undefined;
  if (!result.ok) {
    process.stderr.write(`${result.failure.code}: ${result.failure.what}\n  ${result.failure.next}\n`);
    process.exitCode = 1;
  } else if (root?.moved === true) {
    const { version, testedVersion } = root;
    process.stderr.write(
      `asterisk: Debian ${asteriskSuite} carries ${version}, tested was ${testedVersion}; going on\n`,
    );
  }
}
