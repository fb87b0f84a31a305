import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { WebSocketServer, type WebSocket } from 'ws';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { ari, type AriEvent } from '../../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import {
  AriConnection,
  type AriConnectionOptions,
} from '../../../../control-plane/src/adapters/asterisk/ari-connection.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import { startCuttableProxy, type CuttableProxy } from '../../../support/cuttable-proxy.ts';
import { startTestEngine } from '../../../support/gateway-engine.ts';
import { keptLog } from '../../../support/kept-log.ts';

const APP = 'connection-test';

describe('adapters/asterisk/ari-connection', function () {
  this.timeout(20_000);
  let engine: GatewayEngine;
  let proxy: CuttableProxy;
  const open: AriConnection[] = [];

  before(async function () {
    this.timeout(40_000);
    engine = await startTestEngine({ trunks: [], ariApp: APP });
    const url = new URL(engine.httpUrl);
    proxy = await startCuttableProxy({ host: url.hostname, port: Number(url.port) });
  });
  afterEach(async () => {
    proxy.refuse(false);
    await Promise.all(open.splice(0).map((connection) => connection.stop()));
  });
  after(async () => {
    await proxy.stop();
    await engine.stop();
  });

  const make = (options: Partial<AriConnectionOptions> = {}) => {
    const states: string[] = [];
    const events: AriEvent[] = [];
    const counted: string[] = [];
    const log = keptLog();
    const { user, password } = engine.settings.ari;
    const connection = new AriConnection(
      {
        url: `http://127.0.0.1:${proxy.port}/ari`,
        user,
        password,
        app: APP,
        clock: systemClock(),
        log,
        metrics: { count: (name) => counted.push(name), observe: () => undefined, gauge: () => undefined },
        ...options,
      },
      {
        onConnected: () => states.push('connected'),
        onLost: () => states.push('lost'),
        onReplaced: () => states.push('replaced'),
        onEvent: (event) => events.push(event),
      },
    );
    open.push(connection);
    return { connection, states, events, counted, log };
  };
  const until = async (what: string, isTrue: () => boolean, deadlineMs = 3_000): Promise<number> => {
    const startedAt = performance.now();
    while (!isTrue()) {
      if (performance.now() - startedAt > deadlineMs) throw new Error(`not in time: ${what}`);
      await delay(2);
    }
    return performance.now() - startedAt;
  };
  const connected = async (options: Partial<AriConnectionOptions> = {}) => {
    const made = make(options);
    made.connection.start();
    await until('connected', () => made.connection.state === 'connected');
    return made;
  };
  const ping = (connection: AriConnection) => connection.request(ari.asterisk.ping, {});

  it('refuses requests at once while it is not attached', async () => {
    const { connection } = make();
    expect(await ping(connection)).to.include({ ok: false, code: 'ERR_PBX_DISCONNECTED', httpStatus: null });
    connection.start();
    expect(await ping(connection)).to.include({ ok: false, code: 'ERR_PBX_DISCONNECTED' });
  });

  it('sends requests over the event socket and gets their answers, typed, many at once', async () => {
    const { connection, states } = await connected();
    const answers = await Promise.all(Array.from({ length: 200 }, () => ping(connection)));
    expect(answers.every((answer) => answer.ok && answer.value.ping === 'pong')).to.equal(true);
    const missing = await connection.request(ari.channels.get, { channelId: 'nobody' });
    expect(missing).to.deep.equal({
      ok: false,
      code: 'ERR_PBX_NOT_FOUND',
      httpStatus: 404,
      detail: 'GET /channels/{channelId}: 404',
    });
    expect(states).to.deep.equal(['connected']);
  });

  it('delivers events in the order of the answers around them', async () => {
    const { connection, events } = await connected();
    await connection.request(ari.applications.subscribe, { applicationName: APP, eventSource: ['bridge:'] });
    const bridge = { bridgeId: 'order-test' };
    await connection.request(ari.bridges.createWithId, { ...bridge, type: 'mixing' });
    await connection.request(ari.bridges.destroy, bridge);
    await until('both events', () => events.length === 2);
    expect(events.map(({ type }) => type)).to.deep.equal(['BridgeCreated', 'BridgeDestroyed']);
  });

  it('comes back by itself in less than a second, and fails what was under way', async () => {
    const { connection, states } = await connected();
    const underWay = ping(connection);
    proxy.cut();
    expect(await underWay).to.include({ ok: false, code: 'ERR_PBX_DISCONNECTED' });
    const tookMs = await until('connected again', () => states.length === 3);
    expect(states).to.deep.equal(['connected', 'lost', 'connected']);
    expect(tookMs).to.be.below(900);
    expect(await ping(connection)).to.include({ ok: true });
  });

  it('goes on trying at least once a second', async () => {
    const { connection, states } = await connected();
    proxy.refuse(true);
    proxy.cut();
    await delay(3_500);
    expect(connection.state).to.equal('connecting');
    expect(states).to.deep.equal(['connected', 'lost']);
    proxy.refuse(false);
    expect(await until('connected again', () => connection.state === 'connected')).to.be.below(2_500);
  });

  it('notices a socket that is silent, gives requests their own deadline, and connects anew', async () => {
    const { connection, states, counted } = await connected({
      requestTimeoutMs: 300,
      pingIntervalMs: 200,
      pongTimeoutMs: 600,
    });
    proxy.freeze('all');
    expect(await ping(connection)).to.include({ ok: false, code: 'ERR_PBX_TIMEOUT', httpStatus: null });
    await until('connected again', () => states.length === 3, 2_000);
    expect(states).to.deep.equal(['connected', 'lost', 'connected']);
    expect(counted).to.include('hamrahi_ari_ping_timeouts_total');
    expect(await ping(connection)).to.include({ ok: true });
  });

  it('stays up while nothing happens', async () => {
    const { states } = await connected({ pingIntervalMs: 100, pongTimeoutMs: 300 });
    await delay(1_500);
    expect(states).to.deep.equal(['connected']);
  });

  it('stops commanding when another connection takes the application, until it is told to take it back', async () => {
    const first = await connected();
    const second = await connected();
    await until('replaced', () => first.connection.state === 'replaced');
    expect(await ping(first.connection)).to.include({ ok: false, code: 'ERR_PBX_REPLACED' });
    await delay(300);
    expect(first.states).to.deep.equal(['connected', 'replaced']);
    const application = await second.connection.request(ari.applications.get, { applicationName: APP });
    expect(application.ok, 'the first one’s end leaves the application to the second').to.equal(true);
    first.connection.start();
    await until('taken back', () => second.connection.state === 'replaced');
    await until('connected again', () => first.connection.state === 'connected');
    expect(await ping(first.connection)).to.include({ ok: true });
  });

  it('holds a limit of requests in flight and of their size', async () => {
    const { connection } = await connected({ maxInFlight: 2 });
    const answers = await Promise.all([ping(connection), ping(connection), ping(connection)]);
    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.code))).to.deep.equal([
      'ok',
      'ok',
      'ERR_PBX_OVERLOAD',
    ]);
    const large = { variable: 'X', value: 'x'.repeat(40_000) };
    expect(await connection.request(ari.asterisk.setGlobalVar, large)).to.include({
      code: 'ERR_PBX_REFUSED',
    });
    expect(await ping(connection)).to.include({ ok: true });
  });

  it('does not get in with a wrong password, and says neither it nor a body in its log', async () => {
    const { connection, states, log } = make({ password: new Secret('not-the-password') });
    connection.start();
    await delay(500);
    expect(connection.state).to.equal('connecting');
    expect(states).to.deep.equal([]);
    expect(log.lines.join('\n')).to.not.include('not-the-password');
  });

  it('stops for good, also while it tries to connect', async () => {
    const { connection, states } = await connected();
    await connection.stop();
    proxy.refuse(true);
    const other = make();
    other.connection.start();
    await delay(100);
    await other.connection.stop();
    proxy.refuse(false);
    await delay(300);
    expect([connection.state, other.connection.state]).to.deep.equal(['stopped', 'stopped']);
    expect([...states, ...other.states]).to.deep.equal(['connected']);
    expect(await ping(connection)).to.include({ code: 'ERR_PBX_DISCONNECTED' });
  });

  describe('what no Asterisk sends', () => {
    let server: WebSocketServer;
    let sockets: WebSocket[] = [];

    beforeEach(async () => {
      sockets = [];
      server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      server.on('connection', (socket) => sockets.push(socket));
      await new Promise((resolve) => server.once('listening', resolve));
    });
    afterEach(() => {
      for (const socket of sockets) socket.terminate();
      server.close();
    });
    const attached = async () => {
      const { port } = server.address() as { port: number };
      return connected({ url: `http://127.0.0.1:${port}/ari` });
    };

    it('is counted, and harms nothing', async () => {
      const { states, events, counted, log } = await attached();
      const messages = [
        'no json +919812345678',
        '[]',
        'null',
        '{"type":7}',
        '{"type":"ChannelSangASong"}',
        '{"type":"RESTResponse"}',
        '{"type":"RESTResponse","request_id":"999","status_code":200}',
        '{"type":"ChannelCreated","channel":{"id":"x"}}',
      ];
      for (const message of messages) sockets[0]?.send(message);
      sockets[0]?.send(Buffer.from([0xff, 0xfe, 0x00]));
      await until('the last one', () => counted.filter((name) => name.includes('unreadable')).length === 5);
      expect(counted.filter((name) => name === 'hamrahi_ari_unknown_events_total')).to.have.length(1);
      expect(counted.filter((name) => name === 'hamrahi_ari_late_answers_total')).to.have.length(2);
      expect(events.map(({ type }) => type)).to.deep.equal(['ChannelCreated']);
      expect(states).to.deep.equal(['connected']);
      expect(log.lines.join('\n')).to.not.include('98123');
    });

    it('ends the socket when it is larger than any list of channels', async () => {
      const { states } = await attached();
      sockets[0]?.send('x'.repeat(17 * 1024 * 1024));
      await until('connected again', () => states.length === 3);
      expect(states).to.deep.equal(['connected', 'lost', 'connected']);
    });
  });
});
