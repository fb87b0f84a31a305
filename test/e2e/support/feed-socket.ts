/** A panel feed by hand: what it answers and how it ends. */
import { WebSocket } from 'ws';
import type { FeedMessage } from '../../../control-plane/src/contracts/panel-feed.ts';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';

export interface FeedSocket {
  readonly socket: WebSocket;
  readonly messages: readonly FeedMessage[];
  /** The close code and reason, once it is over. */
  end(): Promise<{ readonly code: number; readonly reason: string }>;
}

/** HTTP status and problem code of a refused upgrade. */
export interface FeedRefusal {
  readonly status: number;
  readonly code: unknown;
}

/** Opens the feed with a token or a ticket; resolves after the snapshot. */
export async function openFeed(
  gateway: Gateway,
  credential: { readonly token: string } | { readonly ticket: string },
): Promise<FeedSocket | FeedRefusal> {
  const url = new URL(gateway.file.urls.feed);
  if ('ticket' in credential) url.searchParams.set('ticket', credential.ticket);
  const headers = 'token' in credential ? { authorization: `Bearer ${credential.token}` } : {};
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const messages: FeedMessage[] = [];
  let closed: { code: number; reason: string } | null = null;
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString('utf8')) as FeedMessage));
  socket.on('close', (code, reason) => (closed = { code, reason: reason.toString() }));
  gateway.keep({
    close: () => {
      socket.terminate();
      return Promise.resolve();
    },
  });
  const refusal = await new Promise<FeedRefusal | null>((resolve, reject) => {
    socket.once('open', () => resolve(null));
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, code: (JSON.parse(body) as { code: unknown }).code }),
      );
    });
    socket.once('error', reject);
  });
  if (refusal !== null) return refusal;
  socket.on('error', () => undefined);
  await eventually('the snapshot', () => messages.find(({ type }) => type === 'snapshot') ?? null);
  return { socket, messages, end: () => eventually('the end of the feed', () => closed) };
}
