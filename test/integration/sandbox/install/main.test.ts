import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { clone, copyOfClone, nodeForEverybody, type PartialClone } from '../../../support/partial-clone.ts';
import { runProgram, type ProgramEnd } from '../../../support/run-program.ts';

const main = 'control-plane/sandbox/install/main.ts';
const nobody = 65534;

describe('sandbox/install/main', () => {
  let copy: PartialClone;
  beforeEach(
    () => (copy = copyOfClone(['control-plane/sandbox/install', 'asterisk/VERSION', 'package.json'])),
  );
  afterEach(() => copy.remove());

  const install = (...args: string[]): Promise<ProgramEnd> =>
    runProgram(process.execPath, [main, ...args], { cwd: copy.dir });

  /** A root as a finished installation leaves it, as far as this program looks at it. */
  function pretendRoot(asteriskVersion: string): void {
    mkdirSync(join(copy.dir, '.cache/asterisk-root'), { recursive: true });
    const record = { recipe: 1, asteriskVersion, suite: 'forky' };
    writeFileSync(join(copy.dir, '.cache/asterisk-root/hamrahi-root.json'), JSON.stringify(record));
  }

  it('is silent when everything is there', async () => {
    const end = await runProgram(process.execPath, [main, 'asterisk'], { cwd: clone });
    expect(end).to.include({ exitCode: 0, output: '' });
  });

  it('says that the suite has moved on from the tested version, and goes on', async () => {
    pretendRoot('22.99.0');
    const end = await install('asterisk');
    expect(end.exitCode).to.equal(0);
    expect(end.output).to.match(/^asterisk: Debian forky carries 22\.99\.0, tested was [\d.]+; going on\n$/);
  });

  it('asks for root only when something is missing', async () => {
    const node = nodeForEverybody(copy);
    const asNobody = { cwd: copy.dir, uid: nobody, gid: nobody };
    const refused = await runProgram(node, [main, 'asterisk'], asNobody);
    expect(refused.exitCode).to.equal(1);
    expect(refused.output).to.match(
      /^ERR_INSTALL_NOT_ROOT: .* must be installed by root\.\n {2}Run the same make command/,
    );
    expect(existsSync(join(copy.dir, '.cache'))).to.equal(false);

    pretendRoot('22.10.1');
    expect((await runProgram(node, [main, 'asterisk'], asNobody)).exitCode).to.equal(0);
  });

  it('without a network says so, leaves nothing half done, and clears what a killed run left', async function () {
    this.timeout(60_000);
    mkdirSync(join(copy.dir, '.cache/asterisk-root.part-killed/etc'), { recursive: true });
    const nobodyListens = 'http://127.0.0.1:9';
    const env = { ...process.env, http_proxy: nobodyListens, https_proxy: nobodyListens };
    const end = await runProgram(process.execPath, [main, 'asterisk'], {
      cwd: copy.dir,
      env,
      deadlineMs: 50_000,
    });
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include('ERR_INSTALL_MIRROR_UNREACHABLE');
    expect(
      readdirSync(join(copy.dir, '.cache')).filter(
        (name) => name.startsWith('asterisk-root') && !name.endsWith('.log'),
      ),
    ).to.deep.equal([]);
  });

  it('explains its usage when it does not know a part', async () => {
    expect(await install('freeswitch')).to.deep.include({ exitCode: 2 });
    expect((await install()).output).to.include('usage: main.ts asterisk chromium');
  });
});
