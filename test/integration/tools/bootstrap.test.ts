import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import { clone, copyOfClone, type PartialClone } from '../../support/partial-clone.ts';
import { runProgram, type ProgramEnd } from '../../support/run-program.ts';

const script = 'control-plane/tools/bootstrap.sh';
const paths = [
  script,
  'control-plane/tools/packages-match-lock.ts',
  '.node-version',
  'package.json',
  'package-lock.json',
];
const silentWithinMs = 300;
const nowhere = 'http://127.0.0.1:9/';
/** What the script may use besides Node and npm. */
const commands =
  'sh awk cat chmod cksum cut date df dirname env flock grep head ln mkdir mv rm sleep tail uname'.split(' ');

describe('tools/bootstrap', function () {
  this.timeout(60_000);
  let copy: PartialClone;
  beforeEach(() => (copy = copyOfClone(paths)));
  afterEach(() => copy.remove());

  /** The path on which the machine's own Node and npm are found, without those of this clone. */
  const machinePath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.startsWith(clone))
    .join(delimiter);

  /** The registry is a port where nobody listens, so that these tests need no network and use none. */
  function bootstrap(path: string): Promise<ProgramEnd> {
    const env = {
      ...process.env,
      PATH: path,
      npm_config_cache: join(copy.dir, '.npm'),
      npm_config_registry: nowhere,
    };
    return runProgram('/bin/sh', [script], { cwd: copy.dir, env });
  }

  /** Node and npm as a complete fetch leaves them. */
  function haveTools(): void {
    const npm = join(copy.dir, '.tools/node_modules/npm');
    mkdirSync(dirname(npm), { recursive: true });
    cpSync(join(clone, '.tools/node_modules/npm'), npm, { recursive: true, verbatimSymlinks: true });
  }

  /** A directory with the commands named, and the Node that runs this test if it is wanted. */
  function pathOf(names: readonly string[], withNode = false): string {
    const directory = join(copy.dir, 'bin');
    mkdirSync(directory);
    for (const name of names) {
      const found = ['/usr/bin', '/bin'].map((place) => join(place, name)).find(existsSync);
      if (found !== undefined) symlinkSync(found, join(directory, name));
    }
    if (withNode) symlinkSync(process.execPath, join(directory, 'node'));
    return directory;
  }

  it('is silent and quick when everything is there', async () => {
    const runs = [];
    for (let run = 0; run < 3; run += 1) runs.push(await runProgram('sh', [script], { cwd: clone }));
    for (const run of runs) expect(run).to.include({ exitCode: 0, output: '' });
    expect(Math.min(...runs.map(({ durationMs }) => durationMs))).to.be.below(silentWithinMs);
  });

  it('says what to install when there is no npm', async () => {
    const end = await bootstrap(pathOf(commands));
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include('there is no npm on this machine').and.to.include('apt-get install npm');
  });

  it('says so when the registry cannot be reached, and marks nothing as complete', async () => {
    const end = await bootstrap(machinePath);
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include("npm's registry cannot be reached");
    for (const name of ['stamp', 'node_modules'])
      expect(existsSync(join(copy.dir, '.tools', name)), name).to.equal(false);
  });

  it('says so when the disk is nearly full', async () => {
    const path = pathOf(commands.filter((command) => command !== 'df'));
    const table =
      'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 9000000 8900000 100000 99% /';
    writeFileSync(join(path, 'df'), `#!/bin/sh\nprintf '%s\\n' '${table}'\n`, { mode: 0o755 });
    const end = await bootstrap(path);
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include('only 97 MiB are free here, about 1500 are needed');
  });

  it('takes the node of the machine when it is new enough, and needs both for the packages', async () => {
    haveTools();
    const end = await bootstrap(pathOf(commands, true));
    expect(end.output).to.include(`setup: node ${process.version} and npm 11.`);
    expect(end.output).to.include('installing the npm packages failed');
    expect(end.exitCode).to.equal(1);
    expect(existsSync(join(copy.dir, '.tools/stamp'))).to.equal(false);
    const version = await runProgram(join(copy.dir, '.tools/bin/npm'), ['--version'], { cwd: copy.dir });
    expect(version.output).to.match(/^11\./m);
  });

  it('says so when package.json and the lock disagree', async () => {
    haveTools();
    const manifest = JSON.parse(readFileSync(join(copy.dir, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    const dependencies = { ...manifest.dependencies, extra: 'file:extra' };
    writeFileSync(join(copy.dir, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
    mkdirSync(join(copy.dir, 'extra'));
    writeFileSync(join(copy.dir, 'extra/package.json'), JSON.stringify({ name: 'extra', version: '1.0.0' }));
    const end = await bootstrap(pathOf(commands, true));
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include('package.json and package-lock.json disagree');
  });

  it('waits for another setup of the same clone, and not for a dead one', async () => {
    mkdirSync(join(copy.dir, '.tools'));
    writeFileSync(join(copy.dir, '.tools/lock'), 'left by a killed run');
    const other = spawn('flock', ['.tools/lock', 'sh', '-c', 'echo held; exec sleep 1'], { cwd: copy.dir });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    const end = await bootstrap(pathOf(commands));
    expect(end.output).to.match(
      /^setup: another setup is at work in this clone, waiting for it\nsetup: there is no npm/,
    );
  });
});
