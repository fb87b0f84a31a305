/** `ip`, with which the bench of a mobile network makes its link between two network namespaces. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './apt-packages.ts';
import { failed, installed, type InstallResult } from './failure.ts';
import type { Progress } from './progress.ts';

const places = ['/usr/sbin/ip', '/usr/bin/ip', '/sbin/ip', '/bin/ip'];

export function findIp(): string | undefined {
  return places.find((path) => existsSync(path));
}

/** The caller holds the installation lock. */
export async function installIproute(top: string, progress: Progress): Promise<InstallResult<string>> {
  const logFile = join(top, '.cache', 'apt.log');
  const packages = await installPackages(['iproute2'], logFile, progress);
  if (!packages.ok) return packages;
  const path = findIp();
  if (path === undefined)
    return failed('ERR_INSTALL_COMMAND', 'The package iproute2 brought no ip.', `See ${logFile}.`);
  progress.say('iproute2 is there');
  return installed(path);
}
