/**
 * The two faces of a plain call's SDP. The edge refuses a description without DTLS, and has to; Asterisk's endpoint of
 * a plain client speaks bare RTP. Between the two, behind the edge, one face is put on for the other.
 */

const DTLS_PROFILE = 'UDP/TLS/RTP/SAVPF';
const PLAIN_PROFILE = 'RTP/AVP';
/** Well-formed, and nobody's: a plain client never uses it. */
const MASK = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'A5').join(':')}`;

/** As the edge may see it. */
export function masked(sip: string): string {
  return withBody(sip, (sdp) =>
    sdp.replace(/^(m=audio \d+) RTP\/AVPF? (.*)$/m, `$1 ${DTLS_PROFILE} $2\r\n${MASK}`),
  );
}

/** As Asterisk's plain endpoint takes it. */
export function unmasked(sip: string): string {
  return withBody(sip, (sdp) =>
    sdp.replace(DTLS_PROFILE, PLAIN_PROFILE).replaceAll(/^a=(fingerprint|setup|ice-|candidate).*\r\n/gm, ''),
  );
}

export function isPlain(sip: string): boolean {
  return /^m=audio \d+ RTP\/AVPF? /m.test(sip);
}

/** Where an offer wants the packets, and how it numbers Opus. Throws on one without. */
export function readOffer(sdp: string): {
  host: string;
  port: number;
  payloadType: number;
  opusLines: string;
} {
  const host = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const port = /^m=audio (\d+) /m.exec(sdp)?.[1];
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2/im.exec(sdp)?.[1];
  if (host === undefined || port === undefined || opus === undefined)
    throw new Error('an offer without address, port or Opus');
  return {
    host,
    port: Number(port),
    payloadType: Number(opus),
    opusLines: `a=rtpmap:${opus} opus/48000/2`,
  };
}

export function plainAnswer(host: string, port: number, direction: string, payloadType: number): string {
  return [
    'v=0',
    `o=- ${port} 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} ${DTLS_PROFILE} ${payloadType}`,
    MASK,
    `a=rtpmap:${payloadType} opus/48000/2`,
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

function withBody(sip: string, change: (sdp: string) => string): string {
  const end = sip.indexOf('\r\n\r\n');
  if (end < 0 || !sip.includes('\r\nm=audio', end)) return sip;
  const body = change(sip.slice(end + 4));
  const head = sip.slice(0, end).replace(/^(Content-Length\s*:\s*)\d+/im, `$1${Buffer.byteLength(body)}`);
  return `${head}\r\n\r\n${body}`;
}
