/**
 * The one WebSocket of a node's Stasis application: events come in, and REST goes out and back over the same
 * socket, in order with the events. It supervises itself: ping with a deadline, reconnection for ever.
 *
 * Asterisk answers a socket's requests one after the other, so a request that blocks in Asterisk (a channel
 * added to a bridge while a playback still runs on it) holds up all others. The ping then stays unanswered too,
 * and its deadline breaks the socket: the next one starts afresh.
 *
 * No message's content is ever logged: it may hold telephone numbers.
 */
import { WebSocket, type RawData } from 'ws';
import type { Instant } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommandPermit } from '../../ports/lease.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { ARI_EVENT_TYPES, type AriEvent, type AriOperation } from './ari.gen.ts';
import { encodeAriRequest, type AriParameters } from './ari-request.ts';
import type { AriResult } from './ari-result.ts';
import { PendingRequests } from './pending-requests.ts';

export interface AriConnectionOptions {
  /** `http://host:port/ari` (or https). */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  /** The Stasis application: one per control-plane node. */
  readonly app: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Asked before each request that is more than a question. Absent: everything is permitted. */
  readonly permit?: CommandPermit;
  /** Default 2000. */
  readonly requestTimeoutMs?: number;
  /** Default 1000. */
  readonly pingIntervalMs?: number;
  /** Silence after which the socket counts as dead; default 2500. */
  readonly pongTimeoutMs?: number;
  /** Requests that may wait for their answer at once; default 1000. */
  readonly maxInFlight?: number;
}

/** `replaced`: another connection took the application over; nothing is sent until resume(). */
export type AriConnectionState = 'stopped' | 'connecting' | 'connected' | 'replaced';

/** What the parts of the driver need of the connection. */
export interface AriClient {
  request<Parameters, Result>(
    operation: AriOperation<Parameters, Result>,
    parameters: Parameters,
  ): Promise<AriResult<Result>>;
}

