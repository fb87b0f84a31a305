import { expect } from 'chai';
import fc from 'fast-check';
import { holdOneWay, type Describer } from '../../../../control-plane/src/domain/sip/one-way-sdp.ts';
import { directions, PRINT, sdp } from './sip-samples.ts';

const held = (text: string, describer: Describer): string => {
  const checked = holdOneWay(text, describer);
  if (!checked.ok) throw new Error(checked.code);
  return checked.value;
};
const codeOf = (text: string, describer: Describer = 'citizen'): string => {
  const checked = holdOneWay(text, describer);
  return checked.ok ? 'passed' : checked.code;
};

/** What each may say is left of what he says. */
const TABLE: readonly (readonly [Describer, string | null, string])[] = [
  ['engine-to-citizen', 'sendrecv', 'recvonly'],
  ['engine-to-citizen', 'recvonly', 'recvonly'],
  ['engine-to-citizen', 'sendonly', 'inactive'],
  ['engine-to-citizen', 'inactive', 'inactive'],
  ['engine-to-citizen', null, 'recvonly'],
  ['citizen', 'sendrecv', 'sendonly'],
  ['citizen', 'sendonly', 'sendonly'],
  ['citizen', 'recvonly', 'inactive'],
  ['citizen', 'inactive', 'inactive'],
  ['citizen', null, 'sendonly'],
  ['engine-to-operator', 'sendrecv', 'sendonly'],
  ['engine-to-operator', 'sendonly', 'sendonly'],
  ['engine-to-operator', 'recvonly', 'inactive'],
  ['engine-to-operator', 'inactive', 'inactive'],
  ['engine-to-operator', null, 'sendonly'],
  ['operator', 'sendrecv', 'recvonly'],
  ['operator', 'recvonly', 'recvonly'],
  ['operator', 'sendonly', 'inactive'],
  ['operator', 'inactive', 'inactive'],
  ['operator', null, 'recvonly'],
];

