/**
 * The core's end of the core link: edges attach with the shared secret, ask who a client is, and tell what passed
 * them. Every message is validated; what is not a message of the contract ends the link of the edge that sent it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import {
  edgeMessage,
  type Admission,
  type CoreMessage,
  type EdgeMessage,
} from '../../contracts/core-link.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { EdgePresence, type SocketNotice } from './edge-presence.ts';

export type Credential = Extract<EdgeMessage, { type: 'admit' }>['credential'];
export type StampNotice = Extract<EdgeMessage, { type: 'stamp' }>;
export type { SocketNotice } from './edge-presence.ts';

/** Why a client may not come in: an HTTP status of 401, 403, 429 or 503, and a stable code. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly code: string;
}

export interface CoreLinkServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** A rejection is answered to the client with 503. */
  readonly onAdmit: (credential: Credential) => Promise<Admission | Refusal>;
  readonly onStamp: (stamp: StampNotice) => void;
  /** Of a client at several edges only the newest is told. */
  readonly onSocket: (notice: SocketNotice) => void;
  /** While it is true, edges are refused with 503 and look for another core. Absent: never. */
  readonly standsBy?: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface CoreLinkServer {
  readonly port: number;
  /** Edges attached now. */
  readonly edges: number;
  /** Orders every edge to end the sockets of this address of record; `code` is 4000–4999. */
  closeClient(aor: string, code: number, reason: string): void;
  stop(): Promise<void>;
}

const PATH = '/edge-link';
const MAX_EDGES = 32;
/** Those included that have not shown the secret yet, or never will. */
const MAX_CONNECTIONS = 256;
const REFUSED_GRACE_MS = 1_000;
const MAX_OPEN_ADMISSIONS = 512;
const MAX_MESSAGE_BYTES = 16_384;
const HANDSHAKE_DEADLINE_MS = 2_000;
const EDGE_RETURN_MS = 10_000;
/** An edge pings every second; one that is silent for this long is gone. */
const SILENCE_MS = 10_000;

export async function startCoreLinkServer(options: CoreLinkServerOptions): Promise<CoreLinkServer> {
  const http = createServer({
    headersTimeout: HANDSHAKE_DEADLINE_MS,
    requestTimeout: HANDSHAKE_DEADLINE_MS,
    connectionsCheckingInterval: HANDSHAKE_DEADLINE_MS / 4,
  });
  http.maxConnections = MAX_CONNECTIONS;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  const presence = new EdgePresence<WebSocket>();
  let stopped = false;
  const waits = new Set<() => void>();
  http.on('request', (_request, response) => response.writeHead(404).end());
  http.on('upgrade', (request, duplex, head) => {
    const refusal = refusalOf(request, options, sockets.clients.size);
    if (refusal === null) {
      sockets.handleUpgrade(request, duplex, head, (socket) => {
        attach(socket, presence, options);
        socket.once('close', () => {
          if (!stopped) dropLater(socket, presence, options, waits);
        });
      });
      return;
    }
    options.metrics.count('hamrahi_core_link_refused_total', { status: refusal.slice(0, 3) });
    refuse(duplex, refusal, options.clock);
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.listen, resolve);
  });
  return {
    port: (http.address() as AddressInfo).port,
    get edges() {
      return sockets.clients.size;
    },
    closeClient: (aor, code, reason) => {
      const order: CoreMessage = { type: 'close', aor, code, reason: reason.slice(0, 100) };
      for (const socket of sockets.clients) send(socket, order);
    },
    stop: async () => {
      stopped = true;
      for (const cancel of waits) cancel();
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function refusalOf(request: IncomingMessage, options: CoreLinkServerOptions, edges: number): string | null {
  if (request.url !== PATH) return '404 Not Found';
  if (!isSecret(request.headers.authorization ?? '', options.secret)) return '401 Unauthorized';
  return edges >= MAX_EDGES || options.standsBy?.() === true ? '503 Service Unavailable' : null;
}

/** Compares digests: neither the time nor an early end tells how much of a guess was right. */
function isSecret(authorization: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization), digest(`Bearer ${secret}`));
}

/** A peer that does not close in turn is cut off. */
function refuse(duplex: Duplex, status: string, clock: Clock): void {
  duplex.on('error', () => duplex.destroy());
  duplex.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const cut = clock.at((clock.now() + REFUSED_GRACE_MS) as Instant, () => duplex.destroy());
  duplex.once('close', cut);
}

function attach(socket: WebSocket, presence: EdgePresence<WebSocket>, options: CoreLinkServerOptions): void {
  options.log.info('edge attached');
  let open = 0;
  const silence = setTimeout(() => socket.terminate(), SILENCE_MS);
  const answer = (id: number, reply: Admission | Refusal): void => {
    const message: CoreMessage =
      'aor' in reply
        ? { type: 'admitted', id, ok: true, admission: reply }
        : { type: 'admitted', id, ok: false, status: reply.status, code: reply.code };
    send(socket, message);
  };
  const admit = async (id: number, credential: Credential): Promise<void> => {
    if (open >= MAX_OPEN_ADMISSIONS) {
      answer(id, { status: 503, code: 'ERR_EDGE_BUSY' });
      return;
    }
    open += 1;
    try {
      answer(id, await options.onAdmit(credential));
    } catch (error) {
      options.log.error('admission failed', { error: error instanceof Error ? error.name : 'unknown' });
      answer(id, { status: 503, code: 'ERR_EDGE_CORE_UNAVAILABLE' });
    } finally {
      open -= 1;
    }
  };
  socket.on('ping', () => silence.refresh());
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearTimeout(silence);
    options.log.info('edge left');
  });
  socket.on('message', (data: RawData) => {
    silence.refresh();
    const message = readMessage(data);
    if (message === null) {
      options.metrics.count('hamrahi_core_link_invalid_total');
      socket.close(1008, 'ERR_EDGE_LINK_MESSAGE');
    } else if (message.type === 'admit') {
      void admit(message.id, message.credential);
    } else if (message.type === 'stamp') {
      options.onStamp(message);
    } else {
      const { believed, elsewhere } = presence.note(socket, message);
      if (elsewhere !== null)
        send(elsewhere, { type: 'close', aor: message.aor, code: 4001, reason: 'replaced' });
      if (believed) options.onSocket(message);
    }
  });
}

/** An edge that is back in time has told of its clients anew; what is left then is gone. */
function dropLater(
  socket: WebSocket,
  presence: EdgePresence<WebSocket>,
  { clock, onSocket }: CoreLinkServerOptions,
  waits: Set<() => void>,
): void {
  const cancel = clock.at((clock.now() + EDGE_RETURN_MS) as Instant, () => {
    waits.delete(cancel);
    for (const aor of presence.drop(socket)) onSocket({ type: 'closed', aor, at: clock.now() });
  });
  waits.add(cancel);
}

function readMessage(data: RawData): EdgeMessage | null {
  try {
    const parsed = edgeMessage.safeParse(JSON.parse((data as Buffer).toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function send(socket: WebSocket, message: CoreMessage): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}
