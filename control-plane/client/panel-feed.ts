/**
 * The panel's status feed: one WebSocket, opened again for ever, resumed where it broke off.
 *
 * The gateway says something at least every few seconds (its health); silence longer than `silenceMs` means that
 * the connection is dead though nobody closed it.
 */
import type { FeedEvent, FeedMessage, PanelMessage } from '../src/contracts/panel-feed.ts';
import { Backoff } from './backoff.ts';
import { withDeadline } from './deadline.ts';
import type { ClientSocket } from './gateway-sockets.ts';
import { TypedEvents } from './typed-events.ts';

export type { FeedEvent, FeedMessage, PanelMessage };

export interface PanelFeedOptions {
  /** Opens one connection; `since` is the last sequence number seen, `null` for a snapshot. */
  readonly open: (since: number | null) => Promise<ClientSocket>;
  /** Default 15 s. */
  readonly silenceMs?: number;
}

export interface PanelFeedEvents {
  /** `taken`: another tab or connection of this panel client has the shift; it is not tried again by itself. */
  state: 'connecting' | 'open' | 'taken' | 'stopped';
  message: FeedMessage;
  trouble: Error;
}

const CONNECT_DEADLINE_MS = 5_000;
/** The gateway's close code ERR_FEED_SHIFT_TAKEN; and one of our own for a connection that we give up. */
const SHIFT_TAKEN = 4001;
const GIVEN_UP = 4900;

export class PanelFeed extends TypedEvents<PanelFeedEvents> {
  private readonly options: PanelFeedOptions;
  private readonly backoff = new Backoff();
  private socket: ClientSocket | null = null;
  private running = false;
  private since: number | null = null;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private current: PanelFeedEvents['state'] = 'stopped';
  private giveUp: () => void = () => undefined;

  constructor(options: PanelFeedOptions) {
    super();
    this.options = options;
  }

  get state(): PanelFeedEvents['state'] {
    return this.current;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.keepOpen();
  }

  stop(): void {
    this.running = false;
    this.backoff.hurry();
    this.socket?.close(1000);
    this.enter('stopped');
  }

  /** The network is back: connect anew now. */
  reconnect(): void {
    this.backoff.reset();
    this.backoff.hurry();
    this.socket?.close(GIVEN_UP);
  }

  /** False when there is no connection: what was said is lost, so say it again when the feed is open. */
  send(message: PanelMessage): boolean {
    if (this.current !== 'open' || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private async keepOpen(): Promise<void> {
    while (this.running) {
      this.enter('connecting');
      try {
        await this.oneConnection();
      } catch (error) {
        if (this.isRunning()) this.emit('trouble', error instanceof Error ? error : new Error(String(error)));
      }
      if (this.isRunning()) await this.backoff.wait();
    }
  }

  private isRunning(): boolean {
    return this.running;
  }

  /** Resolves when the connection has ended. */
  private async oneConnection(): Promise<void> {
    const socket = await withDeadline(this.options.open(this.since), CONNECT_DEADLINE_MS, 'opening the feed');
    this.socket = socket;
    const opened = new Promise<void>((resolve) => socket.addEventListener('open', resolve));
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener('error', () => undefined);
      socket.addEventListener('close', ({ code }) => resolve(code));
      socket.addEventListener('message', ({ data }) => {
        if (this.socket === socket) this.receive(socket, data);
      });
      // A dead connection is given up by itself: its close may never come.
      this.giveUp = () => resolve(1006);
    });
    try {
      await withDeadline(Promise.race([opened, closed]), CONNECT_DEADLINE_MS, 'connecting the feed');
      if (this.running) this.heardNow(socket);
      const code = await closed;
      if (code === SHIFT_TAKEN) this.beTaken();
      if (this.running) throw new Error(`feed closed with ${code}`);
    } finally {
      clearTimeout(this.silenceTimer);
      if (this.socket === socket) this.socket = null;
      socket.close(1000);
    }
  }

  private beTaken(): void {
    this.running = false;
    this.enter('taken');
  }

  private receive(socket: ClientSocket, data: unknown): void {
    const message = parse(data);
    if (message === null) return;
    this.heardNow(socket);
    if ('seq' in message)
      this.since = Math.max(message.type === 'snapshot' ? 0 : (this.since ?? 0), message.seq);
    this.backoff.reset();
    this.emit('message', message);
  }

  private heardNow(socket: ClientSocket): void {
    this.enter('open');
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      if (this.socket !== socket) return;
      socket.close(GIVEN_UP);
      this.giveUp();
    }, this.options.silenceMs ?? 15_000);
  }

  private enter(state: PanelFeedEvents['state']): void {
    if (this.current === state) return;
    this.current = state;
    this.emit('state', state);
  }
}

function parse(data: unknown): FeedMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message = JSON.parse(data) as FeedMessage | null;
    return typeof message === 'object' && typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
