/**
 * The gateway's HTTP interface, feed and SIP relay, as small as the clients' tests need: it keeps what clients said
 * and answers what the test tells it to. SIP frames pass to a real Asterisk untouched.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { FeedMessage, PanelMessage } from '../../../control-plane/src/contracts/panel-feed.ts';
import type { SessionView } from '../../../control-plane/src/contracts/session-view.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface FakeGateway {
  readonly baseUrl: string;
  readonly requests: readonly SeenRequest[];
  /** What panels said on the feed. */
  readonly panelMessages: readonly PanelMessage[];
  /** Query strings of the SIP and feed connections, in order. */
  readonly connections: readonly {
    readonly kind: 'sip' | 'feed';
    readonly url: URL;
    readonly device: string | undefined;
  }[];
  /** Sessions that GET /v1/sos/{id} knows. */
  readonly sessions: Map<string, SessionView>;
  /** The next requests to this path get these statuses, each once. */
  failNext(path: string, ...statuses: number[]): void;
  /** New connections of this kind are refused while false. */
  accept(kind: 'sip' | 'feed', yes: boolean): void;
  /** Cuts all connections of this kind without a closing handshake. */
  cut(kind: 'sip' | 'feed'): void;
  feed(message: FeedMessage): void;
  /** Closes every feed with this code, as the gateway does. */
  closeFeeds(code: number): void;
  close(): Promise<void>;
}

export interface FakeGatewayOptions {
  readonly sipUpstream: string;
  /** The user part that this fake gives to whoever asks. */
  readonly aorOf: (deviceId: string) => string;
}

export function sessionView(id: string, changes: Partial<SessionView> = {}): SessionView {
  return {
    id,
    sessionSeq: 1,
    phase: 'connecting',
    citizenId: 'priya',
    zoneId: 'z1',
    activatedAt: new Date().toISOString(),
    operatorId: null,
    handOver: null,
    listeners: [],
    queued: false,
    webrtcSessionId: null,
    streaming: false,
    heard: false,
    sound: null,
    degradedReason: null,
    fallback: null,
    alerts: [],
    flags: [],
    location: null,
    resolvedAt: null,
    ...changes,
  };
}

