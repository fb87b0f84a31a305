import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { copyOfClone, type PartialClone } from '../../support/partial-clone.ts';
import { runProgram, type ProgramEnd } from '../../support/run-program.ts';

const left = ['.run/1-abc/postgres.log', 'coverage/index.html', 'control-plane/public/dist/panel.js'];
const fetched = ['.cache/asterisk-root/etc/hosts', 'node_modules/pg/package.json', '.tools/stamp'];

describe('tools/clean', () => {
  let copy: PartialClone;
  beforeEach(() => {
    copy = copyOfClone(['control-plane/tools/clean.sh', 'package.json']);
    for (const file of [...left, ...fetched]) {
      mkdirSync(dirname(join(copy.dir, file)), { recursive: true });
      writeFileSync(join(copy.dir, file), '');
    }
  });
  afterEach(() => copy.remove());

  const clean = (what: string): Promise<ProgramEnd> =>
    runProgram('sh', ['control-plane/tools/clean.sh', what], { cwd: copy.dir });
  const present = (files: readonly string[]): string[] =>
    files.filter((file) => existsSync(join(copy.dir, file)));

  it('deletes what runs left, and keeps what was fetched', async () => {
    expect((await clean('runs')).exitCode).to.equal(0);
    expect(present(left)).to.deep.equal([]);
    expect(present([...fetched, 'package.json'])).to.deep.equal([...fetched, 'package.json']);
  });

  it('deletes everything but the repository', async () => {
    expect((await clean('all')).exitCode).to.equal(0);
    expect(present([...left, ...fetched, 'package.json'])).to.deep.equal(['package.json']);
  });

  it('deletes nothing while something still runs there, and names it', async () => {
    const running = spawn('sleep', ['60'], { cwd: join(copy.dir, '.run/1-abc'), stdio: 'ignore' });
    await new Promise((resolve) => running.once('spawn', resolve));
    try {
      const end = await clean('all');
      expect(end.exitCode).to.equal(1);
      expect(end.output).to.include(
        `something still runs in ${copy.dir}/.run (process ${String(running.pid)})`,
      );
      expect(present([...left, ...fetched])).to.deep.equal([...left, ...fetched]);
    } finally {
      running.kill('SIGKILL');
    }
  });
});
