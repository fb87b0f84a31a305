import { execFile } from 'node:child_process';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { HttpWebhookSender } from '../../../../control-plane/src/adapters/webhook/http-sender.ts';
import type { HttpSenderOptions } from '../../../../control-plane/src/adapters/webhook/http-sender.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { MessageId } from '../../../../control-plane/src/domain/webhook/webhook-ids.ts';
import type { WebhookMessage } from '../../../../control-plane/src/ports/webhook-sender.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { startReceiver, status } from '../../../support/webhook-receiver.ts';
import type { Answer, WebhookReceiver } from '../../../support/webhook-receiver.ts';

const SECRET = new Secret(`whsec_${Buffer.alloc(32, 5).toString('base64')}`);
const BODY = '{"type":"call.ringing","timestamp":"2026-06-01T00:00:00.000Z","data":{"sequence":1}}';
const answered = (code: number, retryAfterMs: number | null = null) => ({
  kind: 'answered',
  status: code,
  retryAfterMs,
});
const unanswered = (reason: string) => ({ kind: 'unanswered', reason });
const execute = promisify(execFile);

describe('adapters/webhook: the sender', function () {
  this.timeout(20_000);
  const closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const senderWith = (change: Partial<HttpSenderOptions> = {}): HttpWebhookSender => {
    const sender = new HttpWebhookSender({
      allowedNetworks: ['127.0.0.0/8'],
      publicAllowed: false,
      allowHttp: true,
      clock: systemClock(),
      ...change,
    });
    closers.push(() => sender.close());
    return sender;
  };
  const receiver = async (answer?: Answer): Promise<WebhookReceiver> => {
    const started = await startReceiver(answer);
    closers.push(() => started.close());
    return started;
  };
  const message = (url: string, change: Partial<WebhookMessage> = {}): WebhookMessage => ({
    url,
    messageId: 'msg_1' as MessageId,
    at: Date.now() as Instant,
    body: BODY,
    secrets: [SECRET],
    ...change,
  });
  /** Bytes on a socket, whatever HTTP says of them. */
  const rawServer = async (serve: (socket: Socket) => void): Promise<string> => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      serve(socket);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('TEL-3: posts the signed body, and its receiver can verify it', async () => {
    const { url, received } = await receiver();
    expect(await senderWith().send(message(url))).to.deep.equal(answered(204));
    const [only] = received;
    expect(only!.text).to.equal(BODY);
    expect(only!.headers['content-type']).to.equal('application/json');
    const headers = only!.headers as Record<string, string>;
    expect(new Webhook(SECRET.reveal()).verify(only!.text, headers)).to.deep.equal(JSON.parse(BODY));
    expect(only!.id).to.equal('msg_1');
  });

  it('tells the status, and what Retry-After asks for', async () => {
    const server = await receiver();
    const sender = senderWith();
    for (const code of [200, 202, 400, 410, 500]) {
      server.answer = status(code);
      expect(await sender.send(message(server.url))).to.deep.equal(answered(code));
    }
    server.answer = status(429, { 'retry-after': '17' });
    expect(await sender.send(message(server.url))).to.deep.equal(answered(429, 17_000));
    server.answer = status(503, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() });
    const dated = await sender.send(message(server.url));
    expect(dated.kind === 'answered' && dated.retryAfterMs).to.be.within(85_000, 90_000);
  });

  it('holds a date of Retry-After against the clock of the machine, which may have been set', async () => {
    const clock = manualClock(Date.UTC(2026, 5, 1));
    clock.step(3_600_000);
    const server = await receiver(status(503, { 'retry-after': 'Mon, 01 Jun 2026 01:00:30 GMT' }));
    expect(await senderWith({ clock }).send(message(server.url))).to.deep.equal(answered(503, 30_000));
  });

  it('follows no redirect', async () => {
    const target = await receiver();
    const { url } = await receiver(status(307, { location: target.url }));
    expect(await senderWith().send(message(url))).to.deep.equal(answered(307));
    expect(target.received).to.have.length(0);
  });

  it('uses a connection again, and repeats at once what one that had gone stale swallowed', async () => {
    const ports = new Set<number | undefined>();
    let isStale = false;
    const { url, received } = await receiver((_one, response, request) => {
      ports.add(request.socket.remotePort);
      if (isStale && ports.size === 1) request.socket.destroy();
      else response.writeHead(204).end();
    });
    const sender = senderWith();
    for (let n = 0; n < 3; n += 1) expect(await sender.send(message(url))).to.deep.equal(answered(204));
    expect(ports.size).to.equal(1);
    isStale = true;
    expect(await sender.send(message(url))).to.deep.equal(answered(204));
    expect(ports.size).to.equal(2);
    expect(received).to.have.length(5);
  });

  it('reads no more than a few kilobytes of an answer, however much comes', async () => {
    let written = 0;
    const cut = Promise.withResolvers<undefined>();
    const { url } = await receiver((_one, response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) written += 16_384;
      };
      response.on('drain', pour);
      response.on('close', () => cut.resolve(undefined));
      pour();
    });
    expect(await senderWith().send(message(url))).to.deep.equal(answered(200));
    await cut.promise;
    expect(written).to.be.below(20_000_000);
  });

  it('waits for no body of an answer that is known', async () => {
    const { url } = await receiver((_one, response) => void response.writeHead(200).write('slow'));
    const beganAt = performance.now();
    expect(await senderWith().send(message(url))).to.deep.equal(answered(200));
    expect(performance.now() - beganAt).to.be.below(900);
  });

  it('gives a receiver 15 s, to the second', async () => {
    const clock = manualClock();
    const server = await receiver(() => undefined);
    const sent = senderWith({ clock }).send(message(server.url));
    await server.next(() => true);
    await clock.advance(14_999);
    const late = await Promise.race([sent, Promise.resolve('waits')]);
    expect(late).to.equal('waits');
    await clock.advance(2);
    expect(await sent).to.deep.equal(unanswered('timeout'));
  });

  it('gives a connection 5 s: its name, its TCP, its TLS', async () => {
    const clock = manualClock();
    const asked = Promise.withResolvers<undefined>();
    const findAddresses = (): Promise<never> => {
      asked.resolve(undefined);
      return new Promise(() => undefined);
    };
    const unnamed = senderWith({ clock, findAddresses }).send(message('http://silent.example/'));
    const connected = Promise.withResolvers<undefined>();
    const silent = await rawServer(() => connected.resolve(undefined));
    const hung = senderWith({ clock }).send(message(`https://${silent}/`));
    await Promise.all([asked.promise, connected.promise]);
    await clock.advance(4999);
    expect(await Promise.race([unnamed, hung, Promise.resolve('wait')])).to.equal('wait');
    await clock.advance(2);
    expect(await unnamed).to.deep.equal(unanswered('connect-timeout'));
    expect(await hung).to.deep.equal(unanswered('connect-timeout'));
  });

  it('says why nobody answered', async () => {
    const sender = senderWith();
    const free = await rawServer(() => undefined);
    await closers.pop()?.();
    const cases: readonly (readonly [string, (socket: Socket) => void])[] = [
      ['malformed-answer', (socket) => socket.once('data', () => socket.end('SSH-2.0-none\r\n\r\n'))],
      [
        'malformed-answer',
        (socket) =>
          socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)),
      ],
      ['connection', (socket) => socket.once('data', () => socket.end())],
      ['connection', (socket) => socket.once('data', () => socket.resetAndDestroy())],
      [
        'connection',
        (socket) =>
          socket.once('data', () =>
            socket.write('HTTP/1.1 101 Up\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
          ),
      ],
      [
        'connection',
        (socket) =>
          socket.once('data', () => socket.end('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n')),
      ],
    ];
    for (const [reason, serve] of cases)
      expect(await sender.send(message(`http://${await rawServer(serve)}/`)), String(serve)).to.deep.equal(
        unanswered(reason),
      );
    expect(await sender.send(message(`http://${free}/`))).to.deep.equal(unanswered('connection'));
    const nobody = senderWith({ findAddresses: () => Promise.resolve([]) });
    expect(await nobody.send(message('http://nobody.example/'))).to.deep.equal(unanswered('unknown-host'));
    const failing = senderWith({ findAddresses: () => Promise.reject(new Error('SERVFAIL')) });
    expect(await failing.send(message('http://nobody.example/'))).to.deep.equal(unanswered('unknown-host'));
  });

  it('ends what is under way when it is closed', async () => {
    const server = await receiver(() => undefined);
    const sender = senderWith();
    const sent = sender.send(message(server.url));
    await server.next(() => true);
    sender.close();
    expect(await sent).to.deep.equal(unanswered('connection'));
  });

  describe('the guard', () => {
    it('refuses addresses in URLs at each attempt, not only when they are taken in', async () => {
      const { url, port, received } = await receiver();
      const strict = senderWith({ allowedNetworks: [], publicAllowed: true });
      for (const one of [
        url,
        `http://2130706433:${port}/`,
        `http://[::ffff:127.0.0.1]:${port}/`,
        `http://0x7f.1:${port}/`,
      ])
        expect(await strict.send(message(one)), one).to.deep.equal(unanswered('refused-address'));
      const tlsOnly = senderWith({ allowHttp: false });
      expect(await tlsOnly.send(message(url))).to.deep.equal(unanswered('refused-address'));
      expect(received).to.have.length(0);
    });

    it('looks at the address that is connected to: a name that changes its mind gains nothing', async () => {
      const server = await receiver();
      const answers = [['93.184.216.34'], ['127.0.0.1'], ['169.254.169.254'], ['::ffff:127.0.0.1'], ['::1']];
      const strict = senderWith({
        allowedNetworks: [],
        publicAllowed: true,
        findAddresses: () => Promise.resolve(answers.shift() ?? []),
      });
      expect(strict.refusal(`http://rebinding.example:${server.port}/`)).to.equal(null);
      answers.shift();
      while (answers.length > 0)
        expect(await strict.send(message(`http://rebinding.example:${server.port}/`))).to.deep.equal(
          unanswered('refused-address'),
        );
      expect(server.received).to.have.length(0);
    });

    it('connects to what is permitted among the addresses of a name', async () => {
      const server = await receiver();
      const sender = senderWith({
        findAddresses: () => Promise.resolve(['10.255.255.1', '::1', '127.0.0.1']),
      });
      expect(await sender.send(message(`http://several.example:${server.port}/`))).to.deep.equal(
        answered(204),
      );
    });
  });

  it('heeds no proxy of the environment', async () => {
    const { url, received } = await receiver();
    let proxied = 0;
    const proxy = await rawServer((socket) => {
      proxied += 1;
      socket.end();
    });
    const sender = resolve(
      import.meta.dirname,
      '../../../../control-plane/src/adapters/webhook/http-sender.ts',
    );
    const clock = resolve(
      import.meta.dirname,
      '../../../../control-plane/src/adapters/clock/system-clock.ts',
    );
    const secret = resolve(import.meta.dirname, '../../../../control-plane/src/domain/secret.ts');
    const script = `
      const { HttpWebhookSender } = await import(${JSON.stringify(sender)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      const { Secret } = await import(${JSON.stringify(secret)});
      const sender = new HttpWebhookSender({
        allowedNetworks: ['127.0.0.0/8'], publicAllowed: false, allowHttp: true, clock: systemClock(),
      });
      const secrets = [new Secret(${JSON.stringify(SECRET.reveal())})];
      const result = await sender.send({ url: process.argv[1], messageId: 'msg_2', at: Date.now(), body: '{"data":{}}', secrets });
      console.log(JSON.stringify(result));
      sender.close();`;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', script, url], {
      timeout: 15_000,
      env: {
        ...process.env,
        NODE_USE_ENV_PROXY: '1',
        http_proxy: `http://${proxy}`,
        HTTP_PROXY: `http://${proxy}`,
        HTTPS_PROXY: `http://${proxy}`,
        ALL_PROXY: `http://${proxy}`,
        NO_PROXY: '',
      },
    });
    expect(JSON.parse(stdout)).to.deep.equal(answered(204));
    expect(received).to.have.length(1);
    expect(proxied).to.equal(0);
  });

  describe('TLS', () => {
    const trusted = getCACertificates('default');
    after(() => setDefaultCACertificates(trusted));

    const tlsReceiver = async (name: string): Promise<{ url: string; cert: string; seen: string[] }> => {
      const pems = await generate([{ name: 'commonName', value: name }], {
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
      });
      const seen: string[] = [];
      const server = createTlsServer({ cert: pems.cert, key: pems.private }, (request, response) => {
        seen.push(String(request.headers.host));
        request.resume().on('end', () => response.writeHead(204).end());
      });
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      closers.push(() => {
        server.closeAllConnections();
        server.close();
      });
      return { url: `https://${name}:${(server.address() as AddressInfo).port}/`, cert: pems.cert, seen };
    };
    const found = { findAddresses: () => Promise.resolve(['127.0.0.1']) };

    it('delivers to the holder of a certificate that is trusted, by the name in the URL', async () => {
      const { url, cert, seen } = await tlsReceiver('receiver.example');
      setDefaultCACertificates([...trusted, cert]);
      const sender = senderWith(found);
      expect(await sender.send(message(url))).to.deep.equal(answered(204));
      expect(seen).to.deep.equal([new URL(url).host]);
    });

    it('delivers to nobody else', async () => {
      setDefaultCACertificates(trusted);
      const stranger = await tlsReceiver('receiver.example');
      expect(await senderWith(found).send(message(stranger.url))).to.deep.equal(unanswered('tls'));
      const other = await tlsReceiver('other.example');
      setDefaultCACertificates([...trusted, other.cert]);
      const misnamed = other.url.replace('other.example', 'receiver.example');
      expect(await senderWith(found).send(message(misnamed))).to.deep.equal(unanswered('tls'));
      const plain = await rawServer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
      );
      expect(await senderWith().send(message(`https://${plain}/`))).to.deep.equal(unanswered('tls'));
      expect([...stranger.seen, ...other.seen]).to.deep.equal([]);
    });
  });
});
