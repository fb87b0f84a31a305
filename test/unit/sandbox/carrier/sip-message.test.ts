import { expect } from 'chai';
import {
  header,
  isInDialog,
  parseNameAddress,
  parseReasons,
  parseSipMessage,
  parseSipUri,
} from '../../../../control-plane/sandbox/carrier/sip-message.ts';

function message(...lines: string[]): string {
  return [...lines, 'Call-ID: one@here', 'CSeq: 7 INVITE', '', 'body\r\n'].join('\r\n');
}

describe('sandbox/carrier/sip-message', () => {
  it('reads requests and responses, headers in either form, folded lines and the body', () => {
    const parsed = parseSipMessage(
      [
        'INVITE sip:+919812345000@host SIP/2.0',
        'v: one',
        'Via: two',
        'f: <sip:a@b>;tag=x',
        'i: short',
        'Subject: over',
        '  two lines',
        'CSeq:  3   INVITE',
        '',
        'v=0\r\n',
      ].join('\r\n'),
    );
    expect(parsed?.start).to.deep.equal({ kind: 'request', method: 'INVITE', uri: 'sip:+919812345000@host' });
    expect(parsed?.headers.get('via')).to.deep.equal(['one', 'two']);
    expect(parsed).to.deep.include({
      callId: 'short',
      cseq: { number: 3, method: 'INVITE' },
      body: 'v=0\r\n',
    });
    expect(header(parsed!, 'Subject')).to.equal('over two lines');
    expect(parseSipMessage(message('SIP/2.0 486 Busy Here'))?.start).to.deep.equal({
      kind: 'response',
      status: 486,
      phrase: 'Busy Here',
    });
    expect(parseSipMessage(message('SIP/2.0 486'))?.start).to.deep.include({ status: 486, phrase: '' });
  });

  it('takes nothing for a message that is none', () => {
    for (const text of [
      '',
      '\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n',
      message('HELLO'),
    ])
      expect(parseSipMessage(text), JSON.stringify(text)).to.equal(undefined);
  });

  it('knows a request inside a dialog by its To tag', () => {
    expect(isInDialog(parseSipMessage(message('INVITE sip:a@b SIP/2.0', 'To: <sip:a@b>'))!)).to.equal(false);
    expect(isInDialog(parseSipMessage(message('INVITE sip:a@b SIP/2.0', 'To: <sip:a@b>;tag=1'))!)).to.equal(
      true,
    );
  });

  it('reads reasons: several in one header or in many, quoted commas and semicolons, no cause', () => {
    const parsed = parseSipMessage(
      message(
        'CANCEL sip:a@b SIP/2.0',
        'Reason: SIP;cause=200;text="won; really, yes", Q.850 ;cause=16',
        'Reason: X.1',
      ),
    );
    expect(parseReasons(parsed!)).to.deep.equal([
      { protocol: 'SIP', cause: 200, text: 'won; really, yes' },
      { protocol: 'Q.850', cause: 16, text: null },
      { protocol: 'X.1', cause: null, text: null },
    ]);
  });

  it('reads names and addresses in every usual form', () => {
    expect(parseNameAddress('"Ham \\"Rahi\\"" <sip:+9111@host:5070;user=phone>;tag=1')).to.deep.include({
      displayName: 'Ham \\"Rahi\\"',
      uri: 'sip:+9111@host:5070;user=phone',
      user: '+9111',
      host: 'host:5070',
      userPhone: true,
    });
    expect(parseNameAddress('Rahi <sips:a@b>')).to.deep.include({
      displayName: 'Rahi',
      user: 'a',
      userPhone: false,
    });
    expect(parseNameAddress('sip:a@b;user=phone')).to.deep.include({ uri: 'sip:a@b', userPhone: false });
    expect(parseNameAddress('<tel:+919812345000>')).to.deep.include({ user: '+919812345000', host: '' });
    expect(parseNameAddress('<sip:host>')).to.deep.include({ user: null, host: 'host' });
    expect(parseNameAddress('nonsense')).to.equal(undefined);
  });

  it('reads a request URI with its parameters, and the user without its own', () => {
    expect(parseSipUri('sip:+9198;phone-context=x@host;user=phone')).to.deep.equal({
      user: '+9198',
      host: 'host',
      userPhone: true,
    });
    expect(parseSipUri('sip:+9198@host;transport=udp;user=phone')).to.deep.equal({
      user: '+9198',
      host: 'host',
      userPhone: true,
    });
    expect(parseSipUri('sip:+9198:secret@host')).to.deep.include({ user: '+9198' });
  });
});
