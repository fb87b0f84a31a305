import { expect } from 'chai';
import { parseAddress, parseNetworks } from '../../../control-plane/src/config/networks.ts';

describe('config/networks', () => {
  it('are addresses with a prefix, of either family', () => {
    expect(parseNetworks('')).to.deep.equal([]);
    expect(parseNetworks(' 10.1.2.0/24 ,fd00::/8,0.0.0.0/0, ::1/128,')).to.deep.equal([
      '10.1.2.0/24',
      'fd00::/8',
      '0.0.0.0/0',
      '::1/128',
    ]);
  });

  it('take one address for an address alone: the engine permits everybody by a list with a wrong one', () => {
    for (const text of ['127.0.0.1', '10.0.0.7', '::1', 'fd00::7']) expect(parseAddress(text)).to.equal(text);
    for (const text of ['abcd', '300.1.1.1', '1.2.3', '10.0.0.0/8', '::ffff:10.0.0.7', ''])
      expect(parseAddress(text), text).to.equal(null);
  });

  it('are refused whole when one of them is none', () => {
    for (const text of [
      '10.0.0.1',
      '10.0.0.0/33',
      'fd00::/129',
      '10.0.0/8',
      'example.org/8',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      'fe80::%eth0/64',
      '10.0.0.0/8 10.1.0.0/16',
    ])
      expect(parseNetworks(text), text).to.equal(null);
    expect(parseNetworks(Array.from({ length: 101 }, () => '10.0.0.0/8').join())).to.equal(null);
  });
});
