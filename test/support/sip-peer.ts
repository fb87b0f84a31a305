import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { WebSocket } from 'ws';
import { header, parseSipMessage, type SipMessage } from '../../control-plane/sandbox/carrier/sip-message.ts';

/**
 * A SIP peer by hand, on an address of the test's choice, over UDP or WebSocket: it sends single requests as anybody
 * it likes to be and sees every answer; what it is sent it answers as it is told. Over UDP it sends a request again until
 * something answers (RFC 3261 §17.1, Timers A and E), as a datagram may get lost; a response it sends once.
 */
export interface SipPeer {
  readonly host: string;
  readonly port: number;
  /** Every request that arrived, in order, retransmissions included. */
  readonly requests: readonly SipMessage[];
  /** How many of its own requests were sent again so far. */
  readonly resent: number;
  /** Statuses that a request gets, in order, at once. Default: nothing is answered. */
  answer: (request: SipMessage) => readonly string[];
  /** Answers a request that arrived before. */
  respond(request: SipMessage, status: string): void;
  /** The final response. Throws when none came within `deadlineMs` (default 3 s). */
  request(options: SipRequest): Promise<SipMessage>;
  /** The first request that fits, arrived already or yet to come. Throws after `deadlineMs` (default 3 s). */
  untilRequest(fits: (request: SipMessage) => boolean, deadlineMs?: number): Promise<SipMessage>;
  close(): void;
}

export interface SipRequest {
  readonly method: string;
  readonly requestUri: string;
  readonly from: string;
  readonly to?: string;
  /** Added as they are. */
  readonly headers?: readonly string[];
  readonly contentType?: string;
  readonly body?: string;
  readonly deadlineMs?: number;
  /** Inside the dialog of an INVITE that was answered here; `to` is that one's From. */
  readonly dialog?: { readonly callId: string; readonly fromTag: string; readonly to: string };
}

export const PLAIN_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.2',
  's=-',
  'c=IN IP4 127.0.0.2',
  't=0 0',
  'm=audio 40000 RTP/AVP 8 0 101',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendrecv',
  '',
].join('\r\n');

interface Wire {
  readonly host: string;
  readonly port: number;
  /** For Via. */
  readonly name: 'UDP' | 'WS';
  send(text: string): void;
  onText(listener: (text: string) => void): void;
  close(): void;
}

export async function openUdpPeer(
  host: string,
  target: { host: string; port: number },
  port = 0,
): Promise<SipPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, resolve);
  });
  return peerOn({
    host,
    port: socket.address().port,
    name: 'UDP',
    send: (text) => socket.send(text, target.port, target.host),
    onText: (listener) => socket.on('message', (datagram) => listener(datagram.toString('latin1'))),
    close: () => socket.close(),
  });
}

/** Through Asterisk's SIP WebSocket, as the relay does. `from` is the local address of the connection. */
export async function openWebSocketPeer(url: string, from = '127.0.0.1'): Promise<SipPeer> {
  const socket = new WebSocket(url, 'sip', { localAddress: from });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => resolve());
  });
  return peerOn({
    host: 'peer.invalid',
    port: 5060,
    name: 'WS',
    send: (text) => socket.send(text),
    onText: (listener) => socket.on('message', (data) => listener((data as Buffer).toString('latin1'))),
    close: () => socket.terminate(),
  });
}

function peerOn(wire: Wire): SipPeer {
  const requests: SipMessage[] = [];
  const asked = new Map<string, Asked>();
  let resent = 0;
  const arrivals = new Set<() => void>();
  const peer: SipPeer = {
    host: wire.host,
    port: wire.port,
    requests,
    get resent() {
      return resent;
    },
    answer: () => [],
    respond: (request, status) => wire.send(responseTo(request, status, wire)),
    request: (options) => sendRequest(wire, asked, options, () => (resent += 1)),
    untilRequest: (fits, deadlineMs = 3_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          arrivals.delete(look);
          reject(new Error(`no such request; there were: ${requests.map(startLine).join(' | ') || 'none'}`));
        }, deadlineMs);
        const look = (): void => {
          const found = requests.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          arrivals.delete(look);
          resolve(found);
        };
        arrivals.add(look);
        look();
      }),
    close: () => {
      for (const one of asked.values()) one.heard();
      wire.close();
    },
  };
  wire.onText((text) => {
    const message = parseSipMessage(text);
    if (message === undefined) return;
    if (message.start.kind === 'response') {
      const one = asked.get(message.callId);
      one?.heard();
      if (message.start.status >= 200) one?.answered(message);
      return;
    }
    requests.push(message);
    for (const look of [...arrivals]) look();
    for (const status of peer.answer(message)) peer.respond(message, status);
  });
  return peer;
}

