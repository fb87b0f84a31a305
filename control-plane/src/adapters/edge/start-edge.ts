/**
 * The edge: SIP over WebSocket (RFC 7118) for phones and browsers, in front of the engine's own. It lets in whom the
 * core admits, and passes on what the rules of `domain/sip` allow; it keeps no state beyond its open sockets.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CLOSE } from './edge-codes.ts';
import { CoreLink } from './core-link.ts';
import { DEFAULT_EDGE_LIMITS } from './edge-limits.ts';
import { instantAfter } from './instant.ts';
import { LaneRegistry } from './lane-registry.ts';
import { problemOf, readHandshake, refuseUpgrade } from './handshake.ts';
import { Refusals } from './refusals.ts';
import { warmUp } from './warm-up.ts';
import type { EdgeContext, EdgeOptions } from './edge-options.ts';

export interface Edge {
  readonly port: number;
  /** Whether a core node can be asked just now; existing sockets do not need one. */
  readonly coreConnected: boolean;
  /** Addresses of record with a way to their engine, those included whose client is away for a moment. */
  readonly lanes: number;
  /** A renewed certificate, for handshakes from now on. Only for an edge that was started with one. */
  renewTls(tls: { readonly cert: string; readonly key: string }): void;
  /** Closes every socket with 1001. */
  stop(): Promise<void>;
}

const REFUSAL_STATUSES = [401, 403, 429, 503];
const CODE = /^ERR_[A-Z0-9_]{1,60}$/;
const STOP_GRACE_MS = 500;
const REFUSED_GRACE_MS = 1_000;

export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const context: EdgeContext = {
    limits: { ...DEFAULT_EDGE_LIMITS, ...options.limits },
    localAddress: options.localAddress ?? '127.0.0.1',
    clock: options.clock,
    log: options.log,
    metrics: options.metrics,
  };
  const lanes = new LaneRegistry(() => core, context);
  const core: CoreLink = new CoreLink(
    {
      urls: options.coreUrls,
      secret: options.coreSecret,
      present: () => lanes.present(),
      onClose: ({ aor, code, reason }) => lanes.close(aor, code, reason),
    },
    context,
  );
  warmUp();
  const door = new FrontDoor(core, lanes, context);
  const secure =
    options.tls === undefined
      ? null
      : createHttpsServer({ ...HTTP, handshakeTimeout: context.limits.handshakeDeadlineMs, ...options.tls });
  const server = secure ?? createHttpServer(HTTP);
  door.guard(server, secure !== null);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen, resolve);
  });
  core.start();
  return {
    port: (server.address() as AddressInfo).port,
    get coreConnected() {
      return core.connected;
    },
    get lanes() {
      return lanes.size;
    },
    renewTls: (tls) => secure?.setSecureContext(tls),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      lanes.endAll(CLOSE.stopping, 'ERR_EDGE_STOPPING');
      const cancel = context.clock.at(instantAfter(context.clock.now(), STOP_GRACE_MS), () => door.cutAll());
      await closed;
      cancel();
      core.stop();
    },
  };
}

const HTTP = { maxHeaderSize: 16_384, noDelay: true, keepAlive: false } as const;

/** `/healthz`: the process lives; `/readyz`: new clients can be admitted. For balancers. */
function answerProbe(response: ServerResponse, good: boolean): void {
  response.writeHead(good ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ ok: good }));
}

/** From the TCP connection to the finished WebSocket handshake, or to the refusal. */
class FrontDoor {
  readonly #core: CoreLink;
  readonly #lanes: LaneRegistry;
  readonly #context: EdgeContext;
  readonly #refusals: Refusals;
  readonly #sockets: WebSocketServer;
  /** All connections, and those that have not finished their handshake. */
  readonly #connections = new Set<Duplex>();
  readonly #shaking = new Map<string, { readonly socket: Duplex; readonly cancel: () => void }>();

