import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { WebSocket } from 'ws';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { startEdge } from '../../../../control-plane/src/adapters/edge/start-edge.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import {
  realClock,
  SIP_DOMAIN,
  sipUrlOf,
  startEdgeLab,
  type EdgeLab,
  type EdgeLabOptions,
} from './edge-lab.ts';
import { RawClient } from './raw-client.ts';

interface Refused {
  readonly status: number;
  readonly problem: Record<string, unknown>;
}

describe('adapters/edge: the handshake', function () {
  this.timeout(20_000);
  let engine: GatewayEngine;
  let lab: EdgeLab;

  const start = async (options: EdgeLabOptions = {}): Promise<EdgeLab> =>
    (lab = await startEdgeLab(engine, options));
  const refusal = async (url: string, headers: Record<string, string> = {}): Promise<Refused> => {
    try {
      const client = await RawClient.connect({ url, aor: 'nobody', headers });
      client.terminate();
    } catch (error) {
      return error as Refused;
    }
    throw new Error('the edge let it in');
  };
  const url = (path = '/sip'): string => `ws://127.0.0.1:${lab.edge.port}${path}`;
  const app = { authorization: 'Bearer citizen-c1-d1', 'x-hamrahi-device': 'd1' };

  const open = async (allowHalfOpen = false): Promise<{ socket: Socket; closed: Promise<number> }> => {
    const socket = connect({ port: lab.edge.port, host: '127.0.0.1', allowHalfOpen });
    await new Promise((resolve) => socket.once('connect', resolve));
    const started = performance.now();
    socket.on('error', () => undefined);
    socket.resume();
    return {
      socket,
      closed: new Promise((resolve) => socket.once('close', () => resolve(performance.now() - started))),
    };
  };

  before(async () => (engine = await startTestEngine({ trunks: [sandboxTrunk(9)] })));
  afterEach(() => lab.stop());
  after(() => engine.stop());

  it('lets an app in by its bearer token and device, as the core says', async () => {
    await start();
    const client = await lab.connect('citizen-c1-d1');
    expect(client.socket.protocol).to.equal('sip');
    expect(lab.asked).to.deep.equal([{ kind: 'bearer', value: 'citizen-c1-d1', deviceId: 'd1' }]);
    expect(await client.register()).to.match(/^SIP\/2\.0 200 /);
  });

  it('lets a browser in by its ticket', async () => {
    await start();
    lab.admitAs = () =>
      Promise.resolve({
        aor: 'operator-o1-t1',
        role: 'operator',
        upstreamUrl: sipUrlOf(engine),
        sipDomain: SIP_DOMAIN,
      });
    const ticket = 'ticket-of-thirty-seconds';
    const client = await lab.connect('operator-o1-t1', { url: url(`/sip?ticket=${ticket}`), headers: {} });
    expect(lab.asked).to.deep.equal([{ kind: 'ticket', value: ticket }]);
    expect(await client.register()).to.match(/^SIP\/2\.0 200 /);
  });

  const UNASKED: readonly (readonly [string, string, Record<string, string>, number, string])[] = [
    ['another path', '/other', app, 404, 'ERR_EDGE_PATH'],
    ['no credential', '/sip', {}, 401, 'ERR_EDGE_CREDENTIAL_MISSING'],
    [
      'another kind of authorization',
      '/sip',
      { authorization: 'Basic YTpi' },
      401,
      'ERR_EDGE_CREDENTIAL_MISSING',
    ],
    ['a token without a device', '/sip', { authorization: 'Bearer t' }, 401, 'ERR_EDGE_DEVICE_MISSING'],
    ['a device that is no id', '/sip', { ...app, 'x-hamrahi-device': 'd-1' }, 401, 'ERR_EDGE_DEVICE_MISSING'],
    [
      'a token of 5000 characters',
      '/sip',
      { ...app, authorization: `Bearer ${'a'.repeat(5_000)}` },
      401,
      'ERR_EDGE_CREDENTIAL_MISSING',
    ],
    ['a ticket of three letters', '/sip?ticket=abc', {}, 401, 'ERR_EDGE_CREDENTIAL_MISSING'],
    [
      'a ticket with odd characters',
      `/sip?ticket=${encodeURIComponent('<script>alert(1)</script>')}`,
      {},
      401,
      'ERR_EDGE_CREDENTIAL_MISSING',
    ],
  ];
  for (const [what, path, headers, status, code] of UNASKED)
    it(`RTC-10: refuses ${what} with ${status} and does not ask the core`, async () => {
      await start();
      const { status: seen, problem } = await refusal(url(path), headers);
      expect(seen).to.equal(status);
      expect(problem).to.include({ status, code });
      expect(problem['detail']).to.be.a('string');
      expect(lab.asked).to.deep.equal([]);
      expect(lab.witness.refused).to.deep.equal([code]);
    });

  for (const status of [401, 403, 429, 503] as const)
    it(`RTC-10: passes on the core's refusal with ${status}`, async () => {
      await start();
      lab.admitAs = () => Promise.resolve({ status, code: 'ERR_AUTH_TOKEN_EXPIRED' });
      const seen = await refusal(url(), app);
      expect(seen.status).to.equal(status);
      expect(seen.problem).to.include({ code: 'ERR_AUTH_TOKEN_EXPIRED' });
    });

  it('says 503 when the core fails, and tells nobody why', async () => {
    await start();
    lab.admitAs = () => Promise.reject(new Error('password of the database'));
    const { status, problem } = await refusal(url(), app);
    expect(status).to.equal(503);
    expect(problem).to.include({ code: 'ERR_EDGE_CORE_UNAVAILABLE' });
    expect(JSON.stringify([problem, lab.witness.lines])).to.not.include('password');
  });

  it('refuses a WebSocket without the subprotocol sip', async () => {
    await start();
    const socket = new WebSocket(url(), 'xmpp', { headers: app });
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', () => undefined);
    });
    expect(status).to.equal(400);
  });

  it('answers a plain HTTP request with 426', async () => {
    await start();
    const response = await fetch(`http://127.0.0.1:${lab.edge.port}/sip`);
    expect(response.status).to.equal(426);
    expect(await response.json()).to.include({ code: 'ERR_EDGE_UPGRADE' });
  });

  it('says 503 when the engine accepts nobody', async () => {
    await start();
    lab.admitAs = () =>
      Promise.resolve({
        aor: 'citizen-c1-d1',
        role: 'citizen',
        upstreamUrl: 'ws://127.0.0.1:9/ws',
        sipDomain: SIP_DOMAIN,
      });
    const { status, problem } = await refusal(url(), app);
    expect(status).to.equal(503);
    expect(problem).to.include({ code: 'ERR_EDGE_UPSTREAM' });
    expect(lab.edge.lanes).to.equal(0);
  });

  it('says 503 within the deadline while no core answers, and existing sockets go on', async () => {
    await start({ limits: { admitDeadlineMs: 300 } });
    const client = await lab.connect('citizen-c1-d1');
    await lab.stopCore();
    const started = performance.now();
    const { status, problem } = await refusal(url(), app);
    expect(status).to.equal(503);
    expect(problem).to.include({ code: 'ERR_EDGE_CORE_UNAVAILABLE' });
    expect(performance.now() - started).to.be.within(250, 4_000);
    expect(await client.register()).to.match(/^SIP\/2\.0 200 /);
  });

  it('waits for a core that comes back in time, and tells it who is there', async () => {
    await start();
    await lab.connect('citizen-c1-d1');
    await lab.stopCore();
    const coming = lab.connect('citizen-c2-d1');
    const before = lab.notices.length;
    await lab.startCore();
    expect(await (await coming).register()).to.match(/^SIP\/2\.0 200 /);
    const told = lab.notices.slice(before).filter(({ type }) => type === 'opened');
    expect(told.map(({ aor }) => aor)).to.have.members(['citizen-c1-d1', 'citizen-c2-d1']);
  });

  it("gives a new device the place of the oldest of its identity that has no call, and takes nobody else's", async () => {
    await start({ limits: { maxSocketsPerIdentity: 2 } });
    const oldest = await lab.connect('citizen-c1-d1');
    const newer = await lab.connect('citizen-c1-d2');
    const other = await lab.connect('citizen-c2-d1');
    await lab.connect('citizen-c1-d3');
    expect(await oldest.end()).to.include({ code: 4006 });
    expect(lab.edge.lanes).to.equal(3);
    for (const client of [newer, other]) expect(client.socket.readyState).to.equal(WebSocket.OPEN);
  });

  for (const [kind, stolen, own] of [
    ['with an id', { id: 'stolen', issuedAt: null }, { id: 'hers', issuedAt: null }],
    ['without one', { id: null, issuedAt: 1_000 }, { id: null, issuedAt: 2_000 }],
  ] as const)
    it(`RTC-10: a thief who opens device after device ends his own, not those of a newer token ${kind}`, async () => {
      await start({ limits: { maxSocketsPerIdentity: 3 } });
      const admit = lab.admitAs;
      lab.admitAs = async (credential) => {
        const admission = await admit(credential);
        return 'aor' in admission
          ? { ...admission, token: admission.aor.includes('thief') ? stolen : own }
          : admission;
      };
      const hers = await lab.connect('operator-o1-hers');
      for (const n of [1, 2, 3, 4, 5]) await lab.connect(`operator-o1-thief${n}`);
      expect(hers.socket.readyState).to.equal(WebSocket.OPEN);
      const second = await lab.connect('operator-o1-hers2');
      expect(await second.register()).to.match(/^SIP\/2\.0 200 /);
      expect(hers.socket.readyState).to.equal(WebSocket.OPEN);
    });

  it('gives the place of a device that is away to a new one of the same identity', async () => {
    await start({ limits: { maxSocketsPerIdentity: 2 } });
    await lab.connect('operator-o1-t1');
    (await lab.connect('operator-o1-t2')).terminate();
    await lab.untilNotice('lost', 'operator-o1-t2');
    await lab.connect('operator-o1-t3');
    expect(lab.edge.lanes).to.equal(2);
  });

  it('cuts a refused client that does not hang up', async () => {
    await start();
    const { socket, closed } = await open(true);
    socket.write(
      'GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    // A socket that is destroyed answers further bytes with a reset.
    const prod = setInterval(() => socket.write('x'), 50);
    try {
      expect(await closed).to.be.within(900, 4_000);
    } finally {
      clearInterval(prod);
    }
  });

  it('lets one device open only so many sockets, and others in', async () => {
    await start({ limits: { maxOpenings: 3 } });
    for (let index = 0; index < 3; index += 1) await lab.connect('citizen-c1-d1');
    const { status, problem } = await refusal(url(), app);
    expect(status).to.equal(429);
    expect(problem).to.include({ code: 'ERR_EDGE_OPENINGS' });
    await lab.connect('citizen-c2-d1');
  });

  it("RTC-10: a thief's openings under her address by another token of hers keep her own out not once", async () => {
    await start({ limits: { maxOpenings: 3 } });
    const admit = lab.admitAs;
    let tokenId = 'stolen';
    lab.admitAs = async (credential) => {
      const admission = await admit(credential);
      return 'aor' in admission ? { ...admission, token: { id: tokenId, issuedAt: null } } : admission;
    };
    for (let index = 0; index < 3; index += 1) await lab.connect('citizen-c1-d1');
    expect(await refusal(url(), app)).to.include({ status: 429 });
    tokenId = 'hers';
    const hers = await lab.connect('citizen-c1-d1');
    expect(await hers.register()).to.match(/^SIP\/2\.0 200 /);
  });

  it('has only so many clients in all', async () => {
    await start({ limits: { maxSockets: 1 } });
    await lab.connect('citizen-c1-d1');
    const { status, problem } = await refusal(url(), { ...app, authorization: 'Bearer citizen-c2-d1' });
    expect(status).to.equal(503);
    expect(problem).to.include({ code: 'ERR_EDGE_BUSY' });
  });

  it('cuts who says nothing, and who says it a byte at a time', async () => {
    await start({ limits: { handshakeDeadlineMs: 300 } });
    const silent = await open();
    const slow = await open();
    slow.socket.write('GET /sip HTTP/1.1\r\nX: ');
    const drip = setInterval(() => slow.socket.write('a'), 40);
    try {
      expect(await silent.closed).to.be.within(250, 4_000);
      expect(await slow.closed).to.be.within(250, 4_000);
    } finally {
      clearInterval(drip);
    }
    expect(lab.witness.refused).to.include('ERR_EDGE_HANDSHAKE');
  });

  it('has only so many handshakes at once: who is slow makes room for who comes', async () => {
    await start({ limits: { handshakeDeadlineMs: 5000, maxPendingHandshakes: 2 } });
    const slow = [await open(), await open()];
    const third = await open();
    expect(await slow[0]?.closed).to.be.lessThan(4_000);
    await lab.connect('citizen-c1-d1');
    expect(await slow[1]?.closed).to.be.lessThan(4_000);
    expect(lab.witness.refused.filter((code) => code === 'ERR_EDGE_BUSY')).to.have.length(2);
    await lab.connect('citizen-c2-d1');
    third.socket.destroy();
  });

  it('waits for a TLS handshake no longer than for any other', async () => {
    await start();
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], { algorithm: 'sha256' });
    const edge = await startEdge({
      listen: { host: '127.0.0.1', port: 0 },
      tls: { cert: pem.cert, key: pem.private },
      coreUrls: [`ws://127.0.0.1:${lab.core.port}`],
      coreSecret: lab.secret,
      limits: { handshakeDeadlineMs: 300 },
      clock: realClock,
      log: lab.witness.log,
      metrics: lab.witness,
    });
    try {
      const silent = connect(edge.port, '127.0.0.1');
      silent.on('error', () => undefined);
      await new Promise((resolve) => silent.once('close', resolve));
    } finally {
      await edge.stop();
    }
  });

  it('RTC-10: TLS handshakes that nobody finishes keep no client out: the oldest go', async () => {
    await start();
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], { algorithm: 'sha256' });
    const edge = await startEdge({
      listen: { host: '127.0.0.1', port: 0 },
      tls: { cert: pem.cert, key: pem.private },
      coreUrls: [`ws://127.0.0.1:${lab.core.port}`],
      coreSecret: lab.secret,
      limits: { maxSockets: 10, maxPendingHandshakes: 10 },
      clock: realClock,
      log: lab.witness.log,
      metrics: lab.witness,
    });
    const silent = Array.from({ length: 60 }, () =>
      connect(edge.port, '127.0.0.1').on('error', () => undefined),
    );
    try {
      await Promise.all(silent.map((socket) => once(socket, 'connect')));
      const socket = new WebSocket(`wss://localhost:${edge.port}/sip`, 'sip', { headers: app, ca: pem.cert });
      await once(socket, 'open');
      socket.terminate();
    } finally {
      for (const socket of silent) socket.destroy();
      await edge.stop();
    }
  });

  it('speaks TLS when it is given a certificate', async () => {
    await start();
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], { algorithm: 'sha256' });
    const edge = await startEdge({
      listen: { host: '127.0.0.1', port: 0 },
      tls: { cert: pem.cert, key: pem.private },
      coreUrls: [`ws://127.0.0.1:${lab.core.port}`],
      coreSecret: lab.secret,
      clock: realClock,
      log: lab.witness.log,
      metrics: lab.witness,
    });
    try {
      const socket = new WebSocket(`wss://localhost:${edge.port}/sip`, 'sip', { headers: app, ca: pem.cert });
      await new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
      socket.terminate();
    } finally {
      await edge.stop();
    }
  });

  it('never writes a token or a ticket into its log', async () => {
    await start();
    lab.admitAs = () => Promise.resolve({ status: 401, code: 'ERR_AUTH_TOKEN_INVALID' });
    await refusal(url(), { authorization: 'Bearer very-secret-token', 'x-hamrahi-device': 'd1' });
    await refusal(url('/sip?ticket=very-secret-ticket-0001'));
    expect(lab.witness.lines.map(({ message }) => message)).to.include('edge refused');
    expect(JSON.stringify(lab.witness.lines)).to.not.include('very-secret');
  });
});
