/**
 * Lets the rules run over a made-up call before the first client is let in: the runtime compiles what it has seen
 * often, and without this the first SOS after a start would pay some milliseconds for it, message by message.
 */
import { LaneGuard } from '../../domain/sip/lane-guard.ts';

const ROUNDS = 300;
const CLIENT = { aor: 'citizen-0-0', role: 'citizen', sipDomain: 'warm-up.invalid' } as const;
const FINGERPRINT = Array.from({ length: 32 }, () => 'A5').join(':');

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'a=group:BUNDLE audio-0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 107 101',
  'a=setup:actpass',
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
  'a=ice-ufrag:0123',
  'a=ice-pwd:0123456789012345678901',
  'a=candidate:1 1 UDP 2130706431 192.0.2.1 9 typ host',
  'a=rtpmap:107 opus/48000/2',
  'a=fmtp:107 useinbandfec=1;usedtx=1',
  'a=rtpmap:101 telephone-event/48000',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=mid:audio-0',
  '',
].join('\r\n');

/** Takes about a tenth of a second. */
export function warmUp(): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    const guard = new LaneGuard(CLIENT);
    guard.fromClient(register(), 0);
    guard.fromEngine(answer('REGISTER', 'c', ''), 1);
    guard.fromEngine(fromEngine('INVITE', SDP), 2);
    guard.fromClient(answer('INVITE', 'e', SDP), 3);
    guard.fromEngine(fromEngine('ACK', ''), 4);
    guard.fromEngine(fromEngine('BYE', ''), 5);
    guard.redeliver(6);
    guard.fromClient(answer('BYE', 'e', ''), 7);
  }
}

function register(): string {
  const own = `<sip:${CLIENT.aor}@${CLIENT.sipDomain}>`;
  return message(`REGISTER sip:${CLIENT.sipDomain} SIP/2.0`, 'REGISTER', 'c', `${own};tag=c`, own, '');
}

function fromEngine(method: string, body: string): string {
  const to = method === 'INVITE' ? '<sip:0@192.0.2.1>' : '<sip:0@192.0.2.1>;tag=c';
  return message(`${method} sip:0@192.0.2.1 SIP/2.0`, method, 'e', '"E" <sip:e@e.invalid>;tag=e', to, body);
}

function answer(method: string, side: 'c' | 'e', body: string): string {
  return message(
    'SIP/2.0 200 OK',
    method,
    side,
    '"E" <sip:e@e.invalid>;tag=e',
    '<sip:0@192.0.2.1>;tag=c',
    body,
  );
}

function message(
  start: string,
  method: string,
  side: string,
  from: string,
  to: string,
  body: string,
): string {
  return [
    start,
    `Via: SIP/2.0/WS ${side}.invalid;rport;branch=z9hG4bK${side}-${method}`,
    `From: ${from}`,
    `To: ${to}`,
    'Contact: <sip:0@c.invalid;transport=ws>',
    'Call-ID: warm-up',
    `CSeq: 1 ${method}`,
    'Supported: timer',
    'X-Hamrahi-Leg: warm-up',
    'Max-Forwards: 70',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
