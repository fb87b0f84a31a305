import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MODULE = resolve(
  import.meta.dirname,
  '../../../../control-plane/src/adapters/failpoints/process-failpoints.ts',
);

/** How a process ends that passes `decided/sos.activate` three times and then says so. */
async function endOf(order: object, signalled = false): Promise<{ signal: unknown; said: string }> {
  const program = `
    import { processFailpoints } from ${JSON.stringify(MODULE)};
    const failpoints = processFailpoints(${JSON.stringify(order)});
    ${signalled ? `process.kill(process.pid, 'SIGUSR2'); await new Promise((done) => setTimeout(done, 50));` : ''}
    failpoints.passed('committed', 'sos.activate');
    for (const time of [1, 2, 3]) { process.stdout.write(String(time)); failpoints.passed('decided', 'sos.activate'); }
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { signal, said };
}

describe('adapters/failpoints process-failpoints', function () {
  this.timeout(10_000);
  const order = { action: 'kill', place: 'decided', detail: null, passage: 2, onSignal: false };

  it('ends the process at the passage that was ordered, and nothing after it happens', async () => {
    expect(await endOf(order)).to.deep.equal({ signal: 'SIGKILL', said: '12' });
    expect(await endOf({ ...order, detail: 'sos.activate' })).to.deep.equal({
      signal: 'SIGKILL',
      said: '12',
    });
  });

  it('lets everything else pass', async () => {
    expect(await endOf({ ...order, detail: 'sos.resolve' })).to.deep.equal({ signal: null, said: '123' });
    expect(await endOf({ ...order, passage: 4 })).to.deep.equal({ signal: null, said: '123' });
  });

  it('counts from the signal on where that is ordered', async () => {
    expect(await endOf({ ...order, onSignal: true })).to.deep.equal({ signal: null, said: '123' });
    expect((await endOf({ ...order, onSignal: true }, true)).signal).to.equal('SIGKILL');
  });
});
