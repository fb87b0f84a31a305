/** SIP messages as the engine and a client write them, for the tests of this folder. */

export const AOR = 'citizen-c1-d1';
export const DOMAIN = 'sip.test';
export const LEG = '0b9d3a52-6a55-4a0e-8a3e-0c3f7f6b2d11.citizen-app.1';
export const PRINT = Array.from({ length: 32 }, (_, index) => (index + 32).toString(16).toUpperCase()).join(
  ':',
);

/** A message with its body's length; `Content-Length` may be given to say something else. */
export function sip(lines: readonly string[], body = ''): string {
  const length = lines.some((line) => /^(content-length|l)[ \t]*:/i.test(line))
    ? []
    : [`Content-Length: ${body.length}`];
  return [...lines, ...length, '', body].join('\r\n');
}

export interface SdpShape {
  readonly direction?: string | null;
  readonly sessionDirection?: string;
  readonly fingerprint?: string | null;
  readonly sessionFingerprint?: string;
  readonly session?: readonly string[];
  readonly media?: readonly string[];
  readonly more?: readonly string[];
  readonly protocol?: string;
  readonly port?: number;
}

export function sdp(shape: SdpShape = {}): string {
  const { direction = 'sendrecv', fingerprint = `sha-256 ${PRINT}` } = shape;
  return [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    ...(shape.sessionDirection === undefined ? [] : [`a=${shape.sessionDirection}`]),
    ...(shape.sessionFingerprint === undefined ? [] : [`a=fingerprint:${shape.sessionFingerprint}`]),
    ...(shape.session ?? []),
    `m=audio ${shape.port ?? 9} ${shape.protocol ?? 'UDP/TLS/RTP/SAVPF'} 107`,
    'a=rtpmap:107 opus/48000/2',
    ...(direction === null ? [] : [`a=${direction}`]),
    ...(fingerprint === null ? [] : [`a=fingerprint:${fingerprint}`]),
    'a=setup:actpass',
    ...(shape.media ?? []),
    ...(shape.more ?? []),
    '',
  ].join('\r\n');
}

export function directions(text: string): string[] {
  return [...text.matchAll(/^a=(sendrecv|sendonly|recvonly|inactive)\r?$/gim)].map((match) => match[1] ?? '');
}

const ENGINE_TAG = 'engine-tag';
const CLIENT_URI = '<sip:u1@127.0.0.1>';

/** A request of the engine in the call `callId`; `inDialog` once the client has answered it. */
export function engineRequest(
  method: string,
  changes: {
    callId?: string;
    branch?: string;
    seq?: number;
    inDialog?: boolean;
    headers?: readonly string[];
    body?: string;
  } = {},
): string {
  const {
    callId = 'call-1',
    branch = `z9hG4bKe-${method}`,
    seq = 100,
    inDialog = false,
    body = '',
  } = changes;
  return sip(
    [
      `${method} sip:u1@127.0.0.1:40000;transport=WS SIP/2.0`,
      `Via: SIP/2.0/WS 127.0.0.1:8088;rport;branch=${branch};alias`,
      `From: "Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=${ENGINE_TAG}`,
      `To: ${CLIENT_URI}${inDialog ? ';tag=client-tag' : ''}`,
      'Contact: <sip:anonymous@127.0.0.1:5060;transport=ws>',
      `Call-ID: ${callId}`,
      `CSeq: ${seq} ${method}`,
      ...(method === 'INVITE' && !inDialog ? [`X-Hamrahi-Leg: ${LEG}`] : []),
      'Max-Forwards: 70',
      ...(changes.headers ?? (body === '' ? [] : ['Content-Type: application/sdp'])),
    ],
    body,
  );
}

/** A client's answer to a request of `engineRequest`. */
export function clientAnswer(
  status: string,
  changes: {
    method?: string;
    callId?: string;
    branch?: string;
    seq?: number;
    tag?: string | null;
    headers?: readonly string[];
    body?: string;
  } = {},
): string {
  const { method = 'INVITE', callId = 'call-1', seq = 100, tag = 'client-tag', body = '' } = changes;
  return sip(
    [
      `SIP/2.0 ${status}`,
      `Via: SIP/2.0/WS 127.0.0.1:8088;rport;branch=${changes.branch ?? `z9hG4bKe-${method}`};alias`,
      `From: "Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=${ENGINE_TAG}`,
      `To: ${CLIENT_URI}${tag === null ? '' : `;tag=${tag}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${seq} ${method}`,
      'Contact: <sip:u1@client.invalid;transport=ws>',
      ...(changes.headers ?? (body === '' ? [] : ['Content-Type: application/sdp'])),
    ],
    body,
  );
}

/** A request of the client outside of any dialog. */
export function clientRequest(
  method: string,
  changes: {
    uri?: string;
    from?: string;
    to?: string;
    via?: string;
    contact?: string | null;
    headers?: readonly string[];
    body?: string;
  } = {},
): string {
  const own = `<sip:${AOR}@${DOMAIN}>`;
  const contact = changes.contact === undefined ? '<sip:u1@client.invalid;transport=ws>' : changes.contact;
  return sip(
    [
      `${method} ${changes.uri ?? `sip:${DOMAIN}`} SIP/2.0`,
      `Via: ${changes.via ?? 'SIP/2.0/WSS client.invalid;branch=z9hG4bKc-1'}`,
      'Max-Forwards: 69',
      `From: ${changes.from ?? `${own};tag=reg-tag`}`,
      `To: ${changes.to ?? own}`,
      'Call-ID: client-call',
      `CSeq: 1 ${method}`,
      ...(contact === null ? [] : [`Contact: ${contact}`]),
      ...(changes.headers ?? []),
    ],
    changes.body,
  );
}

/** A request of the client in the dialog of `engineRequest`. */
export function clientInDialog(
  method: string,
  changes: {
    uri?: string;
    callId?: string;
    from?: string;
    to?: string;
    headers?: readonly string[];
    body?: string;
  } = {},
): string {
  const { body = '' } = changes;
  return sip(
    [
      `${method} ${changes.uri ?? 'sip:anonymous@127.0.0.1:5060;transport=ws'} SIP/2.0`,
      'Via: SIP/2.0/WSS client.invalid;branch=z9hG4bKc-2',
      'Max-Forwards: 70',
      `From: ${changes.from ?? `${CLIENT_URI};tag=client-tag`}`,
      `To: ${changes.to ?? `"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=${ENGINE_TAG}`}`,
      `Call-ID: ${changes.callId ?? 'call-1'}`,
      `CSeq: 5 ${method}`,
      'Contact: <sip:u1@client.invalid;transport=ws>',
      ...(changes.headers ?? (body === '' ? [] : ['Content-Type: application/sdp'])),
    ],
    body,
  );
}

export function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

export function headersOf(text: string, name: string): string[] {
  return text
    .slice(0, text.indexOf('\r\n\r\n'))
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
