/**
 * SIP.js' transport over a WebSocket that is opened anew, with a fresh credential, for each connection.
 * SIP.js' own takes one fixed URL and reads the global WebSocket.
 *
 * It reports the loss of a connection and never hides it: SipClient reconnects.
 */
import { EmitterImpl, TransportState, type Transport } from 'sip.js';
import { withDeadline } from './deadline.ts';
import type { ClientSocket } from './gateway-sockets.ts';

/**
 * How long after a close of the gateway's own codes the next connection waits, in milliseconds. 4000: the session has ended, and
 * whoever watches it is about to say so. 4001: another connection of this device has replaced this one; let it.
 */
const WAIT_AFTER_MS: Readonly<Record<number, number>> = { 4000: 1_000, 4001: 10_000 };

/** `code` of the WebSocket's close frame (RFC 6455 §7.4). */
export class SipSocketClosed extends Error {
  readonly code = 'ERR_CLIENT_SOCKET_CLOSED';
  readonly closeCode: number;

  constructor(closeCode: number) {
    super(`the SIP WebSocket was closed with ${closeCode}`);
    this.name = 'SipSocketClosed';
    this.closeCode = closeCode;
  }

  get waitMs(): number {
    return WAIT_AFTER_MS[this.closeCode] ?? 0;
  }
}

/** WebSocket.OPEN. */
const OPEN = 1;

export interface SipTransportOptions {
  /** Starts one connection; may reject (no ticket, no network). */
  readonly open: () => Promise<ClientSocket>;
  /** What stands in the Via header: `WSS`, or `WS` where a test has no TLS. */
  readonly protocol: 'WS' | 'WSS';
  readonly connectDeadlineMs: number;
}

export class SipTransport implements Transport {
  onConnect: (() => void) | undefined;
  onDisconnect: ((error?: Error) => void) | undefined;
  onMessage: ((message: string) => void) | undefined;
  readonly stateChange = new EmitterImpl<TransportState>();
  private readonly options: SipTransportOptions;
  private socket: ClientSocket | null = null;
  /** Which attempt to connect is the current one: what an earlier one still does is ignored. */
  private attempt = 0;
  private current: TransportState = TransportState.Disconnected;

  /** The signature is SIP.js': the first argument is its logger. */
  constructor(_logger: unknown, options: SipTransportOptions) {
    this.options = options;
  }

  get protocol(): string {
    return this.options.protocol;
  }

  get state(): TransportState {
    return this.current;
  }

  isConnected(): boolean {
    return this.current === TransportState.Connected;
  }

  async connect(): Promise<void> {
    if (this.isConnected()) return;
    if (this.current === TransportState.Connecting) throw new Error('already connecting');
    this.attempt += 1;
    const { attempt } = this;
    this.enter(TransportState.Connecting);
    try {
      await withDeadline(this.openSocket(attempt), this.options.connectDeadlineMs, 'connecting SIP');
    } catch (error) {
      if (this.attempt === attempt) this.drop(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  disconnect(): Promise<void> {
    if (this.current !== TransportState.Disconnected) this.enter(TransportState.Disconnecting);
    this.drop(undefined);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return this.disconnect();
  }

  send(message: string): Promise<void> {
    // A socket that is closing says so before its close event comes.
    if (!this.isConnected() || this.socket?.readyState !== OPEN)
      return Promise.reject(new Error('not connected'));
    try {
      this.socket.send(message);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error('send failed'));
    }
  }

  private async openSocket(attempt: number): Promise<void> {
    const socket = await this.options.open();
    if (this.attempt !== attempt || this.current !== TransportState.Connecting) {
      socket.close(1000);
      throw new Error('no longer wanted');
    }
    this.socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => {
        if (this.socket !== socket) return;
        this.enter(TransportState.Connected);
        resolve();
      });
      socket.addEventListener('error', () => undefined);
      socket.addEventListener('message', ({ data }) => {
        if (this.socket === socket) this.receive(data);
      });
      socket.addEventListener('close', ({ code }) => {
        const error = new SipSocketClosed(code);
        reject(error);
        if (this.socket === socket) this.drop(error);
      });
    });
  }

  private receive(data: unknown): void {
    if (!this.isConnected()) return;
    const text =
      typeof data === 'string' ? data : data instanceof ArrayBuffer ? new TextDecoder().decode(data) : '';
    // A bare CRLF answers a keep-alive (RFC 5626 §4.4.1).
    if (text.trim() !== '') this.onMessage?.(text);
  }

  /** Forgets the socket at once; what it still says is ignored. */
  private drop(error: Error | undefined): void {
    const { socket } = this;
    this.socket = null;
    socket?.close(1000);
    if (this.current !== TransportState.Disconnected) this.enter(TransportState.Disconnected, error);
  }

  private enter(next: TransportState, error?: Error): void {
    const before = this.current;
    if (before === next) return;
    this.current = next;
    this.stateChange.emit(next);
    if (next === TransportState.Connected) this.onConnect?.();
    else if (before === TransportState.Connected) this.onDisconnect?.(error);
  }
}
