import { expect } from 'chai';
import fc from 'fast-check';
import { parseSipMessage, renderSipMessage } from '../../../../control-plane/src/domain/sip/sip-message.ts';
import { headerValue } from '../../../../control-plane/src/domain/sip/sip-headers.ts';
import { clientRequest, DOMAIN, engineRequest, sdp, sip } from './sip-samples.ts';

const good = clientRequest('REGISTER');
const swap = (from: string | RegExp, to: string): string => {
  const changed = good.replace(from, to);
  if (changed === good) throw new Error('the sample was not changed');
  return changed;
};

/** What RFC 4475 calls torture, in our own words; each with the code it is refused with. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['an empty frame', '', 'ERR_EDGE_SIP_SYNTAX'],
  ['a frame of noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'ERR_EDGE_SIP_SYNTAX'],
  ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'ERR_EDGE_SIP_SYNTAX'],
  ['headers that never end', good.slice(0, good.indexOf('\r\n\r\n')), 'ERR_EDGE_SIP_SYNTAX'],
  ['lines that end in LF alone', good.replaceAll('\r\n', '\n'), 'ERR_EDGE_SIP_SYNTAX'],
  ['one line that ends in LF alone', swap('\r\nTo:', '\nTo:'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a lone CR in a header', swap('Max-Forwards: 69', 'Subject: a\rb'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a NUL in a header', swap('Max-Forwards: 69', 'Subject: a\0b'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a NUL in the request line', swap('REGISTER sip:', 'REGISTER si\0p:'), 'ERR_EDGE_SIP_SYNTAX'],
  ['another protocol version', swap('SIP/2.0\r\nVia', 'SIP/7.0\r\nVia'), 'ERR_EDGE_SIP_SYNTAX'],
  ['two spaces in the request line', swap('REGISTER sip', 'REGISTER  sip'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a space after the request line', swap(' SIP/2.0\r\n', ' SIP/2.0 \r\n'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a request line that is folded', swap(` sip:${DOMAIN} `, `\r\n sip:${DOMAIN} `), 'ERR_EDGE_SIP_SYNTAX'],
  [
    'angle brackets around the Request-URI',
    swap(`sip:${DOMAIN} `, `<sip:${DOMAIN}> `),
    'ERR_EDGE_SIP_SYNTAX',
  ],
  ['a Request-URI with white space', swap(`sip:${DOMAIN} `, `sip:${DOMAIN}; lr `), 'ERR_EDGE_SIP_SYNTAX'],
  ['no method', swap('REGISTER sip', ' sip'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a method that is no token', swap('REGISTER sip', 'REGI"STER sip'), 'ERR_EDGE_SIP_SYNTAX'],
  [
    'a request line of 2000 characters',
    swap(`sip:${DOMAIN} `, `sip:${'a'.repeat(2000)} `),
    'ERR_EDGE_SIP_SYNTAX',
  ],
  ['a status over 699', 'SIP/2.0 4294967301 better\r\n\r\n', 'ERR_EDGE_SIP_SYNTAX'],
  ['a status of two digits', 'SIP/2.0 20 OK\r\n\r\n', 'ERR_EDGE_SIP_SYNTAX'],
  ['a header without a colon', swap('Max-Forwards: 69', 'Max-Forwards 69'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a header without a name', swap('Max-Forwards: 69', ': 69'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a first header that is folded', swap('\r\nVia:', '\r\n Via:'), 'ERR_EDGE_SIP_SYNTAX'],
  [
    'a folded line of nothing',
    swap('Max-Forwards: 69\r\n', 'Max-Forwards: 69\r\n \r\n'),
    'ERR_EDGE_SIP_SYNTAX',
  ],
  ['a header of 5000 characters', swap('Max-Forwards: 69', `X: ${'a'.repeat(5000)}`), 'ERR_EDGE_SIP_SYNTAX'],
  ['70 headers', swap('Max-Forwards: 69', 'X: 1\r\n'.repeat(70) + 'X: 1'), 'ERR_EDGE_SIP_SYNTAX'],
  ['no Via', swap(/Via:.*\r\n/, ''), 'ERR_EDGE_SIP_MANDATORY'],
  ['no From', swap(/From:.*\r\n/, ''), 'ERR_EDGE_SIP_MANDATORY'],
  ['no To', swap(/To:.*\r\n/, ''), 'ERR_EDGE_SIP_MANDATORY'],
  ['no Call-ID', swap(/Call-ID:.*\r\n/, ''), 'ERR_EDGE_SIP_MANDATORY'],
  ['no CSeq', swap(/CSeq:.*\r\n/, ''), 'ERR_EDGE_SIP_MANDATORY'],
  ['a CSeq of another method', swap('1 REGISTER', '1 OPTIONS'), 'ERR_EDGE_SIP_MANDATORY'],
  ['a CSeq over 2^31', swap('1 REGISTER', '36893488147419103232 REGISTER'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a CSeq just over 2^31', swap('1 REGISTER', '2147483648 REGISTER'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a negative CSeq', swap('1 REGISTER', '-1 REGISTER'), 'ERR_EDGE_SIP_SYNTAX'],
  ['two From', swap('From:', 'From: <sip:other@sip.test>;tag=x\r\nFrom:'), 'ERR_EDGE_SIP_DUPLICATE'],
  ['two To, one compact', swap('To:', 't: <sip:other@sip.test>\r\nTo:'), 'ERR_EDGE_SIP_DUPLICATE'],
  ['two Call-ID', swap('Call-ID:', 'i: other\r\nCall-ID:'), 'ERR_EDGE_SIP_DUPLICATE'],
  ['two Content-Length', swap('Content-Length: 0', 'Content-Length: 0\r\nl: 0'), 'ERR_EDGE_SIP_DUPLICATE'],
  [
    'two Content-Type',
    swap('Content-Length', 'c: a/b\r\nContent-Type: application/sdp\r\nContent-Length'),
    'ERR_EDGE_SIP_DUPLICATE',
  ],
  ['two Max-Forwards', swap('Max-Forwards', 'Max-Forwards: 5\r\nMax-Forwards'), 'ERR_EDGE_SIP_DUPLICATE'],
  ['a From list', swap('From:', 'From: <sip:other@sip.test>,'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with an open quote', swap('From: <', 'From: "Bell, Alexander <'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with an open bracket', swap(/From: (<[^>]*)>/, 'From: $1'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with two URIs', swap(/From: (<[^>]*>)/, 'From: $1 <sip:other@sip.test>'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with a bare comma in the name', swap('From: <', 'From: Bell, Alexander <'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with white space in the URI', swap(/From: <sip:/, 'From: <sip: '), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with a broken escape', swap(/From: <sip:c/, 'From: <sip:%zz'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with a password', swap('citizen-c1-d1@', 'citizen-c1-d1:secret@'), 'ERR_EDGE_SIP_SYNTAX'],
  [
    'a From with another scheme',
    swap(/From: <sip:[^>]*>/, 'From: <tel:+919876543210>'),
    'ERR_EDGE_SIP_SYNTAX',
  ],
  ['a From with two tags', swap('tag=reg-tag', 'tag=reg-tag;tag=other'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a From with a port of 70000', swap('@sip.test>;tag', '@sip.test:70000>;tag'), 'ERR_EDGE_SIP_SYNTAX'],
  ['a Call-ID with white space', swap('client-call', 'client call'), 'ERR_EDGE_SIP_SYNTAX'],
  ['an empty Call-ID', swap('client-call', ''), 'ERR_EDGE_SIP_SYNTAX'],
  ['two Via', swap('Via:', 'Via: SIP/2.0/WSS other.invalid;branch=z9hG4bKx\r\nVia:'), 'ERR_EDGE_SIP_VIA'],
  [
    'two Via in one line',
    swap('Via:', 'Via: SIP/2.0/WSS other.invalid;branch=z9hG4bKx,'),
    'ERR_EDGE_SIP_VIA',
  ],
  ['a Via without a host', swap('WSS client.invalid', 'WSS '), 'ERR_EDGE_SIP_VIA'],
  ['a Via with an open quote', swap('branch=z9hG4bKc-1', 'branch="z9hG4bKc-1'), 'ERR_EDGE_SIP_VIA'],
  ['a Content-Length larger than the body', swap('Length: 0', 'Length: 9999'), 'ERR_EDGE_SIP_LENGTH'],
  ['a negative Content-Length', swap('Length: 0', 'Length: -999'), 'ERR_EDGE_SIP_LENGTH'],
  ['a Content-Length that is no number', swap('Length: 0', 'Length: 0x0'), 'ERR_EDGE_SIP_LENGTH'],
  ['a Content-Length smaller than the body', `${good}surplus`, 'ERR_EDGE_SIP_LENGTH'],
  ['two messages in one frame', good + good, 'ERR_EDGE_SIP_LENGTH'],
];

describe('domain/sip/sip-message', () => {
  for (const [what, text, code] of REFUSED) {
    it(`RTC-10: refuses ${what}`, () => {
      const parsed = parseSipMessage(text);
      expect(parsed.ok ? 'passed' : parsed.code).to.equal(code);
    });
  }

  it('reads what is odd but legal: folding, compact names, odd case, space before the colon, quoted escapes', () => {
    const parsed = parseSipMessage(
      sip(
        [
          'INVITE sip:vivek%20singh@sip.test;transport=ws SIP/2.0',
          'v:  SIP  / 2.0\r\n  /WSS   client.invalid \r\n   ;branch =\r\n z9hG4bK390skdjuw',
          'mAX-fORWARDS: 0070',
          'FROM : "J Rosenberg \\\\\\"" <sip:jdrosen@example.test>\r\n ;\r\n tag\t=\t98asjd8',
          't: sip:vivek@sip.test',
          'i: 98asdh@192.0.2.1',
          'cseq: 0009\r\n  INVITE',
          'X-Unknown :\r\n  anything at all',
          'l: 2',
        ],
        'hi',
      ),
    );
    if (!parsed.ok) throw new Error(parsed.code);
    const { message } = parsed;
    expect(message.from.params.get('tag')).to.equal('98asjd8');
    expect(message.from.uri.user).to.equal('jdrosen');
    expect(message.to.uri.host).to.equal('sip.test');
    expect(message.via.branch).to.equal('z9hG4bK390skdjuw');
    expect(message.cseq).to.deep.equal({ number: 9, method: 'INVITE' });
    expect(headerValue(message.headers, 'max-forwards')).to.equal('0070');
    expect(message.body).to.equal('hi');
  });

  it('reads a response with an empty reason, with bytes above 127 in it, and without Content-Length', () => {
    const head = engineRequest('INVITE').split('\r\n').slice(1, 7).join('\r\n');
    for (const reason of ['', '2**3 = 8 \xd0\x9d\xd0\xb5']) {
      const parsed = parseSipMessage(`SIP/2.0 100 ${reason}\r\n${head}\r\n\r\n`);
      expect(parsed.ok && parsed.message.kind === 'response' && parsed.message.reason).to.equal(reason);
    }
  });

  it('skips empty lines before a message, as a server does (RFC 3261 §7.5)', () => {
    expect(parseSipMessage(`\r\n\r\n${good}`).ok).to.equal(true);
  });

  it('writes what it read, unfolded and with the true length', () => {
    const body = sdp();
    const folded = engineRequest('INVITE', { body }).replace('Max-Forwards: 70', 'Subject: a\r\n\t b');
    const parsed = parseSipMessage(folded);
    if (!parsed.ok) throw new Error(parsed.code);
    const text = renderSipMessage({ ...parsed.message, body: `${body}a=x\r\n` });
    expect(text).to.include('\r\nSubject: a b\r\n');
    expect(text).to.include(`\r\nContent-Length: ${body.length + 5}\r\n\r\n`);
    expect(text.match(/Content-Length/gi)).to.have.length(1);
  });

  it('can answer a request that is whole but wrong, and never an ACK', () => {
    const late = parseSipMessage(`${good}surplus`);
    expect(late.ok ? null : late.answerable?.callId).to.equal('client-call');
    const ack = parseSipMessage(`${clientRequest('ACK')}surplus`);
    expect(ack.ok ? null : ack.answerable).to.equal(null);
  });

  it('reads no damaged message differently from what it then writes', () => {
    const source = engineRequest('INVITE', { body: sdp() });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(source.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        (edits) => {
          const bytes = source.split('');
          for (const [at, code] of edits) bytes[at] = String.fromCharCode(code);
          const first = parseSipMessage(bytes.join(''));
          if (!first.ok) return;
          const second = parseSipMessage(renderSipMessage(first.message));
          expect(second.ok).to.equal(true);
          if (!second.ok) return;
          expect(second.message.from.uriText).to.equal(first.message.from.uriText);
          expect(second.message.callId).to.equal(first.message.callId);
          expect(second.message.body).to.equal(first.message.body);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
