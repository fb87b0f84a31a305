/** What Asterisk keeps for names it has heard of: asked on its command line, as nothing of it shows over ARI. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { rootLoader, type AsteriskDirectories } from '../../control-plane/sandbox/asterisk-directories.ts';
import { asteriskRootDir } from './sandbox-roots.ts';

const ANSWER_MS = 10_000;

/** The topics on which the states of single devices would be told; a topic and a state stay for ever. */
export function topicsOfDevices(directories: AsteriskDirectories): readonly string[] {
  const topics = asked(directories, 'stasis show topics');
  if (!topics.includes('devicestate:all')) throw new Error(`no list of topics: ${topics.slice(0, 300)}`);
  return [...topics.matchAll(/^devicestate:all\/(\S+)/gm)].map(([, device]) => device ?? '');
}

/** What is freed inside, and kept for later, goes back to the machine: what is left is what Asterisk holds. */
export function giveBackFreeMemory(directories: AsteriskDirectories): void {
  asked(directories, 'malloc trim');
}

function asked({ etc }: AsteriskDirectories, command: string): string {
  const root = asteriskRootDir();
  const { loader, libraryPath } = rootLoader(root);
  const program = ['--argv0', 'asterisk', join(root, 'usr/sbin/asterisk'), '-C', join(etc, 'asterisk.conf')];
  return execFileSync(
    loader,
    ['--inhibit-cache', '--library-path', libraryPath, ...program, '-rx', command],
    { encoding: 'utf8', timeout: ANSWER_MS, env: { PATH: '/usr/bin:/bin', OPENSSL_CONF: '/dev/null' } },
  );
}
