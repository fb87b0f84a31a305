/**
 * A lane: the way of one address of record to its engine. It outlives the client's socket: a client that comes back
 * within the sticky time finds the same connection at the engine, and with it its registration and its calls. The
 * engine's requests that it has not answered are given to it again, whether they came while it was away or went into
 * a socket that was already dead; so a BYE reaches it, and its microphone stops.
 */
import { CLOSE } from './edge-codes.ts';
import { ClientSocket } from './client-socket.ts';
import { instantAfter } from './instant.ts';
import { LaneGuard, type ClientFrame, type Verdict } from '../../domain/sip/lane-guard.ts';
import { Refusals } from './refusals.ts';
import { Upstream } from './upstream.ts';
import type { Admission, TokenMark } from '../../contracts/core-link.ts';
import type { EdgeContext } from './edge-options.ts';
import type { WebSocket } from 'ws';

export interface LaneHandlers {
  readonly onStamp: (stamp: {
    legId: string;
    kind: 'offer-sent' | 'answer-received' | 'refused';
    status?: number;
    at: number;
  }) => void;
  readonly onSocket: (type: 'opened' | 'lost') => void;
  /** The lane is over; called once. */
  readonly onEnd: () => void;
}

export class Lane {
  readonly admission: Admission;
  readonly #context: EdgeContext;
  readonly #handlers: LaneHandlers;
  readonly #guard: LaneGuard;
  readonly #refusals: Refusals;
  #upstream: Upstream | null = null;
  #client: ClientSocket | null = null;
  /** Responses and ACKs of the engine for a client that is away; its requests are in the guard. */
  #held: ClientFrame[] = [];
  #token: TokenMark | undefined;
  #over = false;
  #cancelSticky: () => void = () => undefined;

  constructor(admission: Admission, context: EdgeContext, handlers: LaneHandlers) {
    this.admission = admission;
    this.#context = context;
    this.#handlers = handlers;
    this.#guard = new LaneGuard(admission);
    this.#refusals = new Refusals(context, admission.aor);
  }

  get hasClient(): boolean {
    return this.#client !== null;
  }

  /** Connects to the engine; `false` when it does not accept. The lane then is over. */
  async open(): Promise<boolean> {
    const upstream = await Upstream.open(this.admission.upstreamUrl, this.#context, {
      onFrame: (bytes) => this.#fromEngine(bytes),
      onLost: () => this.end(CLOSE.upstreamLost, 'ERR_EDGE_UPSTREAM'),
    });
    if (upstream === null || this.#over) {
      upstream?.end();
      this.end(CLOSE.upstreamLost, 'ERR_EDGE_UPSTREAM');
      return false;
    }
    this.#upstream = upstream;
    this.#keepForAWhile();
    return true;
  }

  /** A call of the engine's stands or rings here. */
  get hasCall(): boolean {
    return this.#guard.hasCall;
  }

  /** The token of the client that is attached, or was last. */
  get token(): TokenMark | undefined {
    return this.#token;
  }

  /** A client's new socket, let in by this token; an older one is closed. */
  attach(socket: WebSocket, token?: TokenMark): void {
    if (this.#over) {
      socket.close(CLOSE.upstreamLost, 'ERR_EDGE_UPSTREAM');
      return;
    }
    this.#token = token;
    const replaced = this.#client;
    this.#client = null;
    replaced?.close(CLOSE.replaced, 'replaced');
    if (replaced !== null) this.#context.metrics.count('hamrahi_edge_replaced_total');
    this.#cancelSticky();
    const client: ClientSocket = new ClientSocket(socket, this.#context, this.#refusals, {
      onFrame: (bytes) => this.#fromClient(client, bytes),
      onGone: () => this.#clientGone(client),
    });
    this.#client = client;
    this.#handlers.onSocket('opened');
    const held = this.#held;
    this.#held = [];
    for (const frame of this.#guard.redeliver(this.#context.clock.now())) this.#toClient(frame);
    for (const frame of held) this.#toClient(frame);
  }

  end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelSticky();
    const client = this.#client;
    this.#client = null;
    client?.close(code, reason);
    this.#upstream?.end();
    this.#handlers.onEnd();
  }

  #clientGone(client: ClientSocket): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#handlers.onSocket('lost');
    this.#keepForAWhile();
  }

  #keepForAWhile(): void {
    const { clock, limits } = this.#context;
    this.#cancelSticky = clock.at(instantAfter(clock.now(), limits.stickyMs), () =>
      this.end(CLOSE.stopping, 'ERR_EDGE_SILENT'),
    );
  }

  #fromClient(client: ClientSocket, bytes: string): void {
    if (this.#client !== client) return;
    const receivedAt = this.#context.clock.now();
    const verdict = this.#guard.fromClient(bytes, receivedAt);
    this.#perform(verdict, 'client', receivedAt);
    if (verdict.refused === null) client.markUseful();
    else if (verdict.refused.startsWith('ERR_EDGE_SIP_')) client.malformed();
    const { answered } = verdict;
    if (answered === null) return;
    const kind = answered.status < 300 ? 'answer-received' : 'refused';
    this.#handlers.onStamp({ legId: answered.legId, kind, status: answered.status, at: receivedAt });
  }

  #fromEngine(bytes: string): void {
    if (this.#over) return;
    const receivedAt = this.#context.clock.now();
    this.#perform(this.#guard.fromEngine(bytes, receivedAt), 'engine', receivedAt);
  }

  #perform(verdict: Verdict, from: 'client' | 'engine', receivedAt: number): void {
    for (const text of verdict.toEngine) this.#upstream?.send(text);
    for (const frame of verdict.toClient) this.#toClient(frame);
    this.#context.metrics.observe('hamrahi_edge_relay_ms', this.#context.clock.now() - receivedAt, { from });
    if (verdict.refused !== null) this.#refusals.note(verdict.refused, from);
  }

  #toClient(frame: ClientFrame): void {
    if (this.#client === null) {
      if (!frame.kept) this.#hold(frame);
      return;
    }
    const legId = frame.offerOf;
    this.#client.send(frame.text, legId === null ? undefined : () => this.#offered(legId));
  }

  #offered(legId: string): void {
    const at = this.#context.clock.now();
    this.#guard.markOffered(legId, at);
    this.#handlers.onStamp({ legId, kind: 'offer-sent', at });
  }

  #hold(frame: ClientFrame): void {
    if (this.#held.length < this.#context.limits.maxHeldFrames) {
      this.#held.push(frame);
    } else {
      this.#refusals.note('ERR_EDGE_HELD_OVERFLOW', 'engine');
      this.end(CLOSE.stopping, 'ERR_EDGE_HELD_OVERFLOW');
    }
  }
}
