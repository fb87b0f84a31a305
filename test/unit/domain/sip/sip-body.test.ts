import { expect } from 'chai';
import { parseSipMessage, type SipMessage } from '../../../../control-plane/src/domain/sip/sip-message.ts';
import { ruleBody } from '../../../../control-plane/src/domain/sip/sip-body.ts';
import { pass } from '../../../../control-plane/src/domain/sip/refusal-code.ts';
import { engineRequest } from './sip-samples.ts';

const message = (body: string, headers: readonly string[]): SipMessage => {
  const parsed = parseSipMessage(engineRequest('INVITE', { body, headers }));
  if (!parsed.ok) throw new Error(parsed.code);
  return parsed.message;
};
const rule = (mayCarryOthers = false) => ({
  sdp: (text: string) => pass(text.toUpperCase()),
  mayCarryOthers,
});
const ruled = (body: string, headers: readonly string[], mayCarryOthers = false): string => {
  const checked = ruleBody(message(body, headers), rule(mayCarryOthers));
  return checked.ok ? checked.value : checked.code;
};
const mixed = ['Content-Type: multipart/mixed; boundary="b1"'];
const part = (type: string, text: string): string => `--b1\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;

describe('domain/sip/sip-body', () => {
  it('RTC-3: finds SDP under its full, its compact and an oddly written content type', () => {
    expect(ruled('v=0', ['Content-Type: application/sdp'])).to.equal('V=0');
    expect(ruled('v=0', ['c:application/SDP'])).to.equal('V=0');
    expect(ruled('v=0', ['Content-Type : Application / Sdp;charset=utf-8'])).to.equal('V=0');
  });

  it('RTC-3: finds SDP in every part of a multipart, and passes the rest', () => {
    const body = `${part('application/sdp', 'v=0')}${part('application/pidf+xml', '<a/>')}${part('application/sdp', 'v=1')}--b1--\r\n`;
    const after = ruled(body, mixed, true);
    expect(after).to.equal(
      `${part('application/sdp', 'V=0')}${part('application/pidf+xml', '<a/>')}${part('application/sdp', 'V=1')}--b1--\r\n`,
    );
  });

  it("drops a part's own length, which may no longer be true", () => {
    const body = `--b1\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\nContent-Disposition: session\r\n\r\nv=0\r\n--b1--`;
    expect(ruled(body, mixed)).to.equal(
      '--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\nV=0\r\n--b1--\r\n',
    );
  });

  const sdpPart = part('application/sdp', 'v=0');
  const REFUSED: readonly (readonly [string, string, readonly string[]])[] = [
    ['a body without a type', 'v=0', ['X: y']],
    ['a body of another type', 'hello', ['Content-Type: text/plain']],
    ['a type that is none', 'v=0', ['Content-Type: application']],
    ['a compressed body', 'v=0', ['Content-Type: application/sdp', 'Content-Encoding: gzip']],
    ['a compressed body, compact', 'v=0', ['c: application/sdp', 'e: gzip']],
    ['a multipart without a boundary', `${sdpPart}--b1--`, ['Content-Type: multipart/mixed']],
    ['a multipart with a preamble', `hidden\r\n${sdpPart}--b1--`, mixed],
    ['a multipart with an epilogue', `${sdpPart}--b1--\r\nv=0`, mixed],
    ['a multipart without an end', sdpPart, mixed],
    ['a multipart whose boundary has a tail', `${sdpPart}--b1x\r\n\r\nv=0\r\n--b1--`, mixed],
    [
      'a multipart with white space after a boundary',
      `${sdpPart}--b1 \r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b1--`,
      mixed,
    ],
    [
      'a multipart in a multipart',
      `${part('multipart/mixed; boundary=b2', '--b2\r\n\r\nx\r\n--b2--')}--b1--`,
      mixed,
    ],
    [
      'a part in base64',
      `--b1\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b1--`,
      mixed,
    ],
    ['a part without headers', `--b1\r\nv=0\r\n--b1--`, mixed],
    ['nine parts', `${sdpPart.repeat(9)}--b1--`, mixed],
    ['a part of another type', `${sdpPart}${part('text/html', 'x')}--b1--`, mixed],
  ];
  for (const [what, body, headers] of REFUSED)
    it(`RTC-3: refuses ${what}`, () => expect(ruled(body, headers)).to.equal('ERR_EDGE_BODY_TYPE'));

  it('RTC-3: refuses a part with two types', () => {
    const body = '--b1\r\nContent-Type: text/plain\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b1--';
    expect(ruled(body, mixed)).to.equal('ERR_EDGE_SIP_DUPLICATE');
  });
});
