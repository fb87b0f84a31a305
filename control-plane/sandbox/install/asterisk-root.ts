/**
 * Asterisk for the sandbox and the tests: a small Debian root of its own in `.cache/asterisk-root`, because the
 * releases this product runs on carry no Asterisk. It comes from the machine's own Debian mirror, is built beside
 * its place and moved in by one rename, so that a root that exists is complete. Nothing of the machine changes.
 *
 * `asterisk/VERSION` names the Asterisk that was tested. When the suite has moved on, the root holds what the
 * suite carries, and `moved` says so: the sandbox goes on (servers run exactly the version that was deployed).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainAptFailure } from './apt-failure.ts';
import { installPackages } from './apt-packages.ts';
import { findArchive, readAptSources, type AptSource } from './apt-sources.ts';
import { failed, installed, type InstallResult } from './failure.ts';
import type { Progress } from './progress.ts';
import { requireDebian, requireRoot, requireSpace } from './requirements.ts';
import { runCommand } from './run-command.ts';

export const asteriskSuite = 'forky';

const packages = ['asterisk', 'asterisk-modules', 'asterisk-core-sounds-en-gsm'];
const neededMib = 900;
const buildDeadlineMs = 15 * 60_000;
const probeDeadlineMs = 20_000;
const removeDeadlineMs = 60_000;
/** Raised whenever what goes into the root changes: roots of an earlier recipe are built anew. */
const recipe = 1;
const recordName = 'hamrahi-root.json';
const partPrefix = 'asterisk-root.part-';

/** What stands in the root's own record, written before the root is moved to its place. */
export type AsteriskRootRecord = { recipe: number; asteriskVersion: string; suite: string };

export type AsteriskRoot = { dir: string; version: string; testedVersion: string; moved: boolean };

/** The root as it is, or undefined when there is none or it was built by another recipe. Reads two files, no more. */
export function findAsteriskRoot(top: string): AsteriskRoot | undefined {
  const dir = join(top, '.cache', 'asterisk-root');
  const recordFile = join(dir, recordName);
  if (!existsSync(recordFile)) return undefined;
  const record = JSON.parse(readFileSync(recordFile, 'utf8')) as AsteriskRootRecord;
  if (record.recipe !== recipe) return undefined;
  const testedVersion = readFileSync(join(top, 'asterisk', 'VERSION'), 'utf8').trim();
  const version = record.asteriskVersion;
  return { dir, version, testedVersion, moved: version !== testedVersion };
}

/** Finds or installs the root; needs root only in the second case. The caller holds the installation lock. */
export async function installAsteriskRoot(
  top: string,
  progress: Progress,
): Promise<InstallResult<AsteriskRoot>> {
  const cache = join(top, '.cache');
  await mkdir(cache, { recursive: true });
  const present = findAsteriskRoot(top);
  if (present !== undefined) return installed(present);

  const ready = await prepare(cache, progress);
  if (!ready.ok) return ready;
  const part = await mkdtemp(join(cache, partPrefix));
  const built = await buildRoot(part, ready.value, progress, join(cache, 'asterisk-root.log'));
  if (!built.ok) {
    await removeRoot(part);
    return built;
  }
  await moveIn(part, cache);
  const root = findAsteriskRoot(top);
  if (root === undefined) throw new Error('the Asterisk root is not where it was moved to');
  progress.say(`Asterisk ${root.version} is there`);
  return installed(root);
}

async function prepare(cache: string, progress: Progress): Promise<InstallResult<AptSource>> {
  const root = requireRoot('The Asterisk root of the sandbox');
  if (!root.ok) return root;
  const codename = requireDebian();
  if (!codename.ok) return codename;
  await removeLeftovers(cache);
  const space = await requireSpace(cache, neededMib);
  if (!space.ok) return space;
  const archive = findArchive(readAptSources('/etc/apt'), codename.value);
  if (archive === undefined) {
    return failed(
      'ERR_INSTALL_NO_MIRROR',
      `The apt sources of this machine (/etc/apt) name no Debian mirror with the suite ${codename.value}.`,
      'Add one (deb <mirror> <suite> main) and run make again.',
    );
  }
  if (!existsSync('/usr/bin/mmdebstrap')) {
    const tool = await installPackages(['mmdebstrap'], join(cache, 'apt.log'), progress);
    if (!tool.ok) return tool;
  }
  return installed(archive);
}

async function buildRoot(
  dir: string,
  archive: AptSource,
  progress: Progress,
  logFile: string,
): Promise<InstallResult<string>> {
  progress.say(`installing Asterisk from Debian ${asteriskSuite} into .cache/asterisk-root, about 300 MB`);
  const stopTicking = progress.ticking('still installing');
  await rm(logFile, { force: true });
  const end = await runCommand({
    command: 'mmdebstrap',
    args: bootstrapArguments(dir, archive),
    logFile,
    deadlineMs: buildDeadlineMs,
  });
  stopTicking();
  if (end.exitCode !== 0) return explainAptFailure('building the Asterisk root', end, logFile);

  const probe = await runCommand({
    command: 'chroot',
    args: [dir, '/usr/sbin/asterisk', '-V'],
    logFile,
    deadlineMs: probeDeadlineMs,
  });
  const version = /Asterisk (\d+\.\d+\.\d+)/.exec(probe.output)?.[1];
  if (probe.exitCode !== 0 || version === undefined) {
    return explainAptFailure('asking the new Asterisk for its version', probe, logFile);
  }
  const record: AsteriskRootRecord = { recipe, asteriskVersion: version, suite: asteriskSuite };
  await writeFile(join(dir, recordName), `${JSON.stringify(record)}\n`);
  return installed(version);
}

function bootstrapArguments(dir: string, { uri, signedBy }: AptSource): string[] {
  const mirror = signedBy === undefined ? uri : `deb [signed-by=${signedBy}] ${uri} ${asteriskSuite} main`;
  const unread = ['doc', 'man', 'info', 'locale', 'lintian'];
  return [
    '--variant=minbase',
    '--format=directory',
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Retries "2"',
    ...unread.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--include=${packages.join(',')}`,
    asteriskSuite,
    dir,
    mirror,
  ];
}

/** A root of an older recipe steps aside first; it may still be in use, so that it is only unlinked. */
async function moveIn(part: string, cache: string): Promise<void> {
  const place = join(cache, 'asterisk-root');
  const aside = join(cache, `${partPrefix}replaced-${Date.now()}`);
  if (existsSync(place)) await rename(place, aside);
  await rename(part, place);
  if (existsSync(aside)) await removeRoot(aside);
}

/** What killed runs left behind. The lock is held, so that nobody works in them any more. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of readdirSync(cache)) {
    if (name.startsWith(partPrefix)) await removeRoot(join(cache, name));
  }
}

/**
 * A root in which something is still mounted (/dev and /proc of the machine, by whoever runs it) is left for a
 * later run, and no other file system is ever entered.
 */
async function removeRoot(dir: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.includes(` ${dir}/`))
    throw new Error(`something is still mounted below ${dir}; unmount it first`);
  await runCommand({
    command: 'rm',
    args: ['-rf', '--one-file-system', dir],
    logFile: '/dev/null',
    deadlineMs: removeDeadlineMs,
  });
}
