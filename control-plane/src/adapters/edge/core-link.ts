/**
 * The edge's end of the core link: one WebSocket to a core's internal listener, reconnected for ever, to the next core
 * each time (one that stands by refuses). While it is down, admissions wait for it up to their deadline, stamps and notices are kept up to a limit, and existing sockets
 * of clients go on.
 */
import { WebSocket, type RawData } from 'ws';
import {
  coreMessage,
  type Admission,
  type CoreMessage,
  type EdgeMessage,
  type TokenMark,
} from '../../contracts/core-link.ts';
import { instantAfter } from './instant.ts';
import type { EdgeContext } from './edge-options.ts';

export type Credential = Extract<EdgeMessage, { type: 'admit' }>['credential'];
type Stamp = Omit<Extract<EdgeMessage, { type: 'stamp' }>, 'type'>;
type CloseOrder = Extract<CoreMessage, { type: 'close' }>;

export type AdmitOutcome =
  | { readonly ok: true; readonly admission: Admission }
  | { readonly ok: false; readonly status: number; readonly code: string };

export interface CoreLinkOptions {
  /** `ws://host:port` of the cores' internal listeners, at least one. */
  readonly urls: readonly string[];
  readonly secret: string;
  /** Addresses of record that have a socket now, with its token: told again to a core that was away. */
  readonly present: () => Iterable<readonly [aor: string, token: TokenMark | undefined]>;
  readonly onClose: (order: CloseOrder) => void;
}

const UNAVAILABLE: AdmitOutcome = { ok: false, status: 503, code: 'ERR_EDGE_CORE_UNAVAILABLE' };
const PATH = '/edge-link';
/** Of several cores one serves again soon: it is found quickly. */
const BACKOFF_MS = { first: 50, most: 1_000, mostOfMany: 250 };
const PING_INTERVAL_MS = 1_000;
const CONNECT_DEADLINE_MS = 2_000;
const MAX_PENDING = 512;
const MAX_UNSENT = 2_000;
const MAX_MESSAGE_BYTES = 16_384;

export class CoreLink {
  readonly #options: CoreLinkOptions;
  readonly #context: EdgeContext;
  readonly #pending = new Map<number, { text: string; settle: (outcome: AdmitOutcome) => void }>();
  #unsent: string[] = [];
  #socket: WebSocket | null = null;
  #nextId = 1;
  #failures = 0;
  #turn = 0;
  #stopped = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: CoreLinkOptions, context: EdgeContext) {
    this.#options = options;
    this.#context = context;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#socket?.terminate();
    for (const { settle } of [...this.#pending.values()]) settle(UNAVAILABLE);
  }

  /** Never rejects; 503 when no core answers within the deadline. */
  admit(credential: Credential): Promise<AdmitOutcome> {
    if (this.#stopped || this.#pending.size >= MAX_PENDING) return Promise.resolve(UNAVAILABLE);
    const id = this.#nextId;
    this.#nextId = (this.#nextId % 2_147_483_647) + 1;
    const text = JSON.stringify({ type: 'admit', id, credential } satisfies EdgeMessage);
    return new Promise((resolve) => {
      const { clock, limits } = this.#context;
      const settle = (outcome: AdmitOutcome): void => {
        cancelDeadline();
        if (this.#pending.delete(id)) resolve(outcome);
      };
      const cancelDeadline = clock.at(instantAfter(clock.now(), limits.admitDeadlineMs), () =>
        settle(UNAVAILABLE),
      );
      this.#pending.set(id, { text, settle });
      if (this.connected) this.#socket?.send(text);
    });
  }

  stamp(stamp: Stamp): void {
    this.#tell(JSON.stringify({ type: 'stamp', ...stamp } satisfies EdgeMessage));
  }

  notice(type: 'opened' | 'lost' | 'closed', aor: string, token?: TokenMark): void {
    const at = this.#context.clock.now();
    this.#tell(JSON.stringify({ type, aor, at, ...(token ? { token } : {}) } satisfies EdgeMessage));
  }

  #tell(text: string): void {
    if (this.connected) {
      this.#socket?.send(text);
    } else {
      this.#unsent.push(text);
      if (this.#unsent.length > MAX_UNSENT) {
        this.#unsent.shift();
        this.#context.metrics.count('hamrahi_edge_core_notices_lost_total');
      }
    }
  }

  #connect(): void {
    if (this.#stopped) return;
    const socket = new WebSocket(new URL(PATH, this.#nextUrl()), {
      headers: { authorization: `Bearer ${this.#options.secret}` },
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_DEADLINE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.#socket = socket;
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data: RawData) => this.#received(data));
    socket.on('error', (error) => {
      if (this.#failures === 0) this.#context.log.warn('core link failed', { error: error.message });
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#closed();
    });
  }

  /** The same again as long as it serves; the next one when it does not. */
  #nextUrl(): string {
    const { urls } = this.#options;
    return urls[this.#turn % urls.length] ?? '';
  }

  #opened(socket: WebSocket): void {
    this.#failures = 0;
    this.#context.log.info('core link open');
    this.#context.metrics.gauge('hamrahi_edge_core_link_up', 1);
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const text of unsent) socket.send(text);
    for (const [aor, token] of this.#options.present()) this.notice('opened', aor, token);
    for (const { text } of this.#pending.values()) socket.send(text);
    this.#watch(socket);
  }

  /** A core that hangs looks like one that is silent: it must answer each ping before the next. */
  #watch(socket: WebSocket): void {
    let answered = true;
    socket.on('pong', () => (answered = true));
    const beat = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!answered) {
        socket.terminate();
        return;
      }
      answered = false;
      socket.ping();
      this.#cancelTimer = this.#context.clock.at(
        instantAfter(this.#context.clock.now(), PING_INTERVAL_MS),
        beat,
      );
    };
    beat();
  }

  #closed(): void {
    this.#socket = null;
    this.#cancelTimer();
    if (this.#stopped) return;
    this.#context.metrics.gauge('hamrahi_edge_core_link_up', 0);
    // Each round of all cores waits for longer than the one before.
    const rounds = Math.floor(this.#failures / this.#options.urls.length);
    const mostMs = this.#options.urls.length > 1 ? BACKOFF_MS.mostOfMany : BACKOFF_MS.most;
    const waitMs = Math.min(mostMs, BACKOFF_MS.first * 2 ** Math.min(rounds, 8));
    this.#failures += 1;
    this.#turn += 1;
    const { clock } = this.#context;
    this.#cancelTimer = clock.at(instantAfter(clock.now(), waitMs * (0.75 + Math.random() / 2)), () =>
      this.#connect(),
    );
  }

  #received(data: RawData): void {
    const parsed = coreMessage.safeParse(parseJson(data));
    if (!parsed.success) {
      this.#context.metrics.count('hamrahi_edge_core_messages_invalid_total');
      return;
    }
    const message = parsed.data;
    if (message.type === 'close') {
      this.#options.onClose(message);
    } else {
      const outcome: AdmitOutcome = message.ok
        ? { ok: true, admission: message.admission }
        : { ok: false, status: message.status, code: message.code };
      this.#pending.get(message.id)?.settle(outcome);
    }
  }
}

function parseJson(data: RawData): unknown {
  try {
    // `nodebuffer`, the default binary type, makes every message one Buffer.
    return JSON.parse((data as Buffer).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
