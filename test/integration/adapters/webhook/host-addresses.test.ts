import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostAddresses } from '../../../../control-plane/src/adapters/webhook/host-addresses.ts';
import { startNameServer } from '../../../support/name-server.ts';

describe('adapters/webhook: addresses behind a name', function () {
  this.timeout(15_000);
  const folder = mkdtempSync(join(tmpdir(), 'hamrahi-hosts-'));
  const hostsFile = join(folder, 'hosts');
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  after(() => rmSync(folder, { recursive: true }));

  const withServer = async (answer: Parameters<typeof startNameServer>[0]) => {
    const server = await startNameServer(answer);
    closers.push(() => server.close());
    return { server, find: hostAddresses({ servers: [server.address], hostsFile }) };
  };

  it('come from the hosts file first, in any case, comments apart', async () => {
    writeFileSync(
      hostsFile,
      '127.0.0.1 localhost\n10.9.8.7\tReceiver.Internal other # note.internal\n#1.1.1.1 gone.internal\n::5 receiver.internal\n',
    );
    const { server, find } = await withServer(() => []);
    expect(await find('receiver.INTERNAL.')).to.deep.equal(['10.9.8.7', '::5']);
    expect(await find('other')).to.deep.equal(['10.9.8.7']);
    expect(server.asked).to.deep.equal([]);
    expect(await find('note.internal')).to.deep.equal([]);
    expect(await find('gone.internal')).to.deep.equal([]);
  });

  it('are loopback for localhost, and nobody is asked', async () => {
    writeFileSync(hostsFile, '');
    const { server, find } = await withServer(() => ['8.8.8.8']);
    expect(await find('localhost')).to.deep.equal(['127.0.0.1', '::1']);
    expect(await find('a.localhost.')).to.deep.equal(['127.0.0.1', '::1']);
    expect(server.asked).to.deep.equal([]);
  });

  it('come from DNS, both families, IPv4 first', async () => {
    const { find } = await withServer((name, type) => {
      if (name === 'both.example') return type === 'A' ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1'];
      if (name === 'six.example') return type === 'AAAA' ? ['2001:db8::6'] : [];
      return [];
    });
    expect(await find('both.example')).to.deep.equal(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    expect(await find('six.example')).to.deep.equal(['2001:db8::6']);
    expect(await find('none.example')).to.deep.equal([]);
  });

  it('of one family are not kept waiting by a server that is silent about the other', async () => {
    const { find } = await withServer((_name, type) => (type === 'A' ? ['192.0.2.1'] : null));
    const beganAt = performance.now();
    expect(await find('four.example')).to.deep.equal(['192.0.2.1']);
    expect(performance.now() - beganAt).to.be.below(600);
  });

  it('that no server tells of hold up nothing else: neither files nor other names', async () => {
    const { server, find } = await withServer((name) => (name.startsWith('quick') ? ['192.0.2.9'] : null));
    const silent = Array.from({ length: 60 }, (_, n) => find(`silent${n}.example`));
    const beganAt = performance.now();
    expect((await find('quick.example')).slice(0, 1)).to.deep.equal(['192.0.2.9']);
    for (let n = 0; n < 20; n += 1) await stat(folder);
    expect(performance.now() - beganAt, 'while all of them wait').to.be.below(1000);
    const gaveUp = await Promise.all(silent);
    expect(gaveUp.every((addresses) => addresses.length === 0)).to.equal(true);
    expect(performance.now() - beganAt, 'and they do not wait for ever').to.be.below(8000);
    expect(server.asked.length).to.be.above(60);
  });
});
