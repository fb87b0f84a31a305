/** A receiver of webhooks on loopback: keeps what comes, and answers as the test says. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came. */
  readonly text: string;
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** By the receiver's own clock, milliseconds since 1970. */
  readonly at: number;
}

export type Answer = (
  received: Received,
  response: ServerResponse,
  request: IncomingMessage,
) => void | Promise<void>;

export interface WebhookReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** For what comes from now on. Without one: 204. */
  answer: Answer;
  /** The first that fits, of those that have come and those that come. Rejects after the deadline. */
  next(fits: (received: Received) => boolean, deadlineMs?: number): Promise<Received>;
  /** All that fit, once there are as many. */
  count(many: number, fits?: (received: Received) => boolean, deadlineMs?: number): Promise<Received[]>;
  close(): Promise<void>;
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_received, response) => {
    response.writeHead(code, headers).end();
  };

export async function startReceiver(answer: Answer = status(204)): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  const receiver = { answer };
  const server = createServer((request, response) => {
    void read(request).then((one) => {
      received.push(one);
      for (const look of [...waiting]) look();
      return receiver.answer(one, response, request);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const count: WebhookReceiver['count'] = (many, fits = () => true, deadlineMs = 5000) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (received.length < many) return;
        const found = received.filter(fits);
        if (found.length < many) return;
        waiting.delete(look);
        clearTimeout(late);
        resolve(found);
      };
      const late = setTimeout(() => {
        waiting.delete(look);
        const seen = received.map(({ type, id }) => `${type} ${id}`).join(', ');
        reject(new Error(`${received.filter(fits).length} of ${many} came within ${deadlineMs} ms: ${seen}`));
      }, deadlineMs);
      waiting.add(look);
      look();
    });
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    count,
    next: async (fits: (one: Received) => boolean, deadlineMs?: number) => {
      const [first] = await count(1, fits, deadlineMs);
      return first!;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}

async function read(request: IncomingMessage): Promise<Received> {
  const at = performance.timeOrigin + performance.now();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { type, timestamp, data } = JSON.parse(text) as Pick<Received, 'type' | 'timestamp' | 'data'>;
  const id = String(request.headers['webhook-id']);
  return { path: request.url ?? '', headers: request.headers, text, id, type, timestamp, data, at };
}
