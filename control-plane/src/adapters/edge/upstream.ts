/** The engine's side of one client: a WebSocket to the engine's SIP listener (RFC 7118), opened for this client only. */
import { WebSocket, type RawData } from 'ws';
import { frameBytes, KEEP_ALIVE_PING, KEEP_ALIVE_PONG, writeFrame } from './frame.ts';
import { instantAfter } from './instant.ts';
import type { EdgeContext } from './edge-options.ts';

const MAX_FRAME_BYTES = 65_535;

export interface UpstreamHandlers {
  readonly onFrame: (bytes: string) => void;
  /** Called once. Not called after `end()`. */
  readonly onLost: () => void;
}

export class Upstream {
  readonly #socket: WebSocket;
  readonly #context: EdgeContext;
  readonly #handlers: UpstreamHandlers;
  #over = false;
  #stirred = true;
  #cancelBeat: () => void = () => undefined;

  private constructor(socket: WebSocket, context: EdgeContext, handlers: UpstreamHandlers) {
    this.#socket = socket;
    this.#context = context;
    this.#handlers = handlers;
    socket.on('message', (data: RawData, isBinary: boolean) => this.#received(data, isBinary));
    socket.on('pong', () => (this.#stirred = true));
    socket.on('close', () => this.#lost());
    this.#beat();
  }

  /** `null` when the engine does not accept it within the deadline. */
  static open(url: string, context: EdgeContext, handlers: UpstreamHandlers): Promise<Upstream | null> {
    const socket = new WebSocket(url, 'sip', {
      localAddress: context.localAddress,
      perMessageDeflate: false,
      handshakeTimeout: context.limits.upstreamDeadlineMs,
      maxPayload: MAX_FRAME_BYTES,
    });
    return new Promise((resolve) => {
      socket.on('error', () => resolve(null));
      socket.once('open', () => resolve(new Upstream(socket, context, handlers)));
    });
  }

  send(bytes: string): void {
    if (this.#over) return;
    if (this.#socket.bufferedAmount > this.#context.limits.maxBufferedBytes) this.#socket.terminate();
    else writeFrame(this.#socket, bytes);
  }

  end(): void {
    this.#over = true;
    this.#cancelBeat();
    this.#socket.close(1000);
    const { clock, limits } = this.#context;
    const cancel = clock.at(instantAfter(clock.now(), limits.upstreamDeadlineMs), () =>
      this.#socket.terminate(),
    );
    this.#socket.once('close', cancel);
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#stirred = true;
    if (this.#over) return;
    const bytes = frameBytes(data, isBinary);
    if (bytes === KEEP_ALIVE_PING) this.send(KEEP_ALIVE_PONG);
    else if (bytes !== null && bytes !== KEEP_ALIVE_PONG) this.#handlers.onFrame(bytes);
  }

  #beat(): void {
    const { clock, limits } = this.#context;
    this.#cancelBeat = clock.at(instantAfter(clock.now(), limits.pingIntervalMs), () => {
      if (!this.#stirred) {
        this.#socket.terminate();
        return;
      }
      this.#stirred = false;
      this.#socket.ping();
      this.#beat();
    });
  }

  #lost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelBeat();
    this.#handlers.onLost();
  }
}
