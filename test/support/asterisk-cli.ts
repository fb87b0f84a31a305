/** A command on the console of a running Asterisk, as `asterisk -rx` gives it. */
import { join } from 'node:path';
import { rootLoader } from '../../control-plane/sandbox/asterisk-directories.ts';
import { runProgram } from './run-program.ts';
import { asteriskRootDir } from './sandbox-roots.ts';

export async function asteriskCli(runDir: string, command: string): Promise<string> {
  const root = asteriskRootDir();
  const { loader, libraryPath } = rootLoader(root);
  const library = ['--inhibit-cache', '--library-path', libraryPath];
  const config = ['-C', join(runDir, 'etc/asterisk.conf')];
  const { output, exitCode } = await runProgram(
    loader,
    [...library, join(root, 'usr/sbin/asterisk'), ...config, '-rx', command],
    { cwd: runDir, env: { PATH: '/usr/bin:/bin' }, deadlineMs: 5_000 },
  );
  if (exitCode !== 0) throw new Error(`asterisk -rx '${command}' ended with ${exitCode}: ${output}`);
  return output;
}
