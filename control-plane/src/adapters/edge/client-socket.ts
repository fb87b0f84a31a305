/**
 * One client's socket, from the finished handshake to its end: how much it may send, how long it may be silent,
 * whether it still lives. What it says goes to `onFrame` as a byte string.
 */
import type { RawData, WebSocket } from 'ws';
import { CLOSE, type EdgeCode } from './edge-codes.ts';
import { frameBytes, KEEP_ALIVE_PING, KEEP_ALIVE_PONG, writeFrame } from './frame.ts';
import { instantAfter } from './instant.ts';
import { TokenBucket } from '../../domain/rate/token-bucket.ts';
import type { EdgeContext } from './edge-options.ts';
import type { Refusals } from './refusals.ts';

const MALFORMED_WINDOW_S = 10;

export interface ClientSocketHandlers {
  readonly onFrame: (bytes: string) => void;
  /** Called once, when no more frames will come. */
  readonly onGone: () => void;
}

export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #context: EdgeContext;
  readonly #refusals: Refusals;
  readonly #handlers: ClientSocketHandlers;
  readonly #rate: TokenBucket;
  readonly #malformed: TokenBucket;
  #stirred = true;
  #useful = false;
  #gone = false;
  #cancelBeat: () => void = () => undefined;
  #cancelFirst: () => void = () => undefined;

  constructor(socket: WebSocket, context: EdgeContext, refusals: Refusals, handlers: ClientSocketHandlers) {
    this.#socket = socket;
    this.#context = context;
    this.#refusals = refusals;
    this.#handlers = handlers;
    const { limits, clock } = context;
    this.#rate = new TokenBucket(limits.messagesPerSecond, limits.messageBurst, clock.now());
    const perSecond = limits.maxMalformed / MALFORMED_WINDOW_S;
    this.#malformed = new TokenBucket(perSecond, limits.maxMalformed, clock.now());
    socket.on('message', (data: RawData, isBinary: boolean) => this.#received(data, isBinary));
    socket.on('pong', () => this.#stir());
    socket.on('ping', () => this.#stir());
    socket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#ended());
    this.#cancelFirst = clock.at(instantAfter(clock.now(), limits.firstMessageDeadlineMs), () => {
      if (!this.#useful) this.refuse('ERR_EDGE_SILENT', CLOSE.silent);
    });
    this.#beat();
  }

  /** Its messages are such as the edge passes on; the socket may stay. */
  markUseful(): void {
    this.#useful = true;
  }

  /** Counts a message that was no SIP; too many end the socket. */
  malformed(): void {
    if (!this.#malformed.take(this.#context.clock.now())) this.refuse('ERR_EDGE_MALFORMED', CLOSE.malformed);
  }

  send(bytes: string, written?: () => void): void {
    if (this.#gone) return;
    if (this.#socket.bufferedAmount > this.#context.limits.maxBufferedBytes) {
      this.#kill();
      return;
    }
    writeFrame(this.#socket, bytes, written);
  }

  /** Ends it in order; a peer that does not close in turn is cut off after one ping interval. */
  close(code: number, reason: string): void {
    this.#ended();
    this.#socket.close(code, reason);
    const { clock, limits } = this.#context;
    const cancel = clock.at(instantAfter(clock.now(), limits.pingIntervalMs), () => this.#socket.terminate());
    this.#socket.once('close', cancel);
  }

  refuse(code: EdgeCode, closeCode: number): void {
    if (this.#gone) return;
    this.#refusals.note(code);
    this.close(closeCode, code);
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#stir();
    if (this.#gone) return;
    const bytes = frameBytes(data, isBinary);
    if (bytes === null) {
      this.#refusals.note('ERR_EDGE_FRAME');
      this.malformed();
    } else if (bytes === KEEP_ALIVE_PING) {
      this.send(KEEP_ALIVE_PONG);
    } else if (bytes !== KEEP_ALIVE_PONG) {
      this.#handlers.onFrame(bytes);
    }
  }

  /** A sign of life; control frames count as messages do. */
  #stir(): void {
    this.#stirred = true;
    if (!this.#gone && !this.#rate.take(this.#context.clock.now()))
      this.refuse('ERR_EDGE_FLOOD', CLOSE.flood);
  }

  /** A frame too large (closed with 1009), no UTF-8 (1007), a broken frame (1002), or the connection broke. */
  #failed(error: Error & { code?: string }): void {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#refusals.note('ERR_EDGE_FRAME_SIZE');
    else if (error.code?.startsWith('WS_ERR_') === true) this.#refusals.note('ERR_EDGE_FRAME');
  }

  #beat(): void {
    const { clock, limits } = this.#context;
    this.#cancelBeat = clock.at(instantAfter(clock.now(), limits.pingIntervalMs), () => {
      if (!this.#stirred) {
        this.#kill();
        return;
      }
      this.#stirred = false;
      this.#socket.ping();
      this.#beat();
    });
  }

  #kill(): void {
    this.#refusals.note('ERR_EDGE_DEAD');
    this.#socket.terminate();
    this.#ended();
  }

  #ended(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelBeat();
    this.#cancelFirst();
    this.#handlers.onGone();
  }
}
