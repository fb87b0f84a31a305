/** A reader of the panel feed that never gives up: what it has seen must be what was written, each row once. */
import { WebSocket } from 'ws';
import type { FeedMessage } from '../../control-plane/src/contracts/panel-feed.ts';

const SILENCE_MS = 6_000;
const CONNECT_MS = 2_000;
const AGAIN_MS = 200;

export class FeedReader {
  readonly #url: string;
  readonly #token: string;
  /** After the first snapshot. */
  readonly seen: number[] = [];
  doubles = 0;
  /** Snapshots after the first: the gateway could not resume, and told all that is open instead. Rows up to there are in it. */
  jumps = 0;
  coveredTo = 0;
  /** Connections so far. */
  connections = 0;
  #last: number | null = null;
  #socket: WebSocket | null = null;
  #silence: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #running = true;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#connect();
  }

  /** The last row that has come. */
  get last(): number {
    return this.#last ?? 0;
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#socket?.terminate();
  }

  #connect(): void {
    const url = new URL(this.#url);
    if (this.#last !== null) url.searchParams.set('since', String(this.#last));
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${this.#token}` },
      handshakeTimeout: CONNECT_MS,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on('open', () => (this.connections += 1));
    socket.on('message', (data: Buffer) => {
      this.#heard(socket);
      this.#take(JSON.parse(data.toString('utf8')) as FeedMessage);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#running) this.#again = setTimeout(() => this.#connect(), AGAIN_MS);
    });
    this.#heard(socket);
  }

  #heard(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => socket.terminate(), SILENCE_MS);
  }

  #take(message: FeedMessage): void {
    if (message.type === 'snapshot') {
      if (this.#last !== null) {
        this.jumps += 1;
        this.coveredTo = Math.max(this.coveredTo, message.seq);
      }
      this.#last = message.seq;
      return;
    }
    // A row without a number yet (the database is away) comes again with one.
    if (!('seq' in message) || message.seq === 0) return;
    if (message.seq <= (this.#last ?? 0)) {
      this.doubles += 1;
      return;
    }
    this.seen.push(message.seq);
    this.#last = message.seq;
  }
}
