import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { runCommand } from '../../../../control-plane/sandbox/install/run-command.ts';

const module = join(import.meta.dirname, '../../../../control-plane/sandbox/install/run-command.ts');

describe('sandbox/install/run-command', () => {
  let dir = '';
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'hamrahi-command-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const run = (script: string, deadlineMs = 5_000) =>
    runCommand({ command: 'sh', args: ['-c', script], logFile: join(dir, 'log'), deadlineMs });

  it('gives exit code and output, and keeps both streams in the log', async () => {
    const end = await run('echo one; echo two >&2; exit 3');
    expect(end).to.include({ exitCode: 3, timedOut: false });
    const log = readFileSync(join(dir, 'log'), 'utf8');
    for (const line of ['one\n', 'two\n']) {
      expect(end.output).to.include(line);
      expect(log).to.include(line);
    }
  });

  it('ends a program at its deadline', async () => {
    expect(await run('exec sleep 60', 100)).to.include({ exitCode: null, timedOut: true });
  });

  it('reports a program that does not exist', async () => {
    const end = await runCommand({
      command: 'no-such-program',
      args: [],
      logFile: '/dev/null',
      deadlineMs: 5_000,
    });
    expect(end.exitCode).to.not.equal(0);
    expect(end.output).to.include('no-such-program');
  });

  it('leaves no program behind when this process is killed', async () => {
    const pidFile = join(dir, 'pid');
    const script = `import { runCommand } from ${JSON.stringify(module)};
      await runCommand({ command: 'sh', args: ['-c', 'echo $$ >${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 60'],
        logFile: '/dev/null', deadlineMs: 60_000 });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    await until(() => existsSync(pidFile));
    const pid = readFileSync(pidFile, 'utf8').trim();
    expect(existsSync(`/proc/${pid}`)).to.equal(true);
    parent.kill('SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`));
  });
});

async function until(condition: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 8_000;
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error('it did not come to pass in 8 s');
    await delay(20);
  }
}
