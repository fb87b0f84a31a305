import { expect } from 'chai';
import { parseSipAddress, parseSipUri } from '../../../../control-plane/src/domain/sip/sip-address.ts';

describe('domain/sip/sip-address', () => {
  it('reads a URI with user, port and parameters', () => {
    const uri = parseSipUri('sip:citizen-1-a@SIP.Test:5061;Transport=WS;ob');
    expect(uri).to.include({
      scheme: 'sip',
      user: 'citizen-1-a',
      host: 'sip.test',
      port: 5061,
      hasHeaders: false,
    });
    expect([...(uri?.params ?? [])]).to.deep.equal([
      ['transport', 'WS'],
      ['ob', ''],
    ]);
  });

  it('reads IPv6 hosts, hosts without a user, and says when headers are in the URI', () => {
    expect(parseSipUri('sips:[2001:db8::1]:443')).to.include({
      scheme: 'sips',
      user: null,
      host: '[2001:db8::1]',
    });
    expect(parseSipUri('sip:a@sip.test?Route=%3Csip:evil.test%3E')).to.include({ hasHeaders: true });
  });

  for (const text of [
    '',
    'sip:',
    'sip:@host',
    'sip:a@',
    'sip:a@b@c',
    'sip:a@-host',
    'sip:a@ho..st',
    'sip:a@host:0',
    'sip:a@host:99999',
    'sip:a@host;a=1;a=2',
    'sip:a@host;;lr',
    'sip:a@host%',
    'sip:a b@host',
    'sip:a:pw@host',
    'http://host/',
    'tel:+911234567890',
    'sip:a@[::1',
    'sip:a@host\r\n',
  ])
    it(`is not a URI: ${JSON.stringify(text)}`, () => expect(parseSipUri(text)).to.equal(null));

  it('puts parameters after a bare URI on the header (RFC 3261 §20.10)', () => {
    const address = parseSipAddress('sip:a@sip.test;tag=1');
    expect(address?.uriText).to.equal('sip:a@sip.test');
    expect(address?.params.get('tag')).to.equal('1');
  });

  it('is not fooled by an address inside a display name', () => {
    const address = parseSipAddress('"<sip:boss@sip.test>;tag=9" <sip:me@sip.test>;tag=1');
    expect(address?.uri.user).to.equal('me');
    expect(address?.params.get('tag')).to.equal('1');
  });

  for (const text of [
    '"a" "b" <sip:a@h>',
    '<sip:a@h> trailing',
    '<sip:a@h>;tag="open',
    '<<sip:a@h>>',
    '<sip:a@h>,<sip:b@h>',
    'Name sip:a@h',
    '<sip:a@h>;=x',
    '<sip:a@h>;tag=a b',
  ])
    it(`is not an address: ${text}`, () => expect(parseSipAddress(text)).to.equal(null));

  it('takes no time over hostile text', () => {
    const started = performance.now();
    for (const piece of ['a ', '"\\', ';a=b', '<', ' ', 'sip:', '%41', '\t;'])
      for (const shape of [piece.repeat(500), `<sip:${piece.repeat(500)}`, `"${piece.repeat(500)}`])
        parseSipAddress(shape.slice(0, 1024));
    expect(performance.now() - started).to.be.lessThan(200);
  });
});
