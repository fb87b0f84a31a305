import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { header, parseSipMessage, type SipMessage } from '../../control-plane/sandbox/carrier/sip-message.ts';
import { openRtpPhone, type RtpPhone } from './rtp-phone.ts';

/**
 * A small SIP client over UDP, by hand, so that a test decides every header and sees every message: it plays
 * the gateway towards the carrier. It retransmits nothing and keeps to one INVITE per Call-ID.
 */
export interface SipCaller {
  readonly host: string;
  readonly port: number;
  call(options: SipCallOptions): Promise<SipCall>;
  /** The status of an OPTIONS without user. */
  options(deadlineMs: number): Promise<number>;
  /** INVITEs that come from the carrier get this final status. */
  answerInvitesWith(status: number, phrase: string): void;
  /** INVITEs that came from the carrier. */
  readonly invites: readonly SipMessage[];
  /** Closes the sockets; calls that still last are left. */
  close(): void;
}

export interface SipCallOptions {
  /** The request URI's user. */
  readonly to: string;
  readonly from?: string;
  /** Added to the INVITE as they are. */
  readonly headers?: readonly string[];
  /** Puts user=phone on the request URI, From and To. */
  readonly userPhone?: boolean;
  /** The payload types of the audio line, in order. Default "8 0 101". */
  readonly payloadTypes?: string;
}

export interface SipCall {
  readonly callId: string;
  /** performance.now() when the INVITE was sent. */
  readonly invitedAt: number;
  /** Responses to the INVITE but 100, in order of arrival; `afterMs` from the INVITE. Doubled ones included. */
  readonly responses: readonly { status: number; phrase: string; afterMs: number; message: SipMessage }[];
  readonly media: RtpPhone;
  /** Resolves with the first response of this status. Throws after `deadlineMs`. */
  waitForStatus(status: number, deadlineMs: number): Promise<{ afterMs: number; message: SipMessage }>;
  /** The carrier's BYE. Throws after `deadlineMs`. */
  waitForBye(deadlineMs: number): Promise<{ afterMs: number; message: SipMessage }>;
  cancel(reason?: string): void;
  bye(reason?: string): void;
}

interface Dialog {
  readonly requestUri: string;
  readonly branch: string;
  readonly from: string;
  to: string;
  target: string;
  nextCseq: number;
}

type Listener = (message: SipMessage, at: number) => void;

export async function openSipCaller(target: { host: string; port: number }): Promise<SipCaller> {
  const host = '127.0.0.1';
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  const listeners = new Map<string, Listener>();
  const phones = new Set<RtpPhone>();
  const invites: SipMessage[] = [];
  let inviteAnswer = { status: 480, phrase: 'Temporarily Unavailable' };
  const send = (text: string): void => socket.send(text, target.port, target.host);

  socket.on('message', (datagram) => {
    const at = performance.now();
    const message = parseSipMessage(datagram.toString('latin1'));
    if (message === undefined) return;
    const listener = listeners.get(message.callId);
    if (listener !== undefined) listener(message, at);
    else if (message.start.kind === 'request' && message.start.method === 'INVITE') {
      invites.push(message);
      send(response(message, inviteAnswer.status, inviteAnswer.phrase));
    }
  });

  return {
    host,
    port,
    invites,
    answerInvitesWith: (status, phrase) => {
      inviteAnswer = { status, phrase };
    },
    async call(options) {
      const media = await openRtpPhone(host);
      phones.add(media);
      return startCall({ socket, host, port, target, send, listeners }, media, options);
    },
    options: (deadlineMs) =>
      new Promise((resolve, reject) => {
        const callId = token();
        const timer = setTimeout(() => reject(new Error('OPTIONS was not answered')), deadlineMs);
        listeners.set(callId, ({ start }) => {
          clearTimeout(timer);
          if (start.kind === 'response') resolve(start.status);
        });
        const uri = `sip:${target.host}:${target.port}`;
        const from = `<sip:gateway@${host}:${port}>;tag=${token()}`;
        send(
          request('OPTIONS', uri, {
            host,
            port,
            branch: token(),
            from,
            to: `<${uri}>`,
            callId,
            cseq: '1 OPTIONS',
          }),
        );
      }),
    close() {
      for (const phone of phones) phone.close();
      socket.close();
    },
  };
}

interface Endpoint {
  readonly socket: Socket;
  readonly host: string;
  readonly port: number;
  readonly target: { host: string; port: number };
  readonly send: (text: string) => void;
  readonly listeners: Map<string, Listener>;
}

