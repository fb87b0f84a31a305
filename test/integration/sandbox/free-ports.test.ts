import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { reservePort, reservePortRange } from '../../../control-plane/sandbox/free-ports.ts';

const MODULE = resolve(import.meta.dirname, '../../../control-plane/sandbox/free-ports.ts');

describe('sandbox/free-ports', function () {
  this.timeout(20_000);
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  /** A process that reserves 20 ports and a range, prints them and keeps them. */
  const greedy = async (): Promise<number[]> => {
    const script = `
      const { reservePort, reservePortRange } = await import(${JSON.stringify(MODULE)});
      const ports = [];
      for (let n = 0; n < 20; n += 1) ports.push((await reservePort(['127.0.0.1', '127.0.0.2'])).first);
      const range = await reservePortRange(150);
      for (let port = range.first; port <= range.last; port += 1) ports.push(port);
      console.log(JSON.stringify(ports));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return JSON.parse(line) as number[];
  };

  it('gives no port to two processes that ask at the same time', async () => {
    const all = (await Promise.all([greedy(), greedy(), greedy(), greedy()])).flat();
    expect(all).to.have.length(4 * 170);
    expect(new Set(all).size).to.equal(all.length);
  });

  it('gives no port twice within one process', async () => {
    const reservations = await Promise.all(Array.from({ length: 50 }, () => reservePort()));
    expect(new Set(reservations.map(({ first }) => first)).size).to.equal(50);
    await Promise.all(reservations.map((reservation) => reservation.release()));
  });

  it('passes over a port that a server holds without a claim', async () => {
    const reservation = await reservePort();
    const port = reservation.first;
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    await reservation.release();
    const others = await Promise.all(Array.from({ length: 100 }, () => reservePort()));
    expect(others.map(({ first }) => first)).to.not.include(port);
    await Promise.all(others.map((other) => other.release()));
    server.close();
    await once(server, 'close');
  });

  it('a range begins with an even port and has the length asked for', async () => {
    const range = await reservePortRange(250);
    expect(range.first % 2).to.equal(0);
    expect(range.last - range.first + 1).to.equal(250);
    await range.release();
    await range.release();
  });

  it('a claim ends with its process, even when that is killed', async () => {
    const ports = await greedy();
    const child = children[0]!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Every block of the zone but those in use by others can be had again, the dead process's among them.
    const claim = createServer();
    claim.listen(`\0hamrahi-sandbox-port-${ports[0]!}`);
    await once(claim, 'listening');
    claim.close();
    await once(claim, 'close');
  });
});