export async function startFakeGateway(options: FakeGatewayOptions): Promise<FakeGateway> {
  const requests: SeenRequest[] = [];
  const panelMessages: PanelMessage[] = [];
  const connections: { kind: 'sip' | 'feed'; url: URL; device: string | undefined }[] = [];
  const sessions = new Map<string, SessionView>();
  const failures = new Map<string, number[]>();
  const tickets = new Set<string>();
  const accepting = { sip: true, feed: true };
  const sockets = { sip: new Set<WebSocket>(), feed: new Set<WebSocket>() };

  const server: Server = createServer((request, response) => void answer(request, response));
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (names) => [...names][0] ?? false,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${host}`);
    const body = await readBody(request);
    requests.push({ method: request.method ?? '', path: url.pathname, headers: request.headers, body });
    const status = failures.get(url.pathname)?.shift();
    const reply = (code: number, value: unknown): void => {
      response.writeHead(code, {
        'content-type': code < 400 ? 'application/json' : 'application/problem+json',
      });
      response.end(JSON.stringify(value));
    };
    if (status !== undefined)
      reply(status, { code: `ERR_FAKE_${status}`, detail: 'as the test wants', status });
    else if (url.pathname === '/v1/client-config')
      reply(200, configFor(url.searchParams.get('deviceId') ?? ''));
    else if (url.pathname === '/v1/tickets') reply(201, issueTicket());
    else if (/^\/v1\/sos(\/arm)?$/.test(url.pathname)) reply(201, activate(url.pathname.endsWith('arm')));
    else replySession(url.pathname, reply);
  }

  function replySession(path: string, reply: (code: number, value: unknown) => void): void {
    const session = sessions.get(path.split('/')[3] ?? '');
    if (session === undefined)
      reply(404, { code: 'ERR_SOS_NOT_FOUND', detail: 'no such session', status: 404 });
    else reply(200, session);
  }

  function configFor(deviceId: string): unknown {
    return {
      sipUri: `sip:${options.aorOf(deviceId)}@sip.test`,
      sipWssUrl: `ws://${host}/sip`,
      iceServers: [],
      iceGatheringTimeoutMs: 500,
      feedUrl: `ws://${host}/v1/panel/feed`,
    };
  }

  function issueTicket(): unknown {
    const ticket = randomUUID();
    tickets.add(ticket);
    return { ticket, expiresAt: new Date(Date.now() + 30_000).toISOString() };
  }

  function activate(armed: boolean): unknown {
    const open = [...sessions.values()].find((session) => session.phase === 'arming');
    const id = open?.id ?? randomUUID();
    sessions.set(id, sessionView(id, { phase: armed ? 'arming' : 'connecting' }));
    return {
      id,
      phase: armed ? 'arming' : 'connecting',
      activatedAt: null,
      folded: false,
      flags: [],
      sipUri: '',
    };
  }

  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', `http://${host}`);
    const kind = url.pathname === '/sip' ? 'sip' : 'feed';
    const ticket = url.searchParams.get('ticket');
    const authorised =
      request.headers.authorization !== undefined || (ticket !== null && tickets.delete(ticket));
    if (!accepting[kind] || !authorised) {
      socket.destroy();
      return;
    }
    const device = request.headers['x-hamrahi-device'];
    connections.push({ kind, url, device: typeof device === 'string' ? device : undefined });
    webSockets.handleUpgrade(request, socket, head, (client) => {
      sockets[kind].add(client);
      client.on('close', () => sockets[kind].delete(client));
      if (kind === 'sip') relay(client, options.sipUpstream);
      else serveFeed(client, url.searchParams.has('since'), panelMessages, sessions);
    });
  });

  return {
    baseUrl: `http://${host}`,
    requests,
    panelMessages,
    connections,
    sessions,
    failNext: (path, ...statuses) => failures.set(path, statuses),
    accept: (kind, yes) => (accepting[kind] = yes),
    cut(kind) {
      for (const socket of sockets[kind]) socket.terminate();
    },
    feed(message) {
      for (const socket of sockets.feed) socket.send(JSON.stringify(message));
    },
    closeFeeds(code) {
      for (const socket of sockets.feed) socket.close(code);
    },
    async close() {
      for (const socket of [...sockets.sip, ...sockets.feed]) socket.terminate();
      webSockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As the gateway does: a feed that is resumed begins without a snapshot. */
function serveFeed(
  client: WebSocket,
  resumed: boolean,
  said: PanelMessage[],
  sessions: Map<string, SessionView>,
): void {
  const at = new Date().toISOString();
  const snapshot: FeedMessage = {
    type: 'snapshot',
    seq: 1,
    at,
    data: { sessions: [...sessions.values()], onShift: false },
  };
  if (!resumed) client.send(JSON.stringify(snapshot));
  client.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as PanelMessage;
    said.push(message);
    client.send(JSON.stringify({ type: 'ok', of: message.type }));
  });
}

/** Frame by frame to Asterisk and back. Asterisk's side outlives the client's by 2 s, so that a BYE is not lost. */
function relay(client: WebSocket, upstreamUrl: string): void {
  const upstream = new WebSocket(upstreamUrl, 'sip');
  const waiting: string[] = [];
  upstream.on('open', () => {
    for (const frame of waiting.splice(0)) upstream.send(frame);
  });
  upstream.on('error', () => client.terminate());
  upstream.on('close', () => client.close());
  upstream.on('message', (data: Buffer) => {
    if (client.readyState === WebSocket.OPEN) client.send(data.toString('utf8'));
  });
  client.on('message', (data: Buffer) => {
    const frame = data.toString('utf8');
    if (upstream.readyState === WebSocket.OPEN) upstream.send(frame);
    else waiting.push(frame);
  });
  client.on('close', () => setTimeout(() => upstream.terminate(), 2_000).unref());
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : (JSON.parse(text) as unknown);
}
