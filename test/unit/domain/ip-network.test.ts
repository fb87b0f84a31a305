import { isIP } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  isAmong,
  parseIpAddress,
  parseIpNetwork,
  shareAddresses,
} from '../../../control-plane/src/domain/ip-network.ts';

describe('domain/ip-network', () => {
  it('reads addresses and networks of both families', () => {
    expect(parseIpAddress('192.0.2.1')).to.deep.equal({ version: 4, bits: 0xc000_0201n, prefix: 32 });
    expect(parseIpAddress('fd00::1')).to.deep.equal({ version: 6, bits: (0xfdn << 120n) | 1n, prefix: 128 });
    expect(parseIpNetwork('10.0.0.0/8')).to.deep.equal({ version: 4, bits: 0x0a00_0000n, prefix: 8 });
    expect(parseIpNetwork('0.0.0.0/0')?.prefix).to.equal(0);
    expect(parseIpNetwork('::/128')?.prefix).to.equal(128);
  });

  for (const text of [
    ...['', 'abcd', '10.0.0', '10.0.0.0.0', '300.1.1.1', '010.0.0.1', '1.2.3.-4', '1.2.3.4 ', '0x7f.0.0.1'],
    ...['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/8/8', '/8', '10.0.0.0/1e1'],
    ...[
      'fd00::/129',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4::5:6:7:8',
      ':1::',
      '12345::',
    ],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:0:0/96', 'fe80::1%eth0', '[::1]'],
  ])
    it(`takes "${text}" for none`, () => {
      expect(parseIpNetwork(text)).to.equal(null);
    });

  it('takes for an address what Node.js does, but IPv4 written inside IPv6, and zones', () => {
    const nearly = fc.stringMatching(/^[0-9a-f.:]{2,40}$/);
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), nearly);
    fc.assert(
      fc.property(texts, (text) => {
        const read = parseIpAddress(text);
        if (read !== null) expect(isIP(text)).to.equal(read.version);
        else if (
          !(text.includes(':') && text.includes('.')) &&
          !/ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/i.test(text)
        )
          expect(isIP(text)).to.equal(0);
      }),
    );
  });

  it('tells whether two networks have an address in common', () => {
    const share = (a: string, b: string): boolean => shareAddresses(parseIpNetwork(a)!, parseIpNetwork(b)!);
    for (const [a, b, expected] of [
      ['127.0.0.1', '127.0.0.1', true],
      ['127.0.0.1', '127.0.0.2', false],
      ['127.0.0.0/8', '127.0.0.1', true],
      ['0.0.0.0/0', '198.51.100.7', true],
      ['10.0.0.77/16', '10.0.3.0/24', true],
      ['10.0.0.0/16', '10.1.0.0/16', false],
      ['0.0.0.0/0', '::1', false],
      ['fd00::/48', 'fd00:0:0:1::/64', true],
      ['fd00::/48', 'fd00:0:1::/48', false],
    ] as const) {
      expect(share(a, b), `${a} ${b}`).to.equal(expected);
      expect(share(b, a), `${b} ${a}`).to.equal(expected);
    }
  });

  it('tells whether an address or a network is among some, and of a host name that it is not', () => {
    expect(isAmong('192.0.2.7', ['198.51.100.1', '192.0.2.0/29'])).to.equal(true);
    expect(isAmong('192.0.2.8', ['198.51.100.1', '192.0.2.0/29'])).to.equal(false);
    expect(isAmong('sbc.invalid', ['0.0.0.0/0', 'sbc.invalid'])).to.equal(false);
  });
});
