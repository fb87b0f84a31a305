/** The HTTP server of a core node: API, feed upgrades, pages, probes; with or without TLS. */
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTls, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../contracts/error-table.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Authenticator } from '../../ports/authenticator.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { stampArrival } from './arrival.ts';
import { buildApp, type AppOptions } from './build-app.ts';
import { RateLimits, type RateLimitSettings } from './rate-limits.ts';
import { failure } from './http-call.ts';
import { Strangers } from './strangers.ts';
import { rawProblem, writeOutcome } from './write-reply.ts';

/** Takes over a socket that asks for `Upgrade: websocket`, or refuses it. */
export type UpgradeHandler = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  refuse: (code: ErrorCode, detail: string) => void,
  /** Its credential was good: the connection is no stranger's any more. */
  recognised: () => void,
) => void;

/** Times that a slow or hostile client gets, in ms. */
export interface HttpTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly activationBodyMs: number;
  readonly handlerMs: number;
  /** Without a byte either way while an answer is due or on its way. */
  readonly stuckMs: number;
}

export const DEFAULT_HTTP_TIMEOUTS: HttpTimeouts = {
  headersMs: 5000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
  activationBodyMs: 1000,
  handlerMs: 10_000,
  stuckMs: 20_000,
};

export interface HttpOptions extends Omit<AppOptions, 'serve' | 'security'> {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly rateLimits: RateLimitSettings;
  readonly corsOrigins: readonly string[];
  readonly maxConnections: number;
  /** By path. */
  readonly upgrades: ReadonlyMap<string, UpgradeHandler>;
  readonly timeouts?: Partial<HttpTimeouts>;
}

export interface HttpServer {
  readonly host: string;
  /** The real one when 0 was asked for. */
  readonly port: number;
  /** New connections get the new certificate; running ones go on. */
  renewTls(tls: { readonly cert: string; readonly key: string }): void;
  /** Takes no new connections, lets running requests finish until the deadline, then cuts them. */
  close(deadlineMs: number): Promise<void>;
}

const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
/** From this share of the connections on, those that only wait for a next request are given up for those that ask. */
const CROWDED = 0.8;
const MAKE_ROOM_EVERY_MS = 100;
/** For a refused upgrade to be read. */
const REFUSED_GRACE_MS = 1000;

export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const timeouts = { ...DEFAULT_HTTP_TIMEOUTS, ...options.timeouts };
  const strangers = new Strangers(Math.ceil(options.maxConnections / 2), options.metrics);
  const app = appOf(options, timeouts, strangers);
  const server = createServer(options.tls, timeouts);
  server.maxConnections = options.maxConnections;
  server.maxHeadersCount = MAX_HEADERS;
  // Of a client that does not read what it asked for.
  server.timeout = timeouts.stuckMs;
  server.on('request', (request, response) => {
    stampArrival(request, options.clock.now());
    if (options.standsBy?.() === true && !STANDBY_PATHS.has(pathOf(request)))
      refuseStandby(options, response);
    else app(request, response);
  });
  server.on('upgrade', (request, socket, head) => upgrade(options, strangers, request, socket, head));
  server.on('clientError', (error, socket) => refuseBroken(options.metrics, error, socket));
  const sockets = new Set<Socket>();
  const makeRoom = roomMaker(server, options.clock);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    strangers.came(socket);
    socket.once('close', () => sockets.delete(socket));
    if (sockets.size > options.maxConnections * CROWDED) makeRoom();
  });
  server.on('drop', () => {
    options.metrics.count('hamrahi_http_connections_dropped_total');
    makeRoom();
  });
  await listen(server, options.listen);
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    renewTls: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext(tls);
    },
    close: (deadlineMs) => close(server, sockets, deadlineMs),
  };
}

