/** Debian's Chromium for the tests that open the citizen's and the operator's pages in a real browser. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages } from './apt-packages.ts';
import { failed, installed, type InstallResult } from './failure.ts';
import type { Progress } from './progress.ts';
import { requireRoot, requireSpace } from './requirements.ts';

export const chromiumPath = '/usr/bin/chromium';
const neededMib = 700;

/** The browser's path; installs it when there is none. The caller holds the installation lock. */
export async function installChromium(top: string, progress: Progress): Promise<InstallResult<string>> {
  if (existsSync(chromiumPath)) return installed(chromiumPath);
  const root = requireRoot('The browser Chromium');
  if (!root.ok) return root;
  const space = await requireSpace('/var/cache', neededMib);
  if (!space.ok) return space;
  const cache = join(top, '.cache');
  await mkdir(cache, { recursive: true });
  const logFile = join(cache, 'apt.log');
  const stopTicking = progress.ticking('still installing');
  const packages = await installPackages(['chromium'], logFile, progress);
  stopTicking();
  if (!packages.ok) return packages;
  if (!existsSync(chromiumPath)) {
    return failed('ERR_INSTALL_COMMAND', 'The package chromium brought no browser.', `See ${logFile}.`);
  }
  progress.say('Chromium is there');
  return installed(chromiumPath);
}
