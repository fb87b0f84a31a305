import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineDirectories } from '../src/adapters/engine-config/gateway-settings.ts';

/**
 * Where one Asterisk process of the sandbox keeps everything: all that it writes lies under its own run
 * directory, all that it only reads (modules, documentation, sounds) comes from the shared root.
 * Names are those of asterisk.conf's [directories], without the "ast" prefix.
 */
export type AsteriskDirectories = EngineDirectories;

/** The kernel's limit for a unix socket's path is 107 bytes; the control socket is run/asterisk.ctl. */
const MAX_RUN_DIR_BYTES = 107 - '/run/asterisk.ctl'.length;

/** The folder of an architecture's libraries in the root, and the name of its loader. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};

/** How to run a program of the root without chroot: the root's own loader and the path of its libraries. */
export function rootLoader(root: string): { loader: string; libraryPath: string; triplet: string } {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) {
    throw Object.assign(new Error(`no Asterisk root for the ${process.arch} architecture`), {
      code: 'ERR_SANDBOX_ARCHITECTURE',
    });
  }
  const { triplet, loader } = architecture;
  return {
    triplet,
    loader: join(root, loader),
    libraryPath: [join(root, 'usr/lib', triplet), join(root, 'usr/lib')].join(':'),
  };
}

/** The directories of the process that runs in `runDir`. Throws ERR_SANDBOX_RUN_DIR_TOO_LONG. */
export function asteriskDirectories(root: string, runDir: string): AsteriskDirectories {
  if (Buffer.byteLength(runDir) > MAX_RUN_DIR_BYTES) {
    throw Object.assign(
      new Error(
        `run directory ${runDir} is longer than ${MAX_RUN_DIR_BYTES} bytes: its unix socket cannot be bound`,
      ),
      { code: 'ERR_SANDBOX_RUN_DIR_TOO_LONG' },
    );
  }
  return {
    etc: join(runDir, 'etc'),
    modules: join(root, 'usr/lib', rootLoader(root).triplet, 'asterisk/modules'),
    varlib: join(runDir, 'lib'),
    db: join(runDir, 'lib'),
    key: join(runDir, 'lib'),
    data: join(runDir, 'data'),
    agi: join(runDir, 'data/agi-bin'),
    spool: join(runDir, 'spool'),
    run: join(runDir, 'run'),
    log: join(runDir, 'log'),
  };
}

/**
 * Makes the writable directories (recordings included: ARI answers 500 until their folder exists) and
 * links the read-only data of the root into the data directory. Harmless when repeated.
 */
export function prepareAsteriskDirectories(root: string, directories: AsteriskDirectories): void {
  const { etc, varlib, key, data, agi, spool, run, log } = directories;
  const writable = [varlib, join(key, 'keys'), data, agi, run, join(data, 'sounds'), join(varlib, 'moh')];
  const spooled = ['recording', 'monitor', 'outgoing', 'tmp'].map((name) => join(spool, name));
  const logged = [log, join(log, 'cdr-custom')];
  for (const folder of [etc, ...writable, ...spooled, ...logged]) mkdirSync(folder, { recursive: true });
  chmodSync(etc, 0o700);
  const rootData = join(root, 'usr/share/asterisk');
  for (const name of ['documentation', 'rest-api', 'static-http'])
    link(join(rootData, name), join(data, name));
  const prompts = readdirSync(join(rootData, 'sounds')).find((name) => /^en_US_/.test(name));
  if (prompts !== undefined) link(join(rootData, 'sounds', prompts), join(data, 'sounds/en'));
}

/** A plain asterisk.conf with nothing but the directories, for a process whose caller renders none. */
export function writeMinimalAsteriskConf(directories: AsteriskDirectories): void {
  const lines = Object.entries({
    astetcdir: directories.etc,
    astmoddir: directories.modules,
    astvarlibdir: directories.varlib,
    astdbdir: directories.db,
    astkeydir: directories.key,
    astdatadir: directories.data,
    astagidir: directories.agi,
    astspooldir: directories.spool,
    astrundir: directories.run,
    astlogdir: directories.log,
  }).map(([key, value]) => `${key} => ${value}`);
  writeFileSync(join(directories.etc, 'asterisk.conf'), `[directories]\n${lines.join('\n')}\n`);
}

function link(target: string, path: string): void {
  if (existsSync(target) && !existsSync(path)) symlinkSync(target, path);
}