  constructor(core: CoreLink, lanes: LaneRegistry, context: EdgeContext) {
    this.#core = core;
    this.#lanes = lanes;
    this.#context = context;
    this.#refusals = new Refusals(context);
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: context.limits.maxFrameBytes,
      handleProtocols: () => 'sip',
    });
  }

  guard(server: Server, isTls: boolean): void {
    const { limits } = this.#context;
    server.maxConnections = limits.maxSockets + limits.maxPendingHandshakes;
    // The plain connection, so that one that never finishes its TLS handshake counts too.
    server.on('connection', (socket: Socket) => this.#connected(socket));
    if (isTls) server.on('secureConnection', (socket: Socket) => socket.on('error', () => socket.destroy()));
    server.on('drop', () => this.#refusals.note('ERR_EDGE_BUSY'));
    server.on('clientError', (_error, socket) => {
      this.#refusals.note('ERR_EDGE_HANDSHAKE');
      socket.destroy();
    });
    server.on('request', (request, response) => {
      const path = request.url?.split('?')[0];
      if (path === '/healthz' || path === '/readyz') {
        answerProbe(response, path === '/healthz' || this.#core.connected);
        return;
      }
      const [status, code] =
        path === '/sip' ? ([426, 'ERR_EDGE_UPGRADE'] as const) : ([404, 'ERR_EDGE_PATH'] as const);
      this.#refusals.note(code);
      response.writeHead(status, { 'content-type': 'application/problem+json', connection: 'close' });
      response.end(JSON.stringify(problemOf(status, code)));
    });
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  cutAll(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #connected(socket: Socket): void {
    const { clock, limits } = this.#context;
    this.#connections.add(socket);
    this.#context.metrics.gauge('hamrahi_edge_connections', this.#connections.size);
    const cancel = clock.at(instantAfter(clock.now(), limits.handshakeDeadlineMs), () => {
      this.#refusals.note('ERR_EDGE_HANDSHAKE');
      socket.destroy();
    });
    const key = peerOf(socket);
    this.#shaking.set(key, { socket, cancel });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#connections.delete(socket);
      cancel();
      if (this.#shaking.get(key)?.socket === socket) this.#shaken(key);
    });
    // The oldest goes: a client says who it is at once, and a stranger who says nothing keeps nobody out.
    const [oldest] = this.#shaking;
    if (this.#shaking.size > limits.maxPendingHandshakes && oldest !== undefined) {
      this.#refusals.note('ERR_EDGE_BUSY');
      this.#shaken(oldest[0]);
      oldest[1].socket.destroy();
    }
  }

  #shaken(peer: string): void {
    this.#shaking.get(peer)?.cancel();
    this.#shaking.delete(peer);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#shaken(peerOf(request.socket));
    const handshake = readHandshake(request);
    if (!handshake.ok) {
      this.#refusals.note(handshake.code);
      this.#refuse(socket, handshake.status, handshake.code);
      return;
    }
    const outcome = await this.#core.admit(handshake.credential);
    if (!outcome.ok) {
      this.#refuseAdmission(socket, outcome.status, outcome.code);
      return;
    }
    const opening = await this.#lanes.open(outcome.admission);
    if (!opening.ok) {
      this.#refusals.note(opening.code);
      this.#refuse(socket, opening.status, opening.code);
      return;
    }
    // The lane is kept for the sticky time even if the client went away meanwhile.
    this.#sockets.handleUpgrade(request, socket, head, (client) =>
      opening.lane.attach(client, outcome.admission.token),
    );
  }

  #refuseAdmission(socket: Duplex, status: number, code: string): void {
    const known = REFUSAL_STATUSES.includes(status) && CODE.test(code);
    this.#refusals.noteAdmission(known ? code : 'ERR_EDGE_CORE_UNAVAILABLE');
    if (known) this.#refuse(socket, status, code);
    else this.#refuse(socket, 503, 'ERR_EDGE_CORE_UNAVAILABLE');
  }

  /** A peer that does not close in turn is cut off. */
  #refuse(socket: Duplex, status: number, code: string): void {
    refuseUpgrade(socket, status, code);
    const { clock } = this.#context;
    const cancel = clock.at(instantAfter(clock.now(), REFUSED_GRACE_MS), () => socket.destroy());
    socket.once('close', cancel);
  }
}

/** The plain socket and the TLS socket above it share it. */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
