import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCarrierReport } from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import { startCarrier } from '../../../control-plane/sandbox/carrier/start-carrier.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';
import { openSipCaller } from '../../support/sip-caller.ts';

/** False for a zombie too, which only waits for its parent to look. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
}

/** A process of its own that starts a carrier and says its Asterisk's pid. */
const STARTER = `
  const { startCarrier } = await import(process.argv[1]);
  const carrier = await startCarrier({ root: process.argv[2], runDir: process.argv[3] });
  console.log(carrier.asteriskPid);
`;

describe('sandbox/carrier: start and end', function () {
  this.timeout(20_000);
  const { runDir, remove } = makeRunDir('carrier');
  after(remove);

  it('ends everything it started, a live call included, and may start again on the same ports', async () => {
    const first = await startCarrier({ root: asteriskRootDir(), runDir });
    const { host, port, reportUrl } = first;
    const caller = await openSipCaller(first);
    const call = await caller.call({ to: '+919812345000' });
    await call.waitForStatus(200, 3_000);
    await first.stop();
    await first.stop();
    expect(isAlive(first.asteriskPid)).to.equal(false);
    await fetch(reportUrl).then(
      () => expect.fail('the report still answers'),
      () => undefined,
    );
    const second = await startCarrier({
      root: asteriskRootDir(),
      runDir,
      port,
      reportPort: Number(new URL(reportUrl).port),
    });
    expect(second).to.include({ host, port, reportUrl });
    expect(await caller.options(1_000)).to.equal(200);
    caller.close();
    await second.stop();
  });

  it('TEL-5 runs beside another one on the same address', async () => {
    const other = makeRunDir('carrier');
    const carriers = await Promise.all(
      [runDir, other.runDir].map((dir) => startCarrier({ root: asteriskRootDir(), runDir: dir })),
    );
    try {
      for (const carrier of carriers) {
        const caller = await openSipCaller(carrier);
        const call = await caller.call({ to: '+919812345005' });
        await call.waitForStatus(200, 2_000);
        expect(await createCarrierReport(carrier.reportUrl).fetchCalls()).to.have.length(1);
        caller.close();
      }
    } finally {
      await Promise.all(carriers.map((carrier) => carrier.stop()));
      await other.remove();
    }
  });

  it('ends the Asterisk that a killed process left behind', async () => {
    const module = join(import.meta.dirname, '../../../control-plane/sandbox/carrier/start-carrier.ts');
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', STARTER, module, asteriskRootDir(), runDir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const orphan = Number(line);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect(isAlive(orphan)).to.equal(true);
    const carrier = await startCarrier({ root: asteriskRootDir(), runDir });
    const isLeft = isAlive(orphan);
    await carrier.stop();
    expect(isLeft).to.equal(false);
    expect(carrier.asteriskPid).to.not.equal(orphan);
  });

  it('says what is wrong when its port is taken', async () => {
    const first = await startCarrier({ root: asteriskRootDir(), runDir });
    const other = makeRunDir('carrier');
    try {
      const failure = await startCarrier({
        root: asteriskRootDir(),
        runDir: other.runDir,
        port: first.port,
      }).then(
        () => undefined,
        (error: unknown) => error as NodeJS.ErrnoException,
      );
      expect(failure?.code).to.equal('EADDRINUSE');
    } finally {
      await first.stop();
      await other.remove();
    }
  });
});
