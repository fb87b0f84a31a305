/**
 * The floor: what the same machine needs, in the same run, for the least that an activation cannot do without: one
 * fsynced commit, one bare ARI originate, and the INVITE through a bare WebSocket relay to a registered client.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import WebSocket, { WebSocketServer } from 'ws';
import { webrtcEndpointFields } from '../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';
import type { SandboxFile } from '../../control-plane/sandbox/sandbox-file.ts';

const AOR = 'bench-floor-client';
const STEP_DEADLINE_MS = 5000;

export interface Floor {
  /** Milliseconds from the begin of the commit until the INVITE is at the client. */
  once(): Promise<number>;
  stop(): Promise<void>;
}

export async function openFloor(sandbox: SandboxFile): Promise<Floor> {
  const ari = ariOf(sandbox);
  const database = new pg.Client(sandbox.databaseUrl);
  await database.connect();
  await database.query(
    'CREATE TABLE IF NOT EXISTS bench_floor (id uuid PRIMARY KEY, at timestamptz, body jsonb)',
  );
  const events = await openAriSocket(sandbox, 'bench-floor');
  const relay = await bareRelay(`${sandbox.ari.url.replace('http', 'ws')}/ws`);
  await ari('PUT', `/asterisk/config/dynamic/res_pjsip/aor/${AOR}`, { fields: fields().aor });
  await ari('PUT', `/asterisk/config/dynamic/res_pjsip/endpoint/${AOR}`, { fields: fields().endpoint });
  const client = await registered(relay.url, sandbox.sipDomain);
  return {
    once: () => oneRun(database, events, client),
    stop: async () => {
      client.close();
      await ari('DELETE', `/asterisk/config/dynamic/res_pjsip/endpoint/${AOR}`);
      await ari('DELETE', `/asterisk/config/dynamic/res_pjsip/aor/${AOR}`);
      relay.stop();
      events.close();
      await database.query('DROP TABLE bench_floor');
      await database.end();
    },
  };
}

const fields = () => webrtcEndpointFields({ aor: AOR, permit: ['127.0.0.1'] });

async function oneRun(database: pg.Client, events: WebSocket, client: WebSocket): Promise<number> {
  const id = randomUUID();
  const invite = nextFrame(client, (text) => text.startsWith('INVITE '));
  const begun = performance.now();
  await database.query('INSERT INTO bench_floor VALUES ($1, now(), $2)', [id, { phase: 'connecting' }]);
  restOverSocket(events, 'POST', `channels/${id}`, {
    endpoint: `PJSIP/${AOR}`,
    app: 'bench-floor',
    formats: 'opus',
    timeout: '5',
  });
  const text = await invite;
  const tookMs = performance.now() - begun;
  const ack = nextFrame(client, (frame) => frame.startsWith('ACK '));
  client.send(reply(text, '486 Busy Here'));
  await ack;
  return tookMs;
}

function restOverSocket(socket: WebSocket, method: string, uri: string, query: Record<string, string>): void {
  const query_strings = Object.entries(query).map(([name, value]) => ({ name, value }));
  socket.send(JSON.stringify({ type: 'RESTRequest', request_id: randomUUID(), method, uri, query_strings }));
}

async function openAriSocket({ ari }: SandboxFile, app: string): Promise<WebSocket> {
  const key = `${encodeURIComponent(ari.user)}:${encodeURIComponent(ari.password)}`;
  const socket = new WebSocket(`${ari.url.replace('http', 'ws')}/ari/events?app=${app}&api_key=${key}`);
  await opened(socket);
  return socket;
}

function ariOf({ ari }: SandboxFile) {
  const authorization = `Basic ${Buffer.from(`${ari.user}:${ari.password}`).toString('base64')}`;
  return async (method: string, path: string, body?: unknown): Promise<void> => {
    const response = await fetch(`${ari.url}/ari${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(STEP_DEADLINE_MS),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  };
}

/** Passes frames and does nothing else. */
async function bareRelay(upstreamUrl: string): Promise<{ readonly url: string; stop(): void }> {
  const port = await freePort();
  const server = new WebSocketServer({ host: '127.0.0.1', port, handleProtocols: () => 'sip' });
  server.on('connection', (client) => {
    const upstream = new WebSocket(upstreamUrl, 'sip');
    const early: string[] = [];
    client.on('message', (data: Buffer) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(data.toString());
      else early.push(data.toString());
    });
    upstream.on('open', () => early.splice(0).forEach((text) => upstream.send(text)));
    upstream.on('message', (data: Buffer) => client.send(data.toString()));
    client.on('close', () => upstream.close());
  });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  return {
    url: `ws://127.0.0.1:${port}`,
    stop: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function registered(url: string, domain: string): Promise<WebSocket> {
  const socket = new WebSocket(url, 'sip');
  await opened(socket);
  const answer = nextFrame(socket, (text) => text.startsWith('SIP/2.0'));
  socket.send(
    [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/WS bench.invalid;branch=z9hG4bK${randomUUID()}`,
      'Max-Forwards: 70',
      `From: <sip:${AOR}@${domain}>;tag=${randomUUID()}`,
      `To: <sip:${AOR}@${domain}>`,
      `Call-ID: ${randomUUID()}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:${AOR}@bench.invalid;transport=ws>;expires=600`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  const text = await answer;
  if (!text.startsWith('SIP/2.0 200'))
    throw new Error(`REGISTER was answered: ${text.split('\r\n')[0] ?? ''}`);
  return socket;
}

function reply(request: string, status: string): string {
  const kept = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
  const to = request.split('\r\n').find((line) => /^To:/i.test(line)) ?? '';
  return [`SIP/2.0 ${status}`, ...kept, `${to};tag=${randomUUID()}`, 'Content-Length: 0', '', ''].join(
    '\r\n',
  );
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
}

function nextFrame(socket: WebSocket, fits: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.off('message', look);
      reject(new Error('the expected SIP message did not come'));
    }, STEP_DEADLINE_MS);
    const look = (data: Buffer): void => {
      const text = data.toString();
      if (!fits(text)) return;
      clearTimeout(timer);
      socket.off('message', look);
      resolve(text);
    };
    socket.on('message', look);
  });
}
