/**
 * `node control-plane/sandbox/install/main.ts [asterisk] [chromium] [iproute] [promtool]`: brings the named parts onto this machine,
 * silently when they are there. Exit code 0, or 1 with one line that says what is wrong and one with what to do.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { asteriskSuite, findAsteriskRoot, installAsteriskRoot } from './asterisk-root.ts';
import { chromiumPath, installChromium } from './chromium.ts';
import { installed, type InstallResult } from './failure.ts';
import { takeInstallLock } from './install-lock.ts';
import { findIp, installIproute } from './iproute.ts';
import { startProgress, type Progress } from './progress.ts';
import { findPromtool, installPromtool } from './promtool.ts';
import { requireRoot } from './requirements.ts';

type Step = {
  what: string;
  isThere(): boolean;
  install(progress: Progress): Promise<InstallResult<unknown>>;
};

const top = resolve(import.meta.dirname, '../../..');
const lockWaitMs = 15 * 60_000;

const steps = new Map<string, Step>([
  [
    'asterisk',
    {
      what: 'The Asterisk root of the sandbox',
      isThere: () => findAsteriskRoot(top) !== undefined,
      install: (progress) => installAsteriskRoot(top, progress),
    },
  ],
  [
    'chromium',
    {
      what: 'The browser Chromium',
      isThere: () => existsSync(chromiumPath),
      install: (progress) => installChromium(top, progress),
    },
  ],
  [
    'iproute',
    {
      what: 'The package iproute2',
      isThere: () => findIp() !== undefined,
      install: (progress) => installIproute(top, progress),
    },
  ],
  [
    'promtool',
    {
      what: 'The program promtool',
      isThere: () => findPromtool(top) !== undefined,
      install: (progress) => installPromtool(top, progress),
    },
  ],
]);

/** Takes the lock only when something is missing: whoever may not write here can still use what is there. */
async function installMissing(names: readonly string[]): Promise<InstallResult<unknown>> {
  const missing = names.flatMap((name) => {
    const step = steps.get(name);
    return step === undefined || step.isThere() ? [] : [{ name, step }];
  });
  for (const { step } of missing) {
    const root = requireRoot(step.what);
    if (!root.ok) return root;
  }
  return missing.length === 0 ? installed(true) : installLocked(missing);
}

async function installLocked(
  missing: readonly { name: string; step: Step }[],
): Promise<InstallResult<unknown>> {
  const cache = join(top, '.cache');
  await mkdir(cache, { recursive: true });
  const lock = await takeInstallLock(join(cache, 'install.lock'), lockWaitMs, (holder) => {
    process.stderr.write(`install: process ${holder} installs in this clone, waiting for it\n`);
  });
  if (!lock.ok) return lock;
  try {
    for (const { name, step } of missing) {
      const result = await step.install(startProgress(name));
      if (!result.ok) return result;
    }
    return installed(true);
  } finally {
    await lock.value.release();
  }
}

async function main(names: readonly string[]): Promise<number> {
  if (names.length === 0 || names.some((name) => !steps.has(name))) {
    process.stderr.write(`usage: main.ts ${[...steps.keys()].join(' ')} (any of them)\n`);
    return 2;
  }
  const result = await installMissing(names);
  if (!result.ok) {
    process.stderr.write(`${result.failure.code}: ${result.failure.what}\n  ${result.failure.next}\n`);
    return 1;
  }
  const root = names.includes('asterisk') ? findAsteriskRoot(top) : undefined;
  if (root?.moved === true) {
    const { version, testedVersion } = root;
    process.stderr.write(
      `asterisk: Debian ${asteriskSuite} carries ${version}, tested was ${testedVersion}; going on\n`,
    );
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
