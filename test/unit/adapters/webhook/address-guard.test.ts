import { expect } from 'chai';
import { AddressGuard } from '../../../../control-plane/src/adapters/webhook/address-guard.ts';

const strict = new AddressGuard({ allowedNetworks: [], publicAllowed: true });

const REFUSED = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.254', '127.0.0.1'],
  ...['127.255.255.255', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1'],
  ...['192.88.99.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::2', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1'],
  ...['0:0:0:0:0:ffff:c0a8:0101', '::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8'],
  ...['64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '2002:808:808::1', '3fff::1'],
  ...['fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '4000::1'],
];
const PERMITTED = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.0', '126.0.0.1'],
  ...['172.15.255.255', '172.32.0.1', '192.167.0.1', '192.169.0.1', '223.255.255.255'],
  ...['::ffff:8.8.8.8', '2001:4860:4860::8888', '2606:4700:4700::1111', '2400:cb00::1'],
];

describe('adapters/webhook: the guard of addresses', () => {
  for (const address of REFUSED)
    it(`refuses ${address}`, () => expect(strict.permits(address)).to.equal(false));
  for (const address of PERMITTED)
    it(`permits ${address}`, () => expect(strict.permits(address)).to.equal(true));

  it('refuses what is no address', () => {
    for (const text of ['', 'localhost', '127.1', '0x7f.1', '2130706433', '1.2.3', '[::1]', '8.8.8.8/8'])
      expect(strict.permits(text), text).to.equal(false);
  });

  it('permits what the settings name, in either notation, and nothing beside it', () => {
    const guard = new AddressGuard({ allowedNetworks: ['127.0.0.0/8', 'fd00:1::/32'], publicAllowed: true });
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'fd00:1::9', '8.8.8.8'])
      expect(guard.permits(address), address).to.equal(true);
    for (const address of ['::1', '10.0.0.1', 'fd00:2::9', '64:ff9b::7f00:1'])
      expect(guard.permits(address), address).to.equal(false);
  });

  it('TEL-5: in a sandbox permits what the settings name and nobody else', () => {
    const guard = new AddressGuard({ allowedNetworks: ['127.0.0.0/8'], publicAllowed: false });
    expect(guard.permits('127.0.0.1')).to.equal(true);
    for (const address of ['8.8.8.8', '2606:4700:4700::1111', '10.0.0.1', '::1'])
      expect(guard.permits(address), address).to.equal(false);
  });
});
