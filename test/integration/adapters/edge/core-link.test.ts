import { connect, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import {
  startCoreLinkServer,
  type CoreLinkServer,
  type CoreLinkServerOptions,
} from '../../../../control-plane/src/adapters/edge-link/core-link-server.ts';
import { CoreLink } from '../../../../control-plane/src/adapters/edge/core-link.ts';
import { DEFAULT_EDGE_LIMITS } from '../../../../control-plane/src/adapters/edge/edge-limits.ts';
import type { Admission } from '../../../../control-plane/src/contracts/core-link.ts';
import { realClock, Witness } from './edge-lab.ts';

const SECRET = 'a secret of the deployment';
const ADMISSION: Admission = {
  aor: 'citizen-c1-d1',
  role: 'citizen',
  upstreamUrl: 'ws://127.0.0.1:8088/ws',
  sipDomain: 'sip.test',
};

describe('adapters/edge-link/core-link-server and adapters/edge/core-link', function () {
  this.timeout(10_000);
  const witness = new Witness();
  const links: CoreLink[] = [];
  const sockets: WebSocket[] = [];
  let server: CoreLinkServer | null = null;
  let told: string[] = [];

  it('cuts whoever has no secret and does not hang up, and has only so many of them', async () => {
    const { port } = await serve();
    const silent = Array.from({ length: 300 }, () =>
      connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
    );
    const closed = silent.map(async (socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    });
    for (const socket of silent.slice(0, 20))
      socket.write('GET /edge-link HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const prod = setInterval(() => silent.forEach((socket) => socket.writable && socket.write('x')), 100);
    const late = new Promise((resolve) => setTimeout(resolve, 6_000, 'still open').unref());
    try {
      expect(await Promise.race([Promise.all(closed).then(() => 'cut'), late])).to.equal('cut');
    } finally {
      clearInterval(prod);
      for (const socket of silent) socket.destroy();
    }
    expect(await link(port).admit({ kind: 'ticket', value: 't' })).to.include({ ok: true });
  });

  const serve = async (changes: Partial<CoreLinkServerOptions> = {}): Promise<CoreLinkServer> =>
    (server = await startCoreLinkServer({
      listen: { host: '127.0.0.1', port: 0 },
      secret: SECRET,
      onAdmit: () => Promise.resolve(ADMISSION),
      onStamp: ({ legId }) => told.push(`stamp ${legId}`),
      onSocket: ({ type, aor }) => told.push(`${type} ${aor}`),
      clock: realClock,
      log: witness.log,
      metrics: witness,
      ...changes,
    }));
  const link = (port: number | readonly number[], secret = SECRET, closed: string[] = []): CoreLink => {
    const made = new CoreLink(
      {
        urls: [port].flat().map((one) => `ws://127.0.0.1:${one}`),
        secret,
        present: () => [['citizen-present-d1', undefined]],
        onClose: ({ aor, code }) => closed.push(`${aor} ${code}`),
      },
      {
        limits: { ...DEFAULT_EDGE_LIMITS, admitDeadlineMs: 1_000 },
        localAddress: '127.0.0.1',
        clock: realClock,
        log: witness.log,
        metrics: witness,
      },
    );
    links.push(made);
    made.start();
    return made;
  };
  const raw = (port: number, headers: Record<string, string>, path = '/edge-link'): WebSocket => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    const deadline = performance.now() + 3_000;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error('it did not come to pass in time');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const ticket = { kind: 'ticket', value: 'ticket-0123456789' } as const;

  afterEach(async () => {
    for (const made of links.splice(0)) made.stop();
    for (const socket of sockets.splice(0)) socket.terminate();
    await server?.stop();
    server = null;
    told = [];
  });

  it('RTC-10: lets nobody attach without the secret', async () => {
    const { port } = await serve();
    const statuses = await Promise.all(
      [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer wrong' }, { authorization: SECRET }].map(
        (headers) =>
          new Promise((resolve) =>
            raw(port, headers).once('unexpected-response', (_request, response) =>
              resolve(response.statusCode),
            ),
          ),
      ),
    );
    expect(statuses).to.deep.equal([401, 401, 401, 401]);
    expect(server?.edges).to.equal(0);
  });

  it('answers each question with its own answer', async () => {
    const { port } = await serve({
      onAdmit: async ({ value }) => {
        await new Promise((resolve) => setTimeout(resolve, value.endsWith('slow') ? 60 : 0));
        return { ...ADMISSION, aor: value };
      },
    });
    const edge = link(port);
    const values = ['citizen-slow', 'citizen-fast', 'citizen-other-slow'];
    const outcomes = await Promise.all(
      values.map((value) => edge.admit({ kind: 'bearer', value, deviceId: 'd1' })),
    );
    expect(outcomes.map((outcome) => outcome.ok && outcome.admission.aor)).to.deep.equal(values);
  });

  it('gives up after its deadline with 503 when the core says nothing', async () => {
    const { port } = await serve({ onAdmit: () => new Promise<never>(() => undefined) });
    const started = performance.now();
    expect(await link(port).admit(ticket)).to.deep.equal({
      ok: false,
      status: 503,
      code: 'ERR_EDGE_CORE_UNAVAILABLE',
    });
    expect(performance.now() - started).to.be.within(950, 4_000);
  });

  it('ends the link of an edge whose message is not in the contract, and of that one only', async () => {
    const { port } = await serve();
    const good = link(port);
    for (const text of [
      'no json',
      '{}',
      '{"type":"admit","id":1}',
      '{"type":"stamp","legId":"x","kind":"other","at":1}',
      '[]',
    ]) {
      const socket = raw(port, { authorization: `Bearer ${SECRET}` });
      socket.once('open', () => socket.send(text));
      expect(await new Promise((resolve) => socket.once('close', resolve)), text).to.equal(1008);
    }
    expect(await good.admit(ticket)).to.include({ ok: true });
  });

  it('ends the link of an edge whose message is too large', async () => {
    const { port } = await serve();
    const socket = raw(port, { authorization: `Bearer ${SECRET}` });
    socket.once('open', () => socket.send('a'.repeat(100_000)));
    expect(await new Promise((resolve) => socket.once('close', resolve))).to.equal(1009);
  });

  it('tells every edge to close a client', async () => {
    const { port } = await serve();
    const closed: string[][] = [[], []];
    for (const list of closed) link(port, SECRET, list);
    await until(() => server?.edges === 2);
    server?.closeClient('citizen-c1-d1', 4403, 'x'.repeat(500));
    await until(() => closed.every((list) => list.includes('citizen-c1-d1 4403')));
  });

  it('keeps stamps and notices while no core is there, and then tells them in order', async () => {
    const { port } = await serve();
    const edge = link(port);
    await until(() => told.length === 1);
    await server?.stop();
    await until(() => !edge.connected);
    edge.stamp({ legId: 'leg-1', kind: 'offer-sent', at: 1 });
    edge.notice('lost', 'citizen-c1-d1');
    edge.stamp({ legId: 'leg-2', kind: 'refused', status: 486, at: 2 });
    told = [];
    await serve({ listen: { host: '127.0.0.1', port } });
    await until(() => told.length === 4);
    expect(told).to.deep.equal([
      'stamp leg-1',
      'lost citizen-c1-d1',
      'stamp leg-2',
      'opened citizen-present-d1',
    ]);
  });

  it('believes the edge by which a client came in last, and has the older socket closed', async () => {
    const { port } = await serve();
    const closed: string[] = [];
    const first = link(port, SECRET, closed);
    await until(() => first.connected);
    first.notice('opened', 'citizen-c1-d1');
    await until(() => told.includes('opened citizen-c1-d1'));
    const second = link(port);
    await until(() => second.connected);
    second.notice('opened', 'citizen-c1-d1');
    await until(() => closed.includes('citizen-c1-d1 4001'));
    told = [];
    first.notice('closed', 'citizen-c1-d1');
    first.notice('opened', 'citizen-c2-d1');
    await until(() => told.length > 0);
    expect(told).to.deep.equal(['opened citizen-c2-d1']);
    second.notice('closed', 'citizen-c1-d1');
    await until(() => told.includes('closed citizen-c1-d1'));
  });

  it('finds the core that serves among several, and the next one when that is gone', async () => {
    const opened: string[] = [];
    let standing = 'one';
    const core = (name: string) =>
      serve({ standsBy: () => standing !== name, onSocket: () => opened.push(name) });
    const first = await core('one');
    const firstServer = server;
    const second = await core('two');
    const edge = link([second.port, first.port]);
    await until(() => opened.includes('one'));
    expect(opened).to.not.include('two');
    standing = 'two';
    await firstServer?.stop();
    await until(() => opened.includes('two') && edge.connected);
  });

  it('leaves a core that answers no ping, and comes back to it', async () => {
    let attached = 0;
    const silent = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
    silent.on('connection', () => (attached += 1));
    try {
      await new Promise((resolve) => silent.once('listening', resolve));
      link((silent.address() as AddressInfo).port);
      await until(() => attached === 2);
    } finally {
      silent.close();
    }
  });
});