export interface AriConnectionListener {
  onConnected(): void;
  onLost(): void;
  onReplaced(): void;
  onEvent(event: AriEvent): void;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 2_000;
const MAX_INCOMING_BYTES = 16 * 1024 * 1024;
/** Asterisk takes 64 KiB in a frame. */
const MAX_OUTGOING_BYTES = 32 * 1024;
/** Events that nobody uses, half of all traffic. An allow list would hold back the answers too. */
export const UNUSED_EVENTS = ['ChannelVarset', 'ChannelDialplan', 'ChannelConnectedLine', 'ChannelCallerId'];

const UNLIMITED: CommandPermit = { mayCommand: () => true };

export class AriConnection implements AriClient {
  readonly #options: Required<AriConnectionOptions>;
  readonly #listener: AriConnectionListener;
  readonly #pending: PendingRequests;
  #state: AriConnectionState = 'stopped';
  #socket: WebSocket | null = null;
  #backoffMs = FIRST_BACKOFF_MS;
  #heardAt = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(options: AriConnectionOptions, listener: AriConnectionListener) {
    this.#options = {
      requestTimeoutMs: 2_000,
      pingIntervalMs: 1_000,
      pongTimeoutMs: 2_500,
      maxInFlight: 1_000,
      permit: UNLIMITED,
      ...options,
    };
    this.#listener = listener;
    this.#pending = new PendingRequests(options.clock);
  }

  get state(): AriConnectionState {
    return this.#state;
  }

  /** Also the way out of `replaced`: takes the application back. */
  start(): void {
    if (this.#state === 'stopped' || this.#state === 'replaced') this.#connect();
  }

  /** Resolves when the socket is closed. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#leave('stopped', 'ERR_PBX_DISCONNECTED');
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      this.#later(500, () => socket.terminate());
    });
    this.#cancelTimer();
  }

  /** Gives this socket up and connects anew, as after a loss. */
  restart(): void {
    this.#socket?.terminate();
  }

  /** Never rejects. Settles at the request's deadline at the latest. */
  async request<Parameters, Result>(
    operation: AriOperation<Parameters, Result>,
    parameters: Parameters,
  ): Promise<AriResult<Result>> {
    const name = `${operation.method} ${operation.path}`;
    const refuse = (
      code: 'ERR_PBX_REPLACED' | 'ERR_PBX_DISCONNECTED' | 'ERR_PBX_OVERLOAD' | 'ERR_PBX_FENCED',
    ) => ({ ok: false, code, httpStatus: null, detail: `${name}: not sent` }) as const;
    if (operation.method !== 'GET') {
      const permitted = this.#options.permit.mayCommand();
      if (permitted !== true && !(await permitted)) return refuse('ERR_PBX_FENCED');
    }
    if (this.#state === 'replaced') return refuse('ERR_PBX_REPLACED');
    if (this.#state !== 'connected' || this.#socket === null) return refuse('ERR_PBX_DISCONNECTED');
    if (this.#pending.size >= this.#options.maxInFlight) return refuse('ERR_PBX_OVERLOAD');
    const startedAt = this.#options.clock.now();
    const { id, result } = this.#pending.open(name, this.#options.requestTimeoutMs);
    const message = encodeAriRequest(operation, parameters as AriParameters, id);
    if (message.length > MAX_OUTGOING_BYTES) {
      this.#pending.answer(id, { status: 413, body: undefined });
    } else {
      this.#socket.send(message);
    }
    const settled = await result;
    const { metrics, clock } = this.#options;
    metrics.observe('hamrahi_ari_request_ms', clock.now() - startedAt, {
      code: settled.ok ? 'ok' : settled.code,
    });
    return settled as AriResult<Result>;
  }

  #connect(): void {
    const { url, user, password, app } = this.#options;
    this.#state = 'connecting';
    const authorization = `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/events?app=${encodeURIComponent(app)}`, {
      headers: { authorization },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_INCOMING_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data) => this.#received(socket, data));
    socket.on('pong', () => (this.#heardAt = this.#options.clock.now()));
    socket.on('error', ({ message }) => this.#options.log.debug('ari socket error', { reason: message }));
    socket.on('close', (code) => this.#closed(socket, code));
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#state = 'connected';
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#heardAt = this.#options.clock.now();
    this.#watch(socket);
    this.#options.log.info('ari connected', { app: this.#options.app });
    this.#listener.onConnected();
  }

  /** Ping until the socket changes; silence beyond the deadline ends it. */
  #watch(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    if (this.#options.clock.now() - this.#heardAt > this.#options.pongTimeoutMs) {
      this.#options.metrics.count('hamrahi_ari_ping_timeouts_total');
      socket.terminate();
      return;
    }
    socket.ping();
    this.#later(this.#options.pingIntervalMs, () => this.#watch(socket));
  }

  #received(socket: WebSocket, data: RawData): void {
    if (socket !== this.#socket) return;
    const message = parseMessage(data);
    if (message === null) {
      this.#options.metrics.count('hamrahi_ari_unreadable_messages_total');
    } else if (message.type === 'RESTResponse') {
      this.#answered(message);
    } else if (message.type === 'ApplicationReplaced') {
      this.#replaced(socket);
    } else if (ARI_EVENT_TYPES.has(message.type)) {
      this.#options.metrics.count('hamrahi_ari_events_total', { type: message.type });
      this.#listener.onEvent(message as unknown as AriEvent);
    } else {
      this.#options.metrics.count('hamrahi_ari_unknown_events_total');
    }
  }

  #answered(message: Readonly<Record<string, unknown>>): void {
    const { request_id: id, status_code: status, message_body: body } = message;
    const known =
      typeof id === 'string' &&
      typeof status === 'number' &&
      this.#pending.answer(id, { status, body: typeof body === 'string' ? body : undefined });
    if (!known) this.#options.metrics.count('hamrahi_ari_late_answers_total');
  }

  /** Closing our socket does not take the application away from the other one. */
  #replaced(socket: WebSocket): void {
    this.#options.log.error('another connection took over the ari application', { app: this.#options.app });
    this.#leave('replaced', 'ERR_PBX_REPLACED');
    socket.close();
    this.#listener.onReplaced();
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    const wasConnected = this.#state === 'connected';
    this.#leave('connecting', 'ERR_PBX_DISCONNECTED');
    const level = wasConnected ? 'warn' : 'debug';
    this.#options.log[level]('ari connection lost', { closeCode: code, retryInMs: this.#backoffMs });
    this.#options.metrics.count('hamrahi_ari_connections_lost_total');
    this.#later(this.#backoffMs, () => this.#connect());
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    if (wasConnected) this.#listener.onLost();
  }

  /** Everything of the present socket ends here. */
  #leave(state: AriConnectionState, code: 'ERR_PBX_DISCONNECTED' | 'ERR_PBX_REPLACED'): void {
    const socket = this.#socket;
    this.#state = state;
    this.#socket = null;
    this.#cancelTimer();
    if (state === 'stopped') socket?.close();
    this.#pending.failAll(code);
  }

  #later(delayMs: number, callback: () => void): void {
    this.#cancelTimer();
    const { clock } = this.#options;
    this.#cancelTimer = clock.at((clock.now() + delayMs) as Instant, callback);
  }
}

function parseMessage(data: RawData): ({ readonly type: string } & Readonly<Record<string, unknown>>) | null {
  try {
    const value: unknown = JSON.parse((data as Buffer).toString('utf8'));
    const isMessage =
      typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return isMessage ? (value as { type: string } & Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
