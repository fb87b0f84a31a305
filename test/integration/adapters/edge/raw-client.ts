/** A SIP client by hand over one WebSocket: it writes what it is told to and keeps everything that it is sent. */
import { WebSocket } from 'ws';

export const SIP_DOMAIN = 'sip.test';

export interface RawClientOptions {
  readonly url: string;
  readonly aor: string;
  readonly headers: Readonly<Record<string, string>>;
  /** User part of its Contact, as a fresh user agent draws one. */
  readonly contactUser?: string;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

const DEADLINE_MS = 3_000;

export const FINGERPRINT = Array.from({ length: 32 }, (_, index) => (index + 17).toString(16)).join(':');

export class RawClient {
  readonly aor: string;
  readonly socket: WebSocket;
  readonly received: string[] = [];
  readonly contactUser: string;
  closed: Closed | null = null;
  #next = 1;
  #read = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket, options: RawClientOptions) {
    this.socket = socket;
    this.aor = options.aor;
    this.contactUser = options.contactUser ?? `u${Math.random().toString(36).slice(2, 10)}`;
    socket.on('message', (data) => {
      this.received.push((data as Buffer).toString('utf8'));
      this.#notify();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#notify();
    });
    socket.on('error', () => undefined);
  }

  /** Rejects with the HTTP status and body when the edge refuses the handshake. */
  static connect(options: RawClientOptions): Promise<RawClient> {
    const socket = new WebSocket(options.url, 'sip', { headers: options.headers, perMessageDeflate: false });
    const client = new RawClient(socket, options);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client));
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          reject(
            Object.assign(new Error(`HTTP ${response.statusCode ?? 0}`), refusal(response.statusCode, body)),
          ),
        );
      });
      socket.once('error', reject);
    });
  }

  send(text: string): void {
    this.socket.send(text);
  }

  terminate(): void {
    this.socket.terminate();
  }

  /** The next message not yet taken that fits; those before it are skipped. */
  async take(fits: (message: string) => boolean, deadlineMs = DEADLINE_MS): Promise<string> {
    const until = performance.now() + deadlineMs;
    for (;;) {
      for (; this.#read < this.received.length; this.#read += 1) {
        const message = this.received[this.#read] ?? '';
        if (!fits(message)) continue;
        this.#read += 1;
        return message;
      }
      if (this.closed !== null) throw new Error(`closed with ${this.closed.code} ${this.closed.reason}`);
      await this.#change(until, `no such message among ${this.received.length}`);
    }
  }

  request(method: string, deadlineMs?: number): Promise<string> {
    return this.take((message) => message.startsWith(`${method} `), deadlineMs);
  }

  response(deadlineMs?: number): Promise<string> {
    return this.take((message) => message.startsWith('SIP/2.0 '), deadlineMs);
  }

  async end(deadlineMs = DEADLINE_MS): Promise<Closed> {
    const until = performance.now() + deadlineMs;
    while (this.closed === null) await this.#change(until, 'the socket is still open');
    return this.closed;
  }

  /** Registers and returns the engine's answer. */
  register(changes: RequestChanges = {}): Promise<string> {
    this.send(this.outOfDialog('REGISTER', changes));
    return this.take(
      (message) => message.startsWith('SIP/2.0 ') && headerOf(message, 'CSeq').endsWith('REGISTER'),
    );
  }

  /** A request of its own, outside of any dialog. */
  outOfDialog(method: string, changes: RequestChanges = {}): string {
    const own = `<sip:${this.aor}@${SIP_DOMAIN}>`;
    const seq = this.#next++;
    return message(
      [
        `${method} ${changes.uri ?? (method === 'REGISTER' ? `sip:${SIP_DOMAIN}` : `sip:someone@${SIP_DOMAIN}`)} SIP/2.0`,
        `Via: SIP/2.0/WS client.invalid;branch=z9hG4bK${Math.random().toString(36).slice(2)}`,
        'Max-Forwards: 70',
        `From: ${changes.from ?? own};tag=${this.contactUser}${seq}`,
        `To: ${changes.to ?? own}`,
        `Call-ID: ${this.contactUser}-${seq}`,
        `CSeq: ${seq} ${method}`,
        `Contact: ${changes.contact ?? this.contact}`,
        ...(changes.headers ?? []),
      ],
      changes.body,
    );
  }

  get contact(): string {
    return `<sip:${this.contactUser}@client.invalid;transport=ws>`;
  }

  /** Answers a request of the engine; `tag` is this client's in the dialog. */
  respond(request: string, status: string, body = '', headers: readonly string[] = []): void {
    const to = headerOf(request, 'To');
    this.send(
      message(
        [
          `SIP/2.0 ${status}`,
          `Via: ${headerOf(request, 'Via')}`,
          `From: ${headerOf(request, 'From')}`,
          `To: ${to.includes('tag=') ? to : `${to};tag=${this.contactUser}`}`,
          `Call-ID: ${headerOf(request, 'Call-ID')}`,
          `CSeq: ${headerOf(request, 'CSeq')}`,
          `Contact: ${this.contact}`,
          ...headers,
        ],
        body,
      ),
    );
  }

  /** A request of its own in the dialog of an INVITE that it has answered. */
  inDialog(invite: string, method: string, changes: RequestChanges = {}): string {
    const seq = this.#next++;
    const contact = /<([^>]+)>/.exec(headerOf(invite, 'Contact'))?.[1] ?? '';
    return message(
      [
        `${method} ${changes.uri ?? contact} SIP/2.0`,
        `Via: SIP/2.0/WS client.invalid;branch=z9hG4bK${Math.random().toString(36).slice(2)}`,
        'Max-Forwards: 70',
        `From: ${changes.from ?? headerOf(invite, 'To')};tag=${this.contactUser}`,
        `To: ${changes.to ?? headerOf(invite, 'From')}`,
        `Call-ID: ${headerOf(invite, 'Call-ID')}`,
        `CSeq: ${seq} ${method}`,
        ...(method === 'INVITE' || method === 'UPDATE' ? [`Contact: ${this.contact}`] : []),
        ...(changes.headers ?? []),
      ],
      changes.body,
    );
  }

  #change(until: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.aor}: ${what} in time`)),
        Math.max(0, until - performance.now()),
      );
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export interface RequestChanges {
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly contact?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

function refusal(
  status: number | undefined,
  body: string,
): { status: number; problem: Record<string, unknown> } {
  return { status: status ?? 0, problem: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>) };
}

export function message(lines: readonly string[], body = ''): string {
  const type =
    body === '' || lines.some((line) => /^(Content-Type|c):/i.test(line))
      ? []
      : ['Content-Type: application/sdp'];
  return [...lines, ...type, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** The first value of a header, `''` without one. */
export function headerOf(text: string, name: string): string {
  const line = text.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim() ?? '';
}

export function statusOf(text: string): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
}

export function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

export function directionOf(text: string): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(text)?.[1] ?? 'none';
}

/** An answer to the engine's offer, in this direction. */
export function answerTo(
  invite: string,
  direction = 'sendrecv',
  fingerprint: string | null = FINGERPRINT,
): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 107',
    'a=rtpmap:107 opus/48000/2',
    'a=fmtp:107 useinbandfec=1;usedtx=1',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    ...(fingerprint === null ? [] : [`a=fingerprint:sha-256 ${fingerprint}`]),
    'a=setup:active',
    `a=mid:${/^a=mid:(\S+)/m.exec(invite)?.[1] ?? '0'}`,
    'a=rtcp-mux',
    ...(direction === 'absent' ? [] : [`a=${direction}`]),
    '',
  ].join('\r\n');
}
