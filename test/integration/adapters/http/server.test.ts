import { expect } from 'chai';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import { SESSION_ID } from '../../../support/fake-gateway.ts';
import { labParts, startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

/** Everything that the server sends on this socket until it closes it. */
function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('adapters/http server', () => {
  let lab: HttpLab;
  beforeEach(async () => {
    lab = await startHttpLab();
  });
  afterEach(() => lab.close());

  const restart = async (...options: Parameters<typeof startHttpLab>) => {
    await lab.close();
    lab = await startHttpLab(...options);
  };

  describe('tells every refusal as a problem document with a stable code', () => {
    const cases: readonly (readonly [string, string, string, number, string])[] = [
      ['an unknown path', 'GET', '/v2/sos', 404, 'ERR_HTTP_NOT_FOUND'],
      ['an unknown page', 'GET', '/nothing.html', 404, 'ERR_HTTP_NOT_FOUND'],
      ['an id that is none', 'GET', '/v1/sos/42', 400, 'ERR_HTTP_VALIDATION'],
      ['another method', 'PATCH', '/v1/sos', 405, 'ERR_HTTP_METHOD'],
      ['broken percent-encoding', 'GET', '/v1/sos/%zz', 400, 'ERR_HTTP_MALFORMED_REQUEST'],
    ];
    for (const [what, method, path, status, code] of cases) {
      it(what, async () => {
        const response = await fetch(`${lab.url}${path}`, {
          method,
          headers: { Authorization: `Bearer ${await tokenFor('admin', 'root')}` },
        });
        expect(response.status).to.equal(status);
        expect(response.headers.get('content-type')).to.equal('application/problem+json');
        expect(await response.json()).to.include({ status, code, type: `urn:hamrahi:error:${code}` });
      });
    }

    it('names the methods that are possible', async () => {
      const answer = await lab.call('PATCH', '/v1/citizens/priya');
      expect(answer.headers.get('allow')).to.equal('PUT, GET, DELETE');
    });

    it('a body that is no JSON, of another type, or encoded', async () => {
      const token = await tokenFor('operator', 'akram');
      const path = `/v1/sos/${SESSION_ID}/resolve`;
      const code = async (raw: string, headers: Record<string, string>) =>
        (await lab.call('POST', path, { token, raw, headers })).code;
      expect(await code('{"reason":', {})).to.equal('ERR_HTTP_MALFORMED_JSON');
      expect(await code('reason=x', { 'Content-Type': 'application/x-www-form-urlencoded' })).to.equal(
        'ERR_HTTP_MEDIA_TYPE',
      );
      expect(await code('{}', { 'Content-Encoding': 'gzip' })).to.equal('ERR_HTTP_MEDIA_TYPE');
      expect(await code(JSON.stringify({ reason: 'x'.repeat(20_000) }), {})).to.equal(
        'ERR_HTTP_BODY_TOO_LARGE',
      );
      expect(lab.gateway.calls).to.deep.equal([]);
    });

    it('header fields that are too large', async () => {
      const socket = await rawSocket(lab.port);
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`);
      expect(await untilClosed(socket)).to.match(/^HTTP\/1.1 431 [^]*"code":"ERR_HTTP_HEADERS_TOO_LARGE"/);
    });

    it('what is no HTTP', async () => {
      const socket = await rawSocket(lab.port);
      socket.write('REGISTER sip:x SIP/2.0\r\n\r\n');
      expect(await untilClosed(socket)).to.match(/^HTTP\/1.1 400 [^]*"code":"ERR_HTTP_MALFORMED_REQUEST"/);
    });

    it('an upgrade where no WebSocket is served', async () => {
      const socket = await rawSocket(lab.port);
      socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      expect(await untilClosed(socket)).to.match(/^HTTP\/1.1 404 [^]*"code":"ERR_HTTP_NOT_FOUND"/);
    });
  });

  describe('bounds what a slow or greedy client takes', () => {
    it('cuts a client that never finishes its headers', async () => {
      await restart({ timeouts: { headersMs: 300, requestMs: 600 } });
      const socket = await rawSocket(lab.port);
      const startedAt = performance.now();
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('a'), 50);
      const text = await untilClosed(socket);
      clearInterval(drip);
      expect(text).to.match(/^HTTP\/1.1 408 [^]*"code":"ERR_HTTP_TIMEOUT"/);
      expect(performance.now() - startedAt).to.be.below(1500);
    });

    it('cuts a client whose upgrade was refused and who does not hang up', async () => {
      const socket = connect({ port: lab.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      const closed = untilClosed(socket);
      socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      // A socket that is destroyed answers further bytes with a reset.
      const prod = setInterval(() => socket.write('x'), 50);
      const startedAt = performance.now();
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, 'still open').unref());
      try {
        expect(await Promise.race([closed, late])).to.match(/^HTTP\/1.1 404 /);
        expect(performance.now() - startedAt).to.be.within(500, 4_000);
      } finally {
        clearInterval(prod);
        socket.destroy();
      }
    }).timeout(10_000);

    it('cuts a client whose body never ends', async () => {
      await restart({ timeouts: { headersMs: 200, requestMs: 400 } });
      const token = await tokenFor('operator', 'akram');
      const socket = await rawSocket(lab.port);
      socket.write(
        `POST /v1/sos/${SESSION_ID}/resolve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
      );
      expect(await untilClosed(socket)).to.match(/^HTTP\/1.1 408 /);
      expect(lab.gateway.calls).to.deep.equal([]);
    });

    it('cuts a client that sends without end', async () => {
      const token = await tokenFor('citizen', 'priya');
      const socket = await rawSocket(lab.port);
      let sent = 0;
      socket.write(
        `POST /v1/sos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      const pump = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += 0x4000;
        sent += 0x4000;
      };
      socket.on('drain', pump);
      pump();
      const text = await untilClosed(socket);
      expect(text, 'the activation itself was served').to.match(/^HTTP\/1.1 201 /);
      expect(sent).to.be.below(20_000_000);
    });

    it('takes no more connections than it may', async () => {
      await restart({ maxConnections: 2 });
      const token = await tokenFor('citizen', 'priya');
      const busy = async (): Promise<Socket> => {
        const socket = await rawSocket(lab.port);
        const head = `POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n`;
        // Answered once: it has shown its token, and is no stranger who may be cut for the next one.
        socket.write(`${head}\r\n{}`);
        await once(socket, 'data');
        socket.write(`${head}Expect: 100-continue\r\n\r\n`);
        await once(socket, 'data');
        return socket;
      };
      const [first, second] = [await busy(), await busy()];
      const third = connect(lab.port, '127.0.0.1');
      await untilClosed(third);
      expect((await lab.metrics.exposition()).text).to.contain('hamrahi_http_connections_dropped_total 1');
      first.destroy();
      second.destroy();
    });

    it('RTC-10 leaves strangers half of its connections: whoever fills them keeps no SOS out', async () => {
      await restart({ maxConnections: 40 });
      const slow: Socket[] = [];
      for (let index = 0; index < 60; index += 1) {
        const socket = await rawSocket(lab.port);
        socket.on('error', () => undefined);
        socket.write(index % 2 === 0 ? 'POST /v1/sos HTTP/1.1\r\nX-Slow: ' : '');
        slow.push(socket);
      }
      const token = await tokenFor('citizen', 'priya');
      const startedAt = performance.now();
      expect((await lab.call('POST', '/v1/sos', { token, body: {} })).status).to.equal(201);
      expect(performance.now() - startedAt).to.be.below(1000);
      const { text } = await lab.metrics.exposition();
      expect(text).to.match(/hamrahi_http_strangers_cut_total 4\d/);
      expect(text, 'none was turned away at the door').to.not.contain(
        'hamrahi_http_connections_dropped_total',
      );
      for (const socket of slow) socket.destroy();
    });

    it('gives up idle connections for those that ask: nobody shuts out an SOS by holding them all', async () => {
      await restart({ maxConnections: 50 });
      const own = await tokenFor('citizen', 'meera');
      const head = `GET /v1/client-config?deviceId=d1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${own}\r\n\r\n`;
      const idle: Socket[] = [];
      for (let index = 0; index < 50; index += 1) {
        const socket = await rawSocket(lab.port);
        const closed = untilClosed(socket);
        const answered = once(socket, 'data').catch(() => undefined);
        socket.write(head);
        await Promise.race([answered, closed]);
        idle.push(socket);
      }
      const token = await tokenFor('citizen', 'priya');
      expect((await lab.call('POST', '/v1/sos', { token, body: {} })).status).to.equal(201);
      expect(idle.filter(({ destroyed }) => destroyed)).to.have.length.above(30);
      for (const socket of idle) socket.destroy();
    });
  });

  it('closes though a client holds its connection open', async () => {
    const socket = await rawSocket(lab.port);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX: ');
    const closed = untilClosed(socket);
    const startedAt = performance.now();
    await lab.server.close(200);
    await closed;
    expect(performance.now() - startedAt).to.be.below(1000);
    lab = await startHttpLab();
  });

  it('serves TLS, tells browsers to stay with it, and takes a new certificate without a restart', async () => {
    const pem = async () => {
      const made = await generate([{ name: 'commonName', value: 'gateway.test' }], { keySize: 2048 });
      return { cert: made.cert, key: made.private };
    };
    await restart({ tls: await pem() });
    const get = () =>
      new Promise<{ status: number; fingerprint: string; hsts: unknown }>((resolve, reject) => {
        httpsRequest(
          { host: '127.0.0.1', port: lab.port, path: '/healthz', rejectUnauthorized: false, agent: false },
          (response) => {
            const { socket } = response as unknown as { socket: TLSSocket };
            response.resume();
            resolve({
              status: response.statusCode ?? 0,
              fingerprint: socket.getPeerCertificate().fingerprint256,
              hsts: response.headers['strict-transport-security'],
            });
          },
        )
          .on('error', reject)
          .end();
      });
    const before = await get();
    expect(before).to.include({ status: 200, hsts: 'max-age=31536000' });
    lab.server.renewTls(await pem());
    const after = await get();
    expect(after.status).to.equal(200);
    expect(after.fingerprint).not.to.equal(before.fingerprint);
  });

  describe('probes and documents', () => {
    it('is alive and ready', async () => {
      expect((await lab.call('GET', '/healthz')).status).to.equal(200);
      expect((await lab.call('GET', '/readyz')).body).to.deep.equal({
        ready: true,
        standby: false,
        degraded: false,
        checks: {
          engine: { ok: true, reason: null },
          database: { ok: true, reason: null },
          journal: { ok: true, entries: 0 },
          trunks: { ok: true, reason: null },
          alerting: { ok: false, reason: 'no channel for alerts is set' },
        },
      });
    });

    it('stays ready without its database, and says so: it acts from its journal', async () => {
      lab.gateway.healthy = { engine: true, database: false };
      lab.gateway.journal = { entries: 7, durable: false };
      const answer = await lab.call('GET', '/readyz');
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include({ ready: true, degraded: true });
      expect(answer.body).to.have.nested.property('checks.database.ok', false);
      expect(answer.body).to.have.deep.nested.property('checks.journal', { ok: false, entries: 7 });
    });

    it('stands by: says so, serves the probes, and refuses the rest and every upgrade with its own code', async () => {
      let isStandingBy = true;
      let upgraded = 0;
      const upgrades = new Map([
        [
          '/v1/panel/feed',
          (_request: unknown, socket: { end(): void }) => {
            upgraded += 1;
            socket.end();
          },
        ],
      ]);
      await restart({ standsBy: () => isStandingBy, upgrades });
      expect((await lab.call('GET', '/healthz')).status).to.equal(200);
      const ready = await lab.call('GET', '/readyz');
      expect([ready.status, ready.body]).to.deep.equal([
        503,
        {
          ready: false,
          standby: true,
          degraded: false,
          checks: {
            engine: { ok: true, reason: null },
            database: { ok: true, reason: null },
            journal: { ok: true, entries: 0 },
            trunks: { ok: true, reason: null },
            alerting: { ok: false, reason: 'no channel for alerts is set' },
          },
        },
      ]);
      const token = await tokenFor('citizen', 'priya');
      const refused = await lab.call('POST', '/v1/sos', { token, body: {} });
      expect([refused.status, refused.code]).to.deep.equal([503, 'ERR_GATEWAY_STANDBY']);
      expect(refused.headers.get('retry-after')).to.equal('1');
      const socket = await rawSocket(lab.server.port);
      const told = untilClosed(socket);
      socket.write(
        'GET /v1/panel/feed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      expect(await told).to.match(/^HTTP\/1\.1 503 [^]*ERR_GATEWAY_STANDBY/);
      expect(upgraded).to.equal(0);
      isStandingBy = false;
      expect((await lab.call('POST', '/v1/sos', { token, body: {} })).status).to.equal(201);
    });

    it('says what is missing when it is not ready', async () => {
      lab.gateway.healthy = { engine: false, database: true };
      const answer = await lab.call('GET', '/readyz');
      expect(answer.status).to.equal(503);
      expect(answer.body).to.have.nested.property('checks.engine.reason', 'the engine is not attached');
      lab.gateway.before = () => Promise.reject(new Error('down'));
      expect((await lab.call('GET', '/readyz')).status).to.equal(503);
      expect((await lab.call('GET', '/healthz')).status).to.equal(200);
    });

    it('serves its metrics, behind their own token where there is one', async () => {
      const open = await lab.call('GET', '/metrics');
      expect(open.headers.get('content-type')).to.match(/^text\/plain/);
      expect(open.text).to.contain('nodejs_eventloop_lag_seconds');
      await restart({ metricsToken: new Secret('a-token-for-metrics') });
      expect((await lab.call('GET', '/metrics')).code).to.equal('ERR_AUTH_INVALID');
      expect((await lab.call('GET', '/metrics', { token: 'a-token-for-metrics' })).status).to.equal(200);
    });

    it('serves the documents of its contracts', async () => {
      expect((await lab.call('GET', '/openapi.json')).body).to.have.property('openapi', '3.1.0');
      expect((await lab.call('GET', '/asyncapi.json')).body).to.have.property('asyncapi', '3.0.0');
    });
  });

  describe('pages', () => {
    let directory: string;
    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'pages-'));
      writeFileSync(join(directory, 'panel.html'), '<!doctype html><title>Panel</title>');
      writeFileSync(join(directory, '.secret'), 'hidden');
      await restart({ staticDir: directory });
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    it('may use only their own scripts, the microphone, and sockets to the gateway', async () => {
      const response = await fetch(`${lab.url}/panel`);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.match(/^text\/html/);
      const policy = response.headers.get('content-security-policy');
      expect(policy).to.contain("default-src 'none'").and.contain("script-src 'self'");
      expect(policy).to.contain("connect-src 'self' wss://gateway.test wss://edge.test;");
      expect(policy).not.to.contain('unsafe');
      expect(response.headers.get('permissions-policy'))
        .to.contain('microphone=(self)')
        .and.contain('camera=()');
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(response.headers.get('referrer-policy')).to.equal('no-referrer');
    });

    it('are all that is served from their directory', async () => {
      for (const path of ['/.secret', '/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json'])
        expect((await fetch(`${lab.url}${path}`)).status).to.be.oneOf([400, 403, 404]);
    });
  });

  describe('other origins', () => {
    it('may call the API when they are configured', async () => {
      await restart({ corsOrigins: ['https://panel.test'] });
      const ask = (origin: string) =>
        fetch(`${lab.url}/v1/tickets`, {
          method: 'OPTIONS',
          headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
        });
      const allowed = await ask('https://panel.test');
      expect(allowed.status).to.equal(204);
      expect(allowed.headers.get('access-control-allow-origin')).to.equal('https://panel.test');
      expect(allowed.headers.get('access-control-allow-headers')).to.contain('Authorization');
      const other = await ask('https://evil.test');
      expect(other.headers.get('access-control-allow-origin')).to.equal(null);
    });

    it('may not otherwise', async () => {
      const response = await fetch(`${lab.url}/healthz`, { headers: { Origin: 'https://panel.test' } });
      expect(response.headers.get('access-control-allow-origin')).to.equal(null);
    });
  });

  it('logs and counts requests by operation, never by their paths, tokens, queries or bodies', async () => {
    const token = await tokenFor('citizen', 'priya');
    const parts = labParts();
    await restart({}, parts);
    await lab.call('POST', '/v1/sos', { token, body: { deviceId: 'phone1', note: '+919811123456' } });
    await lab.call('GET', '/v1/client-config?deviceId=phone1', { token });
    await lab.call('GET', '/v1/citizens/geheim', { token });
    await lab.close();
    const lines = parts.log.lines.join('\n');
    expect(lines).to.contain('"operation":"activateSos","status":"201"');
    for (const secret of [token, 'phone1', '9811123456', 'geheim', 'Bearer'])
      expect(lines).not.to.contain(secret);
    const { text } = await parts.metrics.exposition();
    expect(text).to.contain('hamrahi_http_requests_total{operation="activateSos",status="201"} 1');
    expect(text).to.contain('hamrahi_http_request_ms_count{operation="getClientConfig"} 1');
    expect(text).not.to.contain('geheim');
    await restart();
  });
});