/** A request that waits for its final response. */
interface Asked {
  /** Any response: it has arrived. */
  heard(): void;
  answered(response: SipMessage): void;
}

/** RFC 3261 §17.1.1.1: T1, and the T2 that the intervals grow to. */
const T1_MS = 500;
const T2_MS = 4_000;

function sendRequest(
  wire: Wire,
  asked: Map<string, Asked>,
  options: SipRequest,
  onResend: () => void,
): Promise<SipMessage> {
  const { dialog } = options;
  const callId = dialog?.callId ?? token();
  const body = options.body ?? '';
  const uri = options.requestUri;
  const lines = [
    `${options.method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${wire.name} ${wire.host}:${wire.port};rport;branch=z9hG4bK${token()}`,
    'Max-Forwards: 70',
    `From: <${options.from}>;tag=${dialog?.fromTag ?? token()}`,
    `To: ${dialog?.to ?? `<${options.to ?? uri}>`}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${options.method}`,
    `Contact: <sip:peer@${wire.host}:${wire.port};transport=${wire.name.toLowerCase()}>`,
    ...(options.headers ?? []),
    ...(body === '' ? [] : [`Content-Type: ${options.contentType ?? 'application/sdp'}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const text = `${lines.join('\r\n')}\r\n\r\n${body}`;
  return new Promise((resolve, reject) => {
    const deadlineMs = options.deadlineMs ?? 3_000;
    let resending: NodeJS.Timeout | undefined;
    const resendAfter = (waitMs: number): void => {
      resending = setTimeout(() => {
        onResend();
        wire.send(text);
        resendAfter(Math.min(2 * waitMs, T2_MS));
      }, waitMs);
    };
    const timer = setTimeout(() => {
      clearTimeout(resending);
      asked.delete(callId);
      reject(new Error(`${options.method} got no final response within ${deadlineMs} ms`));
    }, deadlineMs);
    asked.set(callId, {
      heard: () => clearTimeout(resending),
      answered(response) {
        clearTimeout(timer);
        asked.delete(callId);
        resolve(response);
      },
    });
    wire.send(text);
    if (wire.name === 'UDP') resendAfter(T1_MS);
  });
}

function responseTo(request: SipMessage, status: string, wire: Wire): string {
  const copied = ['via', 'from', 'to', 'call-id', 'cseq'].flatMap((name) =>
    (request.headers.get(name) ?? []).map((value) => {
      const tagged = name === 'to' && !/;\s*tag=/i.test(value) && !status.startsWith('100');
      return `${name}: ${value}${tagged ? `;tag=${request.callId.slice(0, 8)}` : ''}`;
    }),
  );
  const hasBody = status.startsWith('200') && request.cseq.method === 'INVITE';
  const sdp = PLAIN_SDP.replaceAll('127.0.0.2', wire.host);
  const tail = hasBody ? ['Content-Type: application/sdp'] : [];
  const contact = `Contact: <sip:peer@${wire.host}:${wire.port}>`;
  const length = hasBody ? Buffer.byteLength(sdp) : 0;
  const lines = [`SIP/2.0 ${status}`, ...copied, contact, ...tail, `Content-Length: ${length}`];
  return `${lines.join('\r\n')}\r\n\r\n${hasBody ? sdp : ''}`;
}

/**
 * Rings whenever it is called, and stops when it is told to: without the 487, Asterisk would keep the call's transaction,
 * and with it the endpoint, for half a minute.
 */
export function ringUntilCancelled(peer: SipPeer): void {
  peer.answer = (request) => {
    const { method } = request.cseq;
    if (method === 'ACK') return [];
    if (method === 'INVITE') return ['180 Ringing'];
    peer.respond(request, '200 OK');
    const isCalled = (one: SipMessage): boolean =>
      one.callId === request.callId && one.cseq.method === 'INVITE';
    const invite = method === 'CANCEL' ? peer.requests.find(isCalled) : undefined;
    if (invite) peer.respond(invite, '487 Request Terminated');
    return [];
  };
}

/** The status of a response, the method of a request. */
export function startLine(message: SipMessage): string {
  return message.start.kind === 'response' ? String(message.start.status) : message.start.method;
}

export function headerOf(message: SipMessage, name: string): string | undefined {
  return header(message, name);
}

function token(): string {
  return randomBytes(8).toString('hex');
}
