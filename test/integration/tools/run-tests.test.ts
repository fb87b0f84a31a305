import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { clone, copyOfClone, type PartialClone } from '../../support/partial-clone.ts';
import { runProgram, type ProgramEnd } from '../../support/run-program.ts';

describe('tools/run-tests', () => {
  let copy: PartialClone;
  beforeEach(() => {
    const paths = [
      'control-plane/tools/run-tests.ts',
      'control-plane/tools/suite-reporter.ts',
      '.mocharc.json',
      'package.json',
    ];
    copy = copyOfClone(paths);
    symlinkSync(join(clone, 'node_modules'), join(copy.dir, 'node_modules'));
  });
  afterEach(() => copy.remove());

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(copy.dir, path)), { recursive: true });
    writeFileSync(join(copy.dir, path), text);
  };
  const run = (...args: string[]): Promise<ProgramEnd> =>
    runProgram(process.execPath, ['control-plane/tools/run-tests.ts', ...args], { cwd: copy.dir });
  const lastLine = ({ output }: ProgramEnd): string | undefined => output.trimEnd().split('\n').at(-1);

  const passing = "it('passes', () => undefined);";
  const failing = "it('fails', () => { throw new Error('on purpose'); });";

  it('sums the suites up in its last line', async () => {
    write('test/unit/a.test.ts', `${passing}\nit('passes too', () => undefined);`);
    write('test/contract/deep/b.test.ts', passing);
    const end = await run('unit', 'contract');
    expect(end.exitCode).to.equal(0);
    expect(end.output).to.include('✔ passes too');
    expect(lastLine(end)).to.equal('3 passed, 0 failed');
  });

  it('fails when a test fails, but runs the other suites', async () => {
    write('test/unit/a.test.ts', failing);
    write('test/contract/b.test.ts', passing);
    const end = await run('unit', 'contract');
    expect(end.exitCode).to.equal(1);
    expect(lastLine(end)).to.equal('1 passed, 1 failed');
  });

  it('runs a suite beside the others, prints it in one piece and counts it', async () => {
    // Each waits for the other's file: they pass only when they run at the same time.
    const meets = (own: string, other: string): string => `
      import { existsSync, writeFileSync } from 'node:fs';
      it('${own} meets ${other}', async () => {
        writeFileSync('${own}', '');
        for (let turn = 0; !existsSync('${other}'); turn += 1) {
          if (turn === 150) throw new Error('alone');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      });`;
    write('test/unit/a.test.ts', meets('a', 'b'));
    write('test/e2e/b.test.ts', `${meets('b', 'a')}\n${failing}`);
    const end = await run('--beside', 'e2e', 'unit');
    expect(end.exitCode).to.equal(1);
    expect(end.output.indexOf('a meets b')).to.be.lessThan(end.output.indexOf('── e2e'));
    expect(end.output.indexOf('── e2e')).to.be.lessThan(end.output.indexOf('b meets a'));
    expect(lastLine(end)).to.equal('2 passed, 1 failed');
  });

  for (const [name, file, problem] of [
    ['is empty', '', 'ran no test at all'],
    ['does not load', 'import "./nowhere.ts";', 'mocha ended early'],
    ['dies in the middle', `${passing}\nit('dies', () => process.exit(0));`, 'while running "dies"'],
    ['hangs in a test', `it('hangs', function (done) { this.timeout(0); });`, 'while running "hangs"'],
    [
      'leaves something open',
      `${passing}\nsetInterval(() => undefined, 1000);`,
      'something still holds the process',
    ],
    ['skips a test', "it.skip('later', () => undefined);", 'failed'],
  ] as const) {
    it(`fails when a suite ${name}`, async () => {
      write('test/unit/a.test.ts', file);
      const end = await run('--deadline-s', '2', 'unit');
      expect(end.exitCode).to.equal(1);
      expect(end.output).to.include(problem);
      expect(lastLine(end)).to.match(/^\d passed, 1 failed$/);
    });
  }

  it('fails when a suite has no file', async () => {
    const end = await run('unit');
    expect(end.exitCode).to.equal(1);
    expect(lastLine(end)).to.equal('0 passed, 1 failed');
  });

  it('hands options on to mocha', async () => {
    write('test/unit/a.test.ts', `${passing}\n${failing}`);
    const end = await run('unit', '--', '-g', 'passes');
    expect(end.exitCode).to.equal(0);
    expect(lastLine(end)).to.equal('1 passed, 0 failed');
  });
});
