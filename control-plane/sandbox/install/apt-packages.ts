/**
 * Installs Debian packages on this machine with apt-get, and lives with what a machine may be like: package lists
 * that were never fetched or have grown old, another apt at work, an earlier run interrupted in the middle.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { explainAptFailure } from './apt-failure.ts';
import { installed, type InstallResult } from './failure.ts';
import type { Progress } from './progress.ts';
import { requireRoot } from './requirements.ts';
import { runCommand, type CommandEnd } from './run-command.ts';

const commandDeadlineMs = 15 * 60_000;
const busyDeadlineMs = 120_000;
const busyRetryMs = 2_000;
const aptOptions = [
  '-q',
  '-y',
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Acquire::Retries=2',
  '-o',
  'Dpkg::Use-Pty=0',
];

export async function installPackages(
  packages: readonly string[],
  logFile: string,
  progress: Progress,
): Promise<InstallResult<true>> {
  const root = requireRoot(`The Debian package ${packages.join(', ')}`);
  if (!root.ok) return root;
  progress.say(`installing the Debian package ${packages.join(', ')}`);
  const apt = (...args: string[]): Promise<CommandEnd> => runApt([...aptOptions, ...args], logFile, progress);

  let updated = false;
  if (!haveLists()) {
    await apt('update');
    updated = true;
  }
  const install = ['install', '--no-install-recommends', ...packages];
  let end = await apt(...install);
  if (/dpkg was interrupted/.test(end.output)) {
    await runCommand({
      command: 'dpkg',
      args: ['--configure', '-a'],
      logFile,
      deadlineMs: commandDeadlineMs,
    });
    end = await apt(...install);
  }
  if (end.exitCode !== 0 && !updated) {
    await apt('update');
    end = await apt(...install);
  }
  return end.exitCode === 0
    ? installed(true)
    : explainAptFailure(`apt-get install ${packages.join(' ')}`, end, logFile);
}

/** Fetches a package file into `directory`, and installs nothing of it. */
export async function downloadPackage(
  name: string,
  directory: string,
  logFile: string,
  progress: Progress,
): Promise<InstallResult<true>> {
  const apt = (...args: string[]): Promise<CommandEnd> =>
    runApt([...aptOptions, ...args], logFile, progress, directory);
  const hadLists = haveLists();
  if (!hadLists) await apt('update');
  let end = await apt('download', name);
  if (end.exitCode !== 0 && hadLists) {
    await apt('update');
    end = await apt('download', name);
  }
  return end.exitCode === 0 ? installed(true) : explainAptFailure(`apt-get download ${name}`, end, logFile);
}

/** Only part of apt's locks heed DPkg::Lock::Timeout (the lists' does not), so that a busy apt is tried again here. */
async function runApt(
  args: readonly string[],
  logFile: string,
  progress: Progress,
  directory = '/',
): Promise<CommandEnd> {
  const giveUpAtMs = performance.now() + busyDeadlineMs;
  let told = false;
  const tell = (): void => {
    if (!told) progress.say('another apt or dpkg is at work on this machine, waiting for it');
    told = true;
  };
  for (;;) {
    const end = await runCommand({
      command: 'env',
      args: ['-C', directory, 'apt-get', ...args],
      logFile,
      deadlineMs: commandDeadlineMs,
      onLine: (line) => {
        if (/Waiting for cache lock/.test(line)) tell();
      },
    });
    const busy = end.exitCode !== 0 && /Could not get lock|Unable to lock/.test(end.output);
    if (!busy || performance.now() > giveUpAtMs) return end;
    tell();
    await delay(busyRetryMs);
  }
}

function haveLists(): boolean {
  return readdirSync('/var/lib/apt/lists').some((name) => /_(InRelease|Release|Packages)/.test(name));
}
