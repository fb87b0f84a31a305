import { expect } from 'chai';
import { AddressGuard } from '../../../../control-plane/src/adapters/webhook/address-guard.ts';
import { urlRefusal } from '../../../../control-plane/src/adapters/webhook/url-refusal.ts';

const guard = new AddressGuard({ allowedNetworks: [], publicAllowed: true });
const loopback = new AddressGuard({ allowedNetworks: ['127.0.0.0/8'], publicAllowed: false });

/** 127.0.0.1, 10.0.0.1, 169.254.169.254 and ::1 in every notation that a URL understands. */
const HIDDEN = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7F.0.0.1',
    '017700000001',
    '0177.0.0.1',
  ],
  ...[
    '0177.0x0.0.1',
    '127.0.0.1.',
    '127。0。0。1',
    '１２７.0.0.1',
    '%31%32%37.0.0.1',
    '10.0.0.1',
    '0xa.1',
    '012.1',
  ],
  ...['167772161', '169.254.169.254', '0xa9fea9fe', '2852039166', '0', '0.0.0.0', '[::1]', '[::]'],
  ...['[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:a9fe:a9fe]', '[::127.0.0.1]'],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fd00::1]', '[ff02::1]'],
];

describe('adapters/webhook: URLs', () => {
  for (const host of HIDDEN)
    it(`refuses https://${host}/`, () => {
      expect(urlRefusal(`https://${host}/`, guard, false)).to.match(/address|no URL/);
      expect(urlRefusal(`https://${host}:8443/hook?x=1`, guard, false)).to.match(/address|no URL/);
    });

  it('takes https with a name, a port, a path and a query, and public addresses', () => {
    for (const url of [
      'https://receiver.example/hook',
      'https://receiver.example:8443/a/b?token=x',
      'HTTPS://Receiver.Example',
      'https://8.8.8.8/',
      'https://[2606:4700:4700::1111]/',
    ])
      expect(urlRefusal(url, guard, false), url).to.equal(null);
  });

  it('refuses other schemes, credentials, fragments, and what is no URL', () => {
    for (const url of [
      'http://receiver.example/',
      'ftp://receiver.example/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'data:text/plain,x',
      'ws://receiver.example/',
      'https://user:secret@receiver.example/',
      'https://user@receiver.example/',
      'https://receiver.example/#part',
      'https://',
      'receiver.example/hook',
      '//receiver.example/',
      '',
      'https://exa mple/',
      'https://[::1',
      'https://256.1.1.1/',
    ])
      expect(urlRefusal(url, guard, false), url).to.be.a('string');
  });

  it('takes http and loopback where the settings say so', () => {
    expect(urlRefusal('http://127.0.0.1:9000/', loopback, true)).to.equal(null);
    expect(urlRefusal('http://[::ffff:127.0.0.1]:9000/', loopback, true)).to.equal(null);
    expect(urlRefusal('http://10.0.0.1/', loopback, true)).to.be.a('string');
    expect(urlRefusal('http://8.8.8.8/', loopback, true)).to.be.a('string');
    expect(urlRefusal('ftp://127.0.0.1/', loopback, true)).to.be.a('string');
  });
});
