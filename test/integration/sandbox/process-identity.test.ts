import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  endLeftover,
  endProcess,
  identifyProcess,
  isRunning,
  readPidFile,
  writePidFile,
  type ProcessIdentity,
} from '../../../control-plane/sandbox/process-identity.ts';

describe('sandbox/process-identity', function () {
  this.timeout(15_000);
  const children: ChildProcess[] = [];
  let folder: string;
  let pidFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hamrahi-identity-'));
    pidFile = join(folder, 'server.pid.json');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** A process whose command line carries the folder; deaf to SIGTERM where asked. */
  const start = async (deaf = false): Promise<ProcessIdentity> => {
    const script = `${deaf ? "process.on('SIGTERM', () => {});" : ''} console.log('up'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return identifyProcess(child.pid!, folder)!;
  };

  it('ends the process of a pid file, and removes the file', async () => {
    const identity = await start();
    writePidFile(pidFile, identity);
    expect(readPidFile(pidFile)).to.deep.equal(identity);
    expect(await endLeftover(pidFile)).to.equal('terminated');
    expect(isRunning(identity)).to.equal(false);
    expect(existsSync(pidFile)).to.equal(false);
  });

  it('kills what does not hear SIGTERM', async () => {
    const identity = await start(true);
    expect(await endProcess(identity, { term: 200, kill: 2_000 })).to.equal('killed');
    expect(isRunning(identity)).to.equal(false);
  });

  it('never ends a process that only has the pid: not with another start time, not with another command', async () => {
    const identity = await start();
    for (const stranger of [
      { ...identity, startTicks: String(Number(identity.startTicks) - 1) },
      { ...identity, marker: '/nowhere/else' },
    ]) {
      writePidFile(pidFile, stranger);
      expect(await endLeftover(pidFile)).to.equal('gone');
      expect(isRunning(identity)).to.equal(true);
    }
  });

  it('takes an absent, empty or foreign pid file for no process', async () => {
    expect(await endLeftover(pidFile)).to.equal('gone');
    for (const text of ['', '1', '{"pid":1}', '{"pid":-1,"startTicks":"1","marker":"/"}']) {
      writeFileSync(pidFile, text);
      expect(await endLeftover(pidFile), text).to.equal('gone');
      expect(existsSync(pidFile)).to.equal(false);
    }
  });
});