describe('domain/sip/one-way-sdp', () => {
  for (const [describer, said, left] of TABLE) {
    it(`RTC-3: ${describer} says ${said ?? 'nothing'}, which leaves ${left}`, () =>
      expect(directions(held(sdp({ direction: said }), describer))).to.deep.equal([left]));
    it(`RTC-3: ${describer} says ${said ?? 'nothing'} for the whole session, which leaves ${left} on the stream`, () => {
      const shape = said === null ? {} : { sessionDirection: said };
      const text = held(sdp({ direction: null, ...shape }), describer);
      expect(directions(text)).to.deep.equal([left]);
      expect(text.indexOf(`a=${left}`)).to.be.greaterThan(text.indexOf('m=audio'));
    });
  }

  it('RTC-3: the stream goes before the session, and of several directions one is left', () => {
    expect(directions(held(sdp({ sessionDirection: 'inactive' }), 'citizen'))).to.deep.equal(['sendonly']);
    const three = sdp({ direction: null, media: ['a=inactive', 'a=sendonly', 'a=sendrecv'] });
    expect(directions(held(three, 'operator'))).to.deep.equal(['recvonly']);
  });

  it('RTC-3: a direction in capitals is one', () => {
    const text = held(sdp({ direction: 'SendRecv' }), 'engine-to-citizen');
    expect(text).to.not.match(/sendrecv/i);
    expect(directions(text)).to.deep.equal(['recvonly']);
  });

  it('takes addresses of both versions', () => {
    for (const address of [
      'IP4 0.0.0.0',
      'IP4 192.0.2.1',
      'IP6 ::',
      'IP6 2001:db8::1',
      'IP6 ::ffff:192.0.2.1',
    ])
      expect(codeOf(sdp({ media: [`c=IN ${address}`] }))).to.equal('passed');
  });

  it('keeps the length where it only changes a word', () => {
    const text = sdp();
    expect(held(text, 'engine-to-citizen')).to.have.length(text.length);
  });

  it('takes Opus DTX out, and nothing else of the format', () => {
    const text = sdp({ media: ['a=fmtp:107 minptime=10;usedtx=1;useinbandfec=1', 'a=fmtp:108 UseDTX = 1'] });
    const after = held(text, 'citizen');
    expect(after).to.include('a=fmtp:107 minptime=10;usedtx=0;useinbandfec=1\r\n');
    expect(after).to.include('a=fmtp:108 usedtx=0\r\n');
  });

  const zero = Array.from({ length: 32 }, () => '00').join(':');
  const REFUSED: readonly (readonly [string, string, string])[] = [
    ['no fingerprint', sdp({ fingerprint: null }), 'ERR_EDGE_SDP_FINGERPRINT'],
    ['a fingerprint of zeros', sdp({ fingerprint: `sha-256 ${zero}` }), 'ERR_EDGE_SDP_FINGERPRINT'],
    ['a short fingerprint', sdp({ fingerprint: `sha-256 ${PRINT.slice(3)}` }), 'ERR_EDGE_SDP_FINGERPRINT'],
    ['a long fingerprint', sdp({ fingerprint: `sha-256 ${PRINT}:AA` }), 'ERR_EDGE_SDP_FINGERPRINT'],
    [
      'a fingerprint of no hex',
      sdp({ fingerprint: `sha-256 ${PRINT.replace('2', 'G')}` }),
      'ERR_EDGE_SDP_FINGERPRINT',
    ],
    ['a SHA-1 fingerprint', sdp({ fingerprint: `sha-1 ${PRINT.slice(0, 59)}` }), 'ERR_EDGE_SDP_FINGERPRINT'],
    ['an MD5 name on a long fingerprint', sdp({ fingerprint: `md5 ${PRINT}` }), 'ERR_EDGE_SDP_FINGERPRINT'],
    ['an empty fingerprint', sdp({ fingerprint: '' }), 'ERR_EDGE_SDP_FINGERPRINT'],
    [
      'a second, bad fingerprint',
      sdp({ media: [`a=fingerprint:sha-256 ${zero}`] }),
      'ERR_EDGE_SDP_FINGERPRINT',
    ],
    [
      'a bad fingerprint for the session',
      sdp({ sessionFingerprint: 'sha-256 00' }),
      'ERR_EDGE_SDP_FINGERPRINT',
    ],
    [
      'keys in the SDP',
      sdp({ media: ['a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc'] }),
      'ERR_EDGE_SDP_CRYPTO',
    ],
    [
      'keys in the session part',
      sdp({ session: ['a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc'] }),
      'ERR_EDGE_SDP_CRYPTO',
    ],
    ['a key line', sdp({ media: ['k=clear:abc'] }), 'ERR_EDGE_SDP_CRYPTO'],
    ['plain RTP', sdp({ protocol: 'RTP/AVP' }), 'ERR_EDGE_SDP_PROTOCOL'],
    ['SRTP without DTLS', sdp({ protocol: 'RTP/SAVPF' }), 'ERR_EDGE_SDP_PROTOCOL'],
    ['video beside the audio', sdp({ more: ['m=video 9 UDP/TLS/RTP/SAVPF 96'] }), 'ERR_EDGE_SDP_MEDIA'],
    [
      'a data channel',
      sdp({ more: ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel'] }),
      'ERR_EDGE_SDP_MEDIA',
    ],
    ['a second audio stream', sdp({ more: ['m=audio 9 UDP/TLS/RTP/SAVPF 107'] }), 'ERR_EDGE_SDP_MEDIA'],
    ['no stream at all', 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n', 'ERR_EDGE_SDP_MEDIA'],
    ['lines that end in LF', sdp().replaceAll('\r\n', '\n'), 'ERR_EDGE_SDP_SYNTAX'],
    ['one line hidden behind a LF', sdp({ media: ['a=x:y\na=sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['one line hidden behind a CR', sdp({ media: ['a=x:y\ra=sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['an empty line', sdp({ media: [''] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['a line without a type', sdp({ media: ['sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['a space before the sign', sdp({ media: ['a =sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['a space after the sign', sdp({ media: ['a= sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['an attribute with a space in its name', sdp({ media: ['a=sendrecv '] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['a type in capitals', sdp({ media: ['A=sendrecv'] }), 'ERR_EDGE_SDP_SYNTAX'],
    ['another version', sdp().replace('v=0', 'v=1'), 'ERR_EDGE_SDP_SYNTAX'],
    ['no version', sdp().replace('v=0\r\n', ''), 'ERR_EDGE_SDP_SYNTAX'],
    ['a media line without formats', sdp().replace('SAVPF 107', 'SAVPF'), 'ERR_EDGE_SDP_SYNTAX'],
    ['a media line with a wrong port', sdp({ port: 70_000 }), 'ERR_EDGE_SDP_SYNTAX'],
    ['1000 lines', sdp({ media: Array.from({ length: 1000 }, () => 'a=x') }), 'ERR_EDGE_SDP_SYNTAX'],
    ['nothing', '', 'ERR_EDGE_SDP_SYNTAX'],
    [
      'a host name as the address of the stream',
      sdp({ media: ['c=IN IP4 slow.name.invalid'] }),
      'ERR_EDGE_SDP_SYNTAX',
    ],
    ['a host name for the session', sdp({ session: ['c=IN IP6 slow.name.invalid'] }), 'ERR_EDGE_SDP_SYNTAX'],
    [
      'a host name of a declined stream',
      sdp({ more: ['m=video 0 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 slow.name.invalid'] }),
      'ERR_EDGE_SDP_SYNTAX',
    ],
    ['a multicast scope', sdp({ media: ['c=IN IP4 224.2.1.1/127'] }), 'ERR_EDGE_SDP_SYNTAX'],
  ];
  for (const [what, text, code] of REFUSED)
    it(`RTC-3: refuses ${what}`, () => expect(codeOf(text)).to.equal(code));

  it('accepts a fingerprint for the session (Firefox), in any case, and declined streams beside the audio', () => {
    const text = sdp({
      fingerprint: null,
      sessionFingerprint: `SHA-256 ${PRINT.toLowerCase()}`,
      more: ['m=video 0 UDP/TLS/RTP/SAVPF 96'],
    });
    expect(codeOf(text)).to.equal('passed');
  });

  it('RTC-3: whatever is put into a description, no voice goes to the citizen', () => {
    const line = fc.constantFrom(
      'a=sendrecv',
      'a=sendonly',
      'a=recvonly',
      'a=inactive',
      'a=SENDRECV',
      'a=x',
      'b=AS:64',
      'c=IN IP4 192.0.2.9',
      'm=audio 9 UDP/TLS/RTP/SAVPF 107',
      'm=audio 0 UDP/TLS/RTP/SAVPF 107',
      'm=video 0 UDP/TLS/RTP/SAVPF 96',
      'a=sendrecv:1',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(line, { maxLength: 6 }), (session, media) => {
        const checked = holdOneWay(sdp({ direction: null, session, media }), 'engine-to-citizen');
        if (!checked.ok) return;
        for (const direction of directions(checked.value))
          expect(['recvonly', 'inactive']).to.include(direction);
        const streams = checked.value.split('\r\nm=').slice(1);
        for (const stream of streams) expect(directions(stream)).to.have.length(1);
      }),
      { numRuns: 2_000 },
    );
  });
});
