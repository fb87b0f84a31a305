/** What this machine must be, or have, before a step may begin; each check says what to do when it fails. */
import { readFileSync } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { failed, installed, type InstallResult } from './failure.ts';

const bytesPerMib = 1024 * 1024;

/** Packages and roots can be installed by root alone. */
export function requireRoot(what: string, uid = process.getuid?.()): InstallResult<true> {
  if (uid === 0) return installed(true);
  return failed(
    'ERR_INSTALL_NOT_ROOT',
    `${what} must be installed by root.`,
    'Run the same make command once as root (sudo make …); afterwards it is there for everybody.',
  );
}

export async function requireSpace(directory: string, neededMib: number): Promise<InstallResult<true>> {
  await mkdir(directory, { recursive: true });
  const { bavail, bsize } = await statfs(directory);
  const freeMib = Math.floor((bavail * bsize) / bytesPerMib);
  if (freeMib >= neededMib) return installed(true);
  return failed(
    'ERR_INSTALL_NO_SPACE',
    `Only ${freeMib} MiB are free in ${directory}, ${neededMib} are needed.`,
    'Free some space and run make again.',
  );
}

/** The code name of the running Debian release, from os-release(5). */
export function requireDebian(osReleaseFile = '/etc/os-release'): InstallResult<string> {
  const text = readFileSync(osReleaseFile, 'utf8');
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  const codename = field('VERSION_CODENAME');
  if (field('ID') === 'debian' && codename !== undefined) return installed(codename);
  return failed(
    'ERR_INSTALL_NOT_DEBIAN',
    `This machine runs ${field('PRETTY_NAME') ?? 'an unknown system'}, the sandbox is made for Debian 12 and 13.`,
    'Run it on Debian, in a container or a virtual machine if need be.',
  );
}