function appOf(options: HttpOptions, timeouts: HttpTimeouts, strangers: Strangers) {
  return buildApp({
    ...options,
    security: {
      publicUrl: options.clients.publicUrl,
      sipWssUrl: options.clients.sipWssUrl,
      tls: options.tls !== null,
      corsOrigins: options.corsOrigins,
    },
    serve: {
      authenticator: options.authenticator,
      rateLimits: new RateLimits(options.rateLimits),
      clock: options.clock,
      log: options.log,
      metrics: options.metrics,
      bodyTimeoutMs: timeouts.requestMs,
      activationBodyTimeoutMs: timeouts.activationBodyMs,
      handlerTimeoutMs: timeouts.handlerMs,
      recognised: (request, { role, subject }) =>
        strangers.recognised(request.socket, role === 'backend' ? null : `${role}:${subject}`),
    },
  });
}

function createServer(tls: HttpOptions['tls'], timeouts: HttpTimeouts): Server | TlsServer {
  const limits: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, timeouts.headersMs / 2),
    noDelay: true,
  };
  if (!tls) return createPlain(limits);
  return createTls({
    ...limits,
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 5000,
  });
}

function upgrade(
  options: HttpOptions,
  strangers: Strangers,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  socket.on('error', () => undefined);
  const refuse = (code: ErrorCode, detail: string): void => {
    options.metrics.count('hamrahi_http_refused_total', { code });
    if (socket.writable) socket.end(rawProblem(code, detail));
    // The server's own deadlines ended with the upgrade: a peer that does not close in turn is cut off.
    const cut = options.clock.at((options.clock.now() + REFUSED_GRACE_MS) as Instant, () => socket.destroy());
    socket.once('close', cut);
  };
  const handler = options.standsBy?.() === true ? refusingUpgrade : options.upgrades.get(pathOf(request));
  if (!handler) {
    refuse('ERR_HTTP_NOT_FOUND', 'no WebSocket is served there');
    return;
  }
  handler(request, socket, head, refuse, () => strangers.recognised(request.socket, null));
}

const STANDBY_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
const STANDBY_DETAIL = 'another node serves, or this one does in a moment';

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}

function refuseStandby({ metrics }: HttpOptions, response: ServerResponse): void {
  metrics.count('hamrahi_http_refused_total', { code: 'ERR_GATEWAY_STANDBY' });
  // The connection goes, so that its client asks the address anew.
  response.setHeader('Connection', 'close');
  writeOutcome(response, failure('ERR_GATEWAY_STANDBY', STANDBY_DETAIL));
}

const refusingUpgrade: UpgradeHandler = (_request, _socket, _head, refuse) =>
  refuse('ERR_GATEWAY_STANDBY', STANDBY_DETAIL);

/** What Node's parser refuses never becomes a request: answer on the bare socket, if it still can be. */
function refuseBroken(metrics: Metrics, error: Error & { code?: string }, socket: Duplex): void {
  const code =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'ERR_HTTP_HEADERS_TOO_LARGE'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'ERR_HTTP_TIMEOUT'
        : 'ERR_HTTP_MALFORMED_REQUEST';
  metrics.count('hamrahi_http_refused_total', { code });
  if (socket.writable && error.code !== 'ECONNRESET')
    socket.end(rawProblem(code, 'the request cannot be read'));
  else socket.destroy();
}

function listen(server: Server, at: HttpOptions['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Closes idle connections, at once and then no more often than it costs nothing: without it a stranger who asks
 * nothing but `/healthz` now and then on each of all connections would shut out every SOS. Clients that were idle
 * connect anew.
 */
function roomMaker(server: Server, clock: Clock): () => void {
  let isResting = false;
  let isWanted = false;
  const make = (): void => {
    isWanted = isResting;
    if (isResting) return;
    isResting = true;
    server.closeIdleConnections();
    clock.at((clock.now() + MAKE_ROOM_EVERY_MS) as Instant, () => {
      isResting = false;
      if (isWanted) make();
    });
  };
  return make;
}

/** Upgraded sockets are not the server's any more, so that the sockets themselves are cut. */
function close(server: Server, sockets: ReadonlySet<Socket>, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), deadlineMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