function startCall(endpoint: Endpoint, media: RtpPhone, options: SipCallOptions): SipCall {
  const { host, port, target, send } = endpoint;
  const callId = `${token()}@${host}`;
  const phone = options.userPhone === true ? ';user=phone' : '';
  const requestUri = `sip:${options.to}@${target.host}:${target.port}${phone}`;
  const dialog: Dialog = {
    requestUri,
    branch: token(),
    from: `"Ham Rahi" <sip:${options.from ?? '+911140000000'}@${host}:${port}${phone}>;tag=${token()}`,
    to: `<${requestUri}>`,
    target: requestUri,
    nextCseq: 2,
  };
  const responses: { status: number; phrase: string; afterMs: number; message: SipMessage }[] = [];
  const byes: { afterMs: number; message: SipMessage }[] = [];
  const waiting = new Set<() => void>();
  const base = { host, port, callId, from: dialog.from };

  const onRequest = (message: SipMessage, afterMs: number): void => {
    send(response(message, 200, 'OK'));
    if (message.cseq.method === 'BYE') byes.push({ afterMs, message });
  };
  const onResponse = (message: SipMessage, afterMs: number): void => {
    if (message.start.kind !== 'response' || message.cseq.method !== 'INVITE') return;
    const { status, phrase } = message.start;
    if (status === 100) return;
    const isRepeated = responses.some((one) => one.status === status);
    responses.push({ status, phrase, afterMs, message });
    dialog.to = header(message, 'to') ?? dialog.to;
    if (!isRepeated) aimMedia(media, message);
    if (status < 200) return;
    if (status < 300)
      dialog.target = /<([^>]+)>/.exec(header(message, 'contact') ?? '')?.[1] ?? dialog.target;
    const ack =
      status < 300 ? { uri: dialog.target, branch: token() } : { uri: requestUri, branch: dialog.branch };
    send(request('ACK', ack.uri, { ...base, branch: ack.branch, to: dialog.to, cseq: '1 ACK' }));
  };
  endpoint.listeners.set(callId, (message, at) => {
    if (message.start.kind === 'request') onRequest(message, at - invitedAt);
    else onResponse(message, at - invitedAt);
    for (const wake of waiting) wake();
  });

  const sdp = offer(host, media.port, options.payloadTypes ?? '8 0 101');
  const contact = `Contact: <sip:gateway@${host}:${port}>`;
  const extra = [contact, 'Content-Type: application/sdp', ...(options.headers ?? [])];
  const invitedAt = performance.now();
  send(
    request(
      'INVITE',
      requestUri,
      { ...base, branch: dialog.branch, to: dialog.to, cseq: '1 INVITE' },
      extra,
      sdp,
    ),
  );

  const wait = <Found>(find: () => Found | undefined, what: string, deadlineMs: number): Promise<Found> =>
    untilFound(find, what, deadlineMs, waiting, () => responses.map(({ status }) => status).join(' '));
  const reasonHeader = (reason?: string): string[] => (reason === undefined ? [] : [`Reason: ${reason}`]);
  return {
    callId,
    invitedAt,
    responses,
    media,
    waitForStatus: (status, deadlineMs) =>
      wait(() => responses.find((one) => one.status === status), `status ${status}`, deadlineMs),
    waitForBye: (deadlineMs) => wait(() => byes[0], 'BYE', deadlineMs),
    cancel: (reason) => {
      const headers = { ...base, branch: dialog.branch, to: `<${requestUri}>`, cseq: '1 CANCEL' };
      send(request('CANCEL', requestUri, headers, reasonHeader(reason)));
    },
    bye: (reason) => {
      const cseq = `${dialog.nextCseq} BYE`;
      dialog.nextCseq += 1;
      send(
        request(
          'BYE',
          dialog.target,
          { ...base, branch: token(), to: dialog.to, cseq },
          reasonHeader(reason),
        ),
      );
    },
  };
}

function untilFound<Found>(
  find: () => Found | undefined,
  what: string,
  deadlineMs: number,
  waiting: Set<() => void>,
  seen: () => string,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      const found = find();
      if (found === undefined) return;
      finish();
      resolve(found);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`no ${what} within ${deadlineMs} ms; seen: ${seen() || 'nothing'}`));
    }, deadlineMs);
    const finish = (): void => {
      clearTimeout(timer);
      waiting.delete(wake);
    };
    waiting.add(wake);
    wake();
  });
}

function aimMedia(media: RtpPhone, message: SipMessage): void {
  const host = /^c=IN IP4 (\S+)/m.exec(message.body)?.[1];
  const port = /^m=audio (\d+)/m.exec(message.body)?.[1];
  if (host !== undefined && port !== undefined) media.sendTo(host, Number(port));
}

interface RequestHeaders {
  readonly host: string;
  readonly port: number;
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
}

function request(
  method: string,
  uri: string,
  headers: RequestHeaders,
  extra: readonly string[] = [],
  body = '',
): string {
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${headers.host}:${headers.port};rport;branch=z9hG4bK${headers.branch}`,
    'Max-Forwards: 70',
    `From: ${headers.from}`,
    `To: ${headers.to}`,
    `Call-ID: ${headers.callId}`,
    `CSeq: ${headers.cseq}`,
    ...extra,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function response(to: SipMessage, status: number, phrase: string): string {
  const copied = (name: string): string[] =>
    (to.headers.get(name.toLowerCase()) ?? []).map((value) => `${name}: ${value}`);
  const toValue = header(to, 'to') ?? '';
  return [
    `SIP/2.0 ${status} ${phrase}`,
    ...copied('Via'),
    ...copied('From'),
    `To: ${/;\s*tag=/i.test(toValue) ? toValue : `${toValue};tag=${token()}`}`,
    ...copied('Call-ID'),
    ...copied('CSeq'),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function offer(host: string, port: number, payloadTypes: string): string {
  const lines = [
    'v=0',
    `o=- 1 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloadTypes}`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=sendrecv',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function token(): string {
  return randomBytes(8).toString('hex');
}
