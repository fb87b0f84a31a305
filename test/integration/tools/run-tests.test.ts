import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { clone, copyOfClone, type PartialClone } from '../../support/partial-clone.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { runProgram, type ProgramEnd } from '../../support/run-program.ts';

describe('tools/run-tests', () => {
  let copy: PartialClone;
  beforeEach(() => {
    const paths = [
      'control-plane/tools/run-tests.ts',
      'control-plane/tools/test-run',
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

  /** Each waits for the other's file: both pass only when they run at the same time. */
  const meets = (own: string, other: string): string => `
    it('${own} meets ${other}', async () => {
      const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
      writeFileSync('${own}', '');
      for (let turn = 0; !existsSync('${other}'); turn += 1) {
        if (turn === 600) throw new Error('alone');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });`;
  /** Passes only while nobody else of its kind runs. */
  const aloneHere = (name: string): string => `
    it('${name} is alone', async () => {
      const { existsSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs');
      if (existsSync('taken')) throw new Error('not alone');
      writeFileSync('taken', '');
      await new Promise((resolve) => setTimeout(resolve, 300));
      rmSync('taken');
    });`;

  it('runs suites side by side, tells when each begins, and prints it in one piece', async () => {
    write('test/unit/a.test.ts', meets('a', 'b'));
    write('test/scenario/b.test.ts', `${meets('b', 'a')}\n${failing}`);
    const end = await run('unit', 'scenario');
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.match(/unit begins[^]*scenario begins[^]*── /);
    expect(end.output).to.match(/── unit, [\d.]+ s ─+\n\s+✔ a meets b[^\n]*\s+1 passing/);
    expect(end.output).to.match(/── scenario, [\d.]+ s ─+\n\s+✔ b meets a/);
    expect(end.output).to.include('what failed\n  scenario: fails\n    on purpose');
    expect(lastLine(end)).to.equal('2 passed, 1 failed');
  });

  it('runs no more than there are lanes', async () => {
    for (const suite of ['unit', 'scenario', 'contract']) write(`test/${suite}/a.test.ts`, aloneHere(suite));
    const end = await run('--lanes', '1', 'unit', 'scenario', 'contract');
    expect(lastLine(end)).to.equal('3 passed, 0 failed');
  });

  it('cuts a long suite into packs that run side by side, each file in one of them', async () => {
    write('test/e2e/a.test.ts', meets('a', 'b'));
    write('test/e2e/deep/b.test.ts', meets('b', 'a'));
    const end = await run('e2e');
    for (const pack of ['e2e 1/2', 'e2e 2/2']) expect(end.output).to.include(`── ${pack}, `);
    expect(end.output).to.match(/^e2e +2 +0 +[\d.]+$/m);
    expect(lastLine(end)).to.equal('2 passed, 0 failed');
  });

  it('lets quiet files run first, one after the other, beside one lane', async () => {
    write('test/unit/a.test.ts', meets('a', 'c'));
    write('test/contract/b.test.ts', `// run-tests: quiet\n${aloneHere('b')}`);
    write('test/e2e/c.test.ts', `// run-tests: quiet\n${meets('c', 'a')}\n${aloneHere('c')}`);
    const end = await run('--lanes', '3', 'unit', 'contract', 'e2e');
    expect(end.output).to.match(
      /^ +[\d.]+ s {2}contract quiet begins\n.* unit begins\n[^]* e2e quiet begins$/m,
    );
    expect(lastLine(end)).to.equal('4 passed, 0 failed');
  });

  for (const [recipe, exitCode, last, said] of [
    ['@echo all is well', 0, '1 passed, 0 failed', 'all is well'],
    ['@echo a rule is broken; exit 3', 1, '1 passed, 1 failed', 'a rule is broken'],
  ] as const)
    it(`runs a target of the Makefile among the suites: ${said}`, async () => {
      write('Makefile', `check:\n\t${recipe}\n`);
      write('test/unit/a.test.ts', passing);
      const end = await run('--make', 'check', 'unit');
      expect(end.exitCode).to.equal(exitCode);
      expect(end.output).to.match(new RegExp(`── make check, [\\d.]+ s ─+\\n${said}`));
      expect(end.output).to.match(
        exitCode === 0 ? /^check +0 +0 /m : /^check +0 +1 .*failed with exit code 2$/m,
      );
      expect(lastLine(end)).to.equal(last);
    });

  it('ends what it runs, and leaves nothing, when it is ended', async () => {
    write(
      'test/unit/a.test.ts',
      `it('writes who it is', function (done) {
      this.timeout(0);
      require('node:fs').writeFileSync('pid', String(process.pid));
    });`.replace('require', 'process.getBuiltinModule'),
    );
    write('test/scenario/b.test.ts', passing);
    const scratch = join(copy.dir, 'scratch');
    mkdirSync(scratch);
    const child = spawn(process.execPath, ['control-plane/tools/run-tests.ts', 'unit', 'scenario'], {
      cwd: copy.dir,
      env: { ...process.env, TMPDIR: scratch },
      stdio: 'ignore',
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const pid = await eventually('the test runs', () =>
      existsSync(join(copy.dir, 'pid')) ? Number(readFileSync(join(copy.dir, 'pid'), 'utf8')) || null : null,
    );
    child.kill('SIGTERM');
    expect(await exited).to.equal(143);
    await eventually('its mocha has ended', () => (existsSync(`/proc/${pid}`) ? null : true));
    expect(readdirSync(scratch)).to.deep.equal([]);
  });

  it('fails when one of two packs dies, and counts the other', async () => {
    write('test/e2e/a.test.ts', `${passing}\nit('dies', () => process.exit(0));`);
    write('test/e2e/b.test.ts', passing);
    const end = await run('e2e');
    expect(end.exitCode).to.equal(1);
    expect(end.output).to.include('e2e 1/2: mocha ended early (exit code 0) while running "dies"');
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
      // Long enough for mocha to start on a machine that is busy.
      const end = await run('--deadline-s', '5', 'unit');
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

  it('looks for what mocha’s options choose in a suite as a whole: a file may have none of it', async () => {
    write('test/e2e/a.test.ts', passing);
    write('test/e2e/b.test.ts', `// run-tests: quiet\n${failing}`);
    const chosen = await run('e2e', '--', '-g', 'passes');
    expect(chosen.exitCode).to.equal(0);
    expect(lastLine(chosen)).to.equal('1 passed, 0 failed');
    const none = await run('e2e', '--', '-g', 'nowhere');
    expect(none.exitCode).to.equal(1);
    expect(none.output).to.include('ran no test at all');
    expect(lastLine(none)).to.equal('0 passed, 1 failed');
  });

  it('is content with a pack without a test when its suite has others', async () => {
    write('test/e2e/a.test.ts', passing);
    write('test/e2e/b.test.ts', '');
    const end = await run('e2e');
    expect(end.exitCode).to.equal(0);
    expect(lastLine(end)).to.equal('1 passed, 0 failed');
  });

  it('says how it is used when it is used wrongly', async () => {
    const wrong = [[], ['nowhere'], ['--lanes', '0', 'unit'], ['--lanes', 'many', 'unit']];
    for (const end of await Promise.all(wrong.map((args) => run(...args)))) {
      expect(end.exitCode).to.equal(2);
      expect(end.output).to.match(/^usage: /);
    }
  });
});
