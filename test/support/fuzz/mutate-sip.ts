/** Small and great damage to SIP messages, and the tricks that somebody would try on purpose. */
import fc from 'fast-check';

export type Mutation = (frame: string) => string;

const HOSTILE_HEADERS = [
  'Route: <sip:evil.test;lr>',
  'Record-Route: <sip:evil.test;lr>',
  'Path: <sip:evil.test;lr>',
  'Replaces: call-1;to-tag=engine-tag;from-tag=client-tag',
  'Refer-To: <sip:+919811111100@trunk.test>',
  'r: <sip:+919811111100@trunk.test>',
  'P-Asserted-Identity: <sip:operator-chief-desk@sip.test>',
  'Authorization: Digest username="hamrahi", realm="asterisk"',
  'X-Hamrahi-Leg: 00000000-0000-4000-8000-000000000001.operator-app.1',
  'From: <sip:operator-chief-desk@sip.test>;tag=x',
  'f: <sip:operator-chief-desk@sip.test>;tag=x',
  'To: <sip:operator-chief-desk@sip.test>',
  't: <sip:operator-chief-desk@sip.test>',
  'Contact: <sip:u1@192.0.2.66;transport=udp>',
  'm: *',
  'Content-Length: 0',
  'l: 4',
  'Content-Encoding: gzip',
  'Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKx',
  'Call-ID: call-1',
  'CSeq: 1 INVITE',
  'Max-Forwards: 0',
  'Diversion: <sip:1@evil.test>',
  'Expires: 4294967296',
  'Require: nothing-that-exists',
  'Session-Expires: 90;refresher=uac',
  // in headers that pass as they are: nothing but the check for control characters holds these back
  'User-Agent: a\0b',
  'Supported: outbound\x1b[2J',
  'Warning: 399 a "\x7f"',
];
const SDP_SWAPS: readonly (readonly [RegExp, string])[] = [
  [/a=(sendrecv|sendonly|recvonly|inactive)/g, 'a=sendrecv'],
  [/a=(sendrecv|sendonly|recvonly|inactive)/g, 'a=recvonly'],
  [/a=(sendrecv|sendonly|recvonly|inactive)/g, 'A=SENDRECV'],
  [/a=(sendrecv|sendonly|recvonly|inactive)\r\n/g, ''],
  [/a=(sendrecv|sendonly|recvonly|inactive)/g, 'a=sendonly\r\na=recvonly'],
  [/a=(sendrecv|sendonly|recvonly|inactive)/g, 'a= sendrecv'],
  [/a=fingerprint:[^\r]*\r\n/g, ''],
  [/m=audio/g, 'm=video'],
  [/(m=audio[^\r]*)/g, '$1\r\na=sendrecv\r\nm=audio 7 RTP/AVP 0'],
  [/UDP\/TLS\/RTP\/SAVPF/g, 'RTP/AVP'],
  [/\r\nt=/g, '\r\na=sendrecv\r\nt='],
  [/application\/sdp/g, 'application/SDP;x="'],
  [/application\/sdp/g, 'multipart/mixed;boundary=b'],
  [/application\/sdp/g, 'message/sipfrag'],
];
const METHODS = [
  'REGISTER',
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'UPDATE',
  'PRACK',
  'OPTIONS',
  'INFO',
  'MESSAGE',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'register',
  'HAMRAHI',
];
const SEPARATORS = [
  '\r',
  '\n',
  '\0',
  '\t',
  ' ',
  '\r\n ',
  '\r\n\r\n',
  ';',
  ',',
  '"',
  '<',
  '>',
  '%00',
  '\xff',
  '\u2028'.charAt(0),
];

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** One change. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(position, fc.integer({ min: 0, max: 255 })).map(([at, byte]) => (frame: string) => {
    const index = Math.floor(at * frame.length);
    return frame.slice(0, index) + String.fromCharCode(byte) + frame.slice(index + 1);
  }),
  fc.tuple(position, fc.constantFrom(...SEPARATORS)).map(([at, text]) => (frame: string) => {
    const index = Math.floor(at * frame.length);
    return frame.slice(0, index) + text + frame.slice(index);
  }),
  position.map((at) => (frame: string) => frame.slice(0, Math.floor(at * frame.length))),
  fc.tuple(position, fc.constantFrom(...HOSTILE_HEADERS)).map(([at, header]) => (frame: string) => {
    const lines = frame.split('\r\n');
    const body = lines.indexOf('');
    lines.splice(1 + Math.floor(at * Math.max(1, body - 1)), 0, header);
    return lines.join('\r\n');
  }),
  position.map((at) => (frame: string) => {
    const lines = frame.split('\r\n');
    lines.splice(Math.floor(at * lines.length), 1);
    return lines.join('\r\n');
  }),
  fc.tuple(position, position).map(([from, to]) => (frame: string) => {
    const lines = frame.split('\r\n');
    lines.splice(Math.floor(to * lines.length), 0, lines[Math.floor(from * lines.length)] ?? '');
    return lines.join('\r\n');
  }),
  fc
    .constantFrom(...METHODS)
    .map(
      (method) => (frame: string) =>
        frame.replace(/^[A-Z]+(?= )/, method).replace(/(CSeq: *\d+ )\w+/, `$1${method}`),
    ),
  fc.constantFrom(...METHODS).map((method) => (frame: string) => frame.replace(/^[A-Z]+(?= )/, method)),
  fc.constantFrom(...SDP_SWAPS).map(
    ([pattern, by]) =>
      (frame: string) =>
        frame.replace(pattern, by),
  ),
  fc
    .constantFrom('citizen-c2-d1', 'operator-chief-desk', 'trunk', '%63itizen-c1-d1', 'CITIZEN-C1-D1', '')
    .map((user) => (frame: string) => frame.replaceAll('citizen-c1-d1', user)),
  fc
    .constantFrom('evil.test', 'sip.test;maddr=192.0.2.9', 'sip.test:5060', 'SIP.TEST')
    .map((host) => (frame: string) => frame.replace(/sip\.test/, host)),
  fc
    .constantFrom('call-2', '', 'a b', 'call-1\r\nRoute: <sip:evil.test>')
    .map((callId) => (frame: string) => frame.replace(/Call-ID: [^\r]*/, `Call-ID: ${callId}`)),
  fc
    .integer({ min: -5, max: 5 })
    .map(
      (by) => (frame: string) =>
        frame.replace(
          /Content-Length: (\d+)/,
          (_, length: string) => `Content-Length: ${Number(length) + by}`,
        ),
    ),
  fc
    .constantFrom(
      'Content-Length: 99999999999999999999',
      'Content-Length: -1',
      'Content-Length: 1e1',
      'content-length:0',
      'l:0',
    )
    .map((line) => (frame: string) => frame.replace(/Content-Length: \d+/, line)),
  fc
    .integer({ min: 1, max: 200 })
    .map((times) => (frame: string) => frame.replace('\r\n', `\r\n${'X-Pad: 1\r\n'.repeat(times)}`)),
  fc
    .integer({ min: 100, max: 9000 })
    .map((length) => (frame: string) => frame.replace('tag=', `tag=${'a'.repeat(length)}`)),
  fc.constant((frame: string) => frame + frame),
  fc.constant((frame: string) => frame.replaceAll('\r\n', '\n')),
  fc.constant((frame: string) => frame.toUpperCase()),
);

/** A message after one to four changes. */
export function mutated(samples: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce((frame, change) => change(frame), sample));
}
