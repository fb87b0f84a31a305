/**
 * Bundles the pages' scripts: control-plane/public/*.ts → control-plane/public/dist/. Does nothing when the result
 * is newer than nothing that went into it: what went in is remembered by its hash.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const top = resolve(import.meta.dirname, '../..');
const pages = ['citizen', 'panel'];
const entryPoints = pages.map((page) => join(top, `control-plane/public/${page}.ts`));
const outdir = join(top, 'control-plane/public/dist');
const recordFile = join(outdir, 'inputs.json');
/** Besides the sources: what decides which packages and which bundler. */
const alsoInputs = ['package-lock.json', 'control-plane/tools/build-client.ts'];

/** Hash by path, relative to the repository. */
type InputRecord = Record<string, string>;

function hashOf(path: string): string {
  return createHash('sha256')
    .update(readFileSync(join(top, path)))
    .digest('hex');
}

function isUpToDate(): boolean {
  const outputs = pages.map((page) => join(outdir, `${page}.js`));
  if (![...outputs, recordFile].every((file) => existsSync(file))) return false;
  const record = JSON.parse(readFileSync(recordFile, 'utf8')) as InputRecord;
  return Object.entries(record).every(([path, hash]) => existsSync(join(top, path)) && hashOf(path) === hash);
}

/** True when it was built, false when there was nothing to do. */
export async function buildClient(): Promise<boolean> {
  if (isUpToDate()) return false;
  rmSync(recordFile, { force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    entryPoints,
    outdir,
    absWorkingDir: top,
    bundle: true,
    format: 'esm',
    target: ['chrome111', 'firefox120', 'safari16.4'],
    minify: true,
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'warning',
  });
  // Packages are pinned by the lock file: their hundreds of files need no hash of their own.
  const sources = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'));
  const record: InputRecord = Object.fromEntries(
    [...sources, ...alsoInputs].map((path) => [path, hashOf(path)]),
  );
  writeFileSync(recordFile, JSON.stringify(record, null, 2));
  return true;
}

if (import.meta.main) {
  const built = await buildClient();
  if (built) console.log('pages: built');
}
