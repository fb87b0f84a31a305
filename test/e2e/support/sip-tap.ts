/** Stands between the edge and the engine and writes down what the edge really passed on, and what it was given. */
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export interface TappedMessage {
  readonly from: 'edge' | 'engine';
  /** Whose connection it is; `null` until its first message has named somebody. */
  readonly aor: string | null;
  readonly message: string;
}

export interface SipTap {
  /** For the edge, in place of the engine's own. */
  readonly url: string;
  readonly messages: readonly TappedMessage[];
  /** Where the engine is; before that, connections are refused. */
  lead(engineUrl: string): void;
  close(): Promise<void>;
}

const AOR = /\b((?:citizen|operator)-\w+-\w+)@/;

export async function startSipTap(): Promise<SipTap> {
  const messages: TappedMessage[] = [];
  let engineUrl: string | null = null;
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'sip' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (edge) => {
    if (engineUrl === null) {
      edge.close(1013);
      return;
    }
    relay(edge, new WebSocket(engineUrl, 'sip'), messages);
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    messages,
    lead: (url) => (engineUrl = url),
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}

function relay(edge: WebSocket, engine: WebSocket, messages: TappedMessage[]): void {
  let aor: string | null = null;
  const waiting: string[] = [];
  const note = (from: TappedMessage['from'], message: string): void => {
    aor ??= AOR.exec(message)?.[1] ?? null;
    messages.push({ from, aor, message });
  };
  edge.on('message', (data: Buffer) => {
    const message = data.toString('utf8');
    note('edge', message);
    if (engine.readyState === WebSocket.OPEN) engine.send(message);
    else waiting.push(message);
  });
  engine.on('open', () => {
    for (const message of waiting.splice(0)) engine.send(message);
  });
  engine.on('message', (data: Buffer) => {
    note('engine', data.toString('utf8'));
    edge.send(data.toString('utf8'));
  });
  edge.on('close', () => engine.close());
  engine.on('close', () => edge.close());
  for (const socket of [edge, engine]) socket.on('error', () => undefined);
}
