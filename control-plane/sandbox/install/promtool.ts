/**
 * `promtool`, with which the tests try the rules for Prometheus. It comes out of a Debian package (its own from Debian 13
 * on, `prometheus` before), of which nothing is installed: no service of that name begins to run on this machine.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadPackage } from './apt-packages.ts';
import { failed, installed, type InstallResult } from './failure.ts';
import type { Progress } from './progress.ts';
import { requireSpace } from './requirements.ts';
import { runCommand } from './run-command.ts';

const neededMib = 250;
const unpackDeadlineMs = 120_000;
const partPrefix = 'promtool.part-';
/** The Debian release in which it was part of `prometheus` for the last time. */
const lastInPrometheus = 12;

export function findPromtool(top: string): string | undefined {
  const path = join(top, '.cache/promtool');
  return existsSync(path) ? path : undefined;
}

/** The caller holds the installation lock. */
export async function installPromtool(top: string, progress: Progress): Promise<InstallResult<string>> {
  const cache = join(top, '.cache');
  await mkdir(cache, { recursive: true });
  for (const name of readdirSync(cache).filter((one) => one.startsWith(partPrefix)))
    await rm(join(cache, name), { recursive: true, force: true });
  const space = await requireSpace(cache, neededMib);
  if (!space.ok) return space;
  const part = await mkdtemp(join(cache, partPrefix));
  try {
    return await fetchInto(part, join(cache, 'promtool'), join(cache, 'apt.log'), progress);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function fetchInto(
  part: string,
  path: string,
  logFile: string,
  progress: Progress,
): Promise<InstallResult<string>> {
  const release = Number(/^VERSION_ID="?(\d+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? NaN);
  const name = release <= lastInPrometheus ? 'prometheus' : 'promtool';
  progress.say(`fetching promtool out of Debian's package ${name}`);
  const fetched = await downloadPackage(name, part, logFile, progress);
  if (!fetched.ok) return fetched;
  const file = readdirSync(part).find((one) => one.endsWith('.deb'));
  const unpacked = await runCommand({
    command: 'dpkg-deb',
    args: ['-x', join(part, file ?? `${name}.deb`), part],
    logFile,
    deadlineMs: unpackDeadlineMs,
  });
  const tool = join(part, 'usr/bin/promtool');
  if (unpacked.exitCode !== 0 || !existsSync(tool))
    return failed('ERR_INSTALL_COMMAND', `The package ${name} brought no promtool.`, `See ${logFile}.`);
  // Moved in whole: what is there is complete.
  await rename(tool, path);
  progress.say('promtool is there');
  return installed(path);
}
