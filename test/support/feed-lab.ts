/** The panel feed on a real HTTP server over fakes, and panels that keep everything they are told. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { PanelFeed, FEED_PATH, type FeedTiming } from '../../control-plane/src/adapters/feed/panel-feed.ts';
import type { Role } from '../../control-plane/src/contracts/common.ts';
import { feedMessage, type FeedMessage } from '../../control-plane/src/contracts/panel-feed.ts';
import { FakeFeedSource } from './fake-feed-source.ts';
import { labParts, startHttpLab, tokenFor } from './http-lab.ts';

/** The messages that a `type` of the feed may stand in. */
type Told<T, M = FeedMessage> = M extends { type: infer U } ? (T extends U ? M : never) : never;

/** A panel's end of a feed; each message was checked against the contract. */
export class TestPanel {
  readonly socket: WebSocket;
  readonly messages: FeedMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  #changed: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(feedMessage.parse(JSON.parse(data.toString())));
      this.#changed();
    });
    socket.on('close', (code: number, reason: Buffer) => {
      this.closed = { code, reason: reason.toString() };
      this.#changed();
    });
    socket.on('error', () => undefined);
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits until it holds, at most 3 s; `what` is told when it does not. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(3000);
    while (!holds()) {
      const changed = Promise.withResolvers<undefined>();
      const late = (): void => changed.reject(new Error(`not within 3 s: ${what}`));
      deadline.addEventListener('abort', late, { once: true });
      this.#changed = () => changed.resolve(undefined);
      await changed.promise;
      deadline.removeEventListener('abort', late);
    }
  }

  async untilClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.until('close', () => this.closed !== null);
    return this.closed!;
  }

  /** The next message of this type that was not taken before. */
  async take<T extends FeedMessage['type']>(type: T): Promise<Told<T>> {
    await this.until(`message ${type}`, () => this.messages.some((one) => one.type === type));
    const index = this.messages.findIndex((one) => one.type === type);
    return this.messages.splice(index, 1)[0] as unknown as Told<T>;
  }

  /** Seqs of the changes told so far, in the order in which they came. */
  seqs(): number[] {
    return this.messages.flatMap((one) => ('sessionSeq' in one ? [one.seq] : []));
  }
}

export interface PanelOptions {
  readonly role?: Role;
  readonly subject?: string;
  readonly device?: string | null;
  readonly since?: number;
  readonly by?: 'header' | 'ticket';
  readonly autoPong?: boolean;
  /** Instead of a fresh one. */
  readonly token?: string;
}

export async function startFeedLab(
  timing: Partial<FeedTiming> = {},
  limits = { maxConnections: 100, maxPerIdentity: 10 },
) {
  const parts = labParts();
  const source = new FakeFeedSource();
  const feed = new PanelFeed({ ...parts, source, limits, timing });
  feed.start();
  const lab = await startHttpLab({ upgrades: new Map([[FEED_PATH, feed.upgrade]]) }, parts);
  const panels: TestPanel[] = [];
  const feedUrl = `ws://127.0.0.1:${lab.port}${FEED_PATH}`;

  const connect = async (options: PanelOptions = {}): Promise<TestPanel> => {
    const { role = 'operator', subject = 'akram', device = 'desk', since, by = 'header' } = options;
    const token = options.token ?? (await tokenFor(role, subject));
    const query = new URLSearchParams(since === undefined ? {} : { since: String(since) });
    if (by === 'ticket') {
      const body = { purpose: 'feed', ...(device === null ? {} : { deviceId: device }) };
      const answer = await lab.call('POST', '/v1/tickets', { token, body });
      query.set('ticket', (answer.body as { ticket: string }).ticket);
    } else if (device !== null) query.set('device', device);
    const headers = by === 'header' ? { Authorization: `Bearer ${token}` } : {};
    const socket = new WebSocket(`${feedUrl}?${query}`, { headers, autoPong: options.autoPong ?? true });
    const panel = new TestPanel(socket);
    panels.push(panel);
    await once(socket, 'open');
    return panel;
  };

  return {
    ...lab,
    source,
    feed,
    feedUrl,
    connect,
    async close(): Promise<void> {
      await feed.close(500);
      for (const { socket } of panels) socket.terminate();
      await lab.close();
    },
  };
}

export type FeedLab = Awaited<ReturnType<typeof startFeedLab>>;

/** Status and problem code with which an upgrade was refused. */
export function refusalOf(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const socket = new WebSocket(url, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('it was let in')));
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () =>
        resolve([response.statusCode ?? 0, (JSON.parse(text) as { code: string }).code]),
      );
    });
  });
}
