import { expect } from 'chai';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { MailSender } from '../../../../control-plane/src/adapters/alert/mail-sender.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import { AlertError, type AlertErrorCode } from '../../../../control-plane/src/ports/ops-alerts.ts';
import { alertNews } from '../../../support/alert-news.ts';

const PASSWORD = 'pass/word';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | null;
}

describe('adapters/alert/mail-sender', function () {
  this.timeout(20_000);
  let certificate: { readonly cert: string; readonly key: string };
  const stops: (() => Promise<void>)[] = [];
  before(async () => {
    const made = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    certificate = { cert: made.cert, key: made.private };
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function mailServer(options: SMTPServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
    const mails: Mail[] = [];
    const server = new SMTPServer({
      ...certificate,
      authOptional: true,
      logger: false,
      onAuth: ({ username, password }, _session, done) => {
        if (username === 'alerts@x' && password === PASSWORD) done(null, { user: username });
        else done(new Error('wrong'));
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(parts).toString('utf8'),
            secure: session.secure,
            user: session.user === undefined ? null : String(session.user),
          });
          done();
        });
      },
      ...options,
    });
    // A client that goes away in the middle is no news here.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => server.close(() => resolve())));
    return { port: (server.server.address() as AddressInfo).port, mails };
  }

  function sender(url: string, more: { readonly ca?: string } = {}): MailSender {
    const mail = new MailSender({
      name: 'mail',
      url: new Secret(url),
      from: 'gateway@example.in',
      to: ['oncall@example.in', 'duty@example.in'],
      publicUrl: 'https://sos.example.in',
      ...more,
    });
    stops.push(() => {
      mail.close();
      return Promise.resolve();
    });
    return mail;
  }

  async function codeOf(work: Promise<void>): Promise<AlertErrorCode> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof AlertError)) throw error;
      expect(`${error.message} ${String(error.cause)}`).to.not.match(/example\.in|127\.0|localhost|pass/);
      return error.code;
    }
    throw new Error('it was taken');
  }

  it('TEL-8: writes what has come, in words, to everybody, by STARTTLS with name and password', async () => {
    const { port, mails } = await mailServer();
    const mail = sender(`smtp://alerts%40x:${encodeURIComponent(PASSWORD)}@localhost:${port}`, {
      ca: certificate.cert,
    });
    await mail.send([
      alertNews('raised'),
      alertNews('resolved', { kind: 'engine-away', subject: 'engine', summary: 'Asterisk\nwas away.' }),
    ]);
    expect(mails).to.have.length(1);
    const { text, ...envelope } = mails[0]!;
    expect(envelope).to.deep.equal({
      from: 'gateway@example.in',
      to: ['oncall@example.in', 'duty@example.in'],
      secure: true,
      user: 'alerts@x',
    });
    expect(text).to.match(/^Subject: \[FIRING\] trunk-down tata and 1 more\r$/m);
    expect(text).to.match(/^Auto-Submitted: auto-generated\r$/m);
    expect(text).to.match(/^X-Priority: 1/m);
    expect(text).to.include('FIRING  trunk-down  tata  (critical)');
    expect(text).to.include('Trunk tata is down: it does not answer OPTIONS.');
    expect(text).to.include('since 2026-11-20 21:30:00 UTC');
    expect(text).to.include('RESOLVED  engine-away  engine');
    expect(text).to.include('Asterisk was away.');
    expect(text).to.include('over 2026-11-20 21:42:00 UTC');
  });

  it('by TLS from the first byte, too', async () => {
    const { port, mails } = await mailServer({ secure: true });
    await sender(`smtps://localhost:${port}`, { ca: certificate.cert }).send([alertNews('repeated')]);
    expect(mails[0]).to.deep.include({ secure: true, user: null });
    expect(mails[0]?.text).to.match(/^Subject: \[STILL FIRING\] trunk-down tata\r$/m);
  });

  it('a certificate that nobody vouches for is not trusted', async () => {
    const { port, mails } = await mailServer({ secure: true });
    expect(await codeOf(sender(`smtps://localhost:${port}`).send([alertNews('raised')]))).to.be.oneOf([
      'ERR_ALERT_AUTH',
      'ERR_ALERT_UNREACHABLE',
    ]);
    expect(mails).to.deep.equal([]);
  });

  it('a wrong password is ERR_ALERT_AUTH', async () => {
    const { port } = await mailServer();
    const mail = sender(`smtp://alerts%40x:${'wrong'}@localhost:${port}`, { ca: certificate.cert });
    expect(await codeOf(mail.send([alertNews('raised')]))).to.equal('ERR_ALERT_AUTH');
  });

  it('a server that takes none of it is ERR_ALERT_REFUSED', async () => {
    const { port } = await mailServer({
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) => done(new Error('nobody of that name')),
    });
    expect(await codeOf(sender(`smtp://localhost:${port}`).send([alertNews('raised')]))).to.equal(
      'ERR_ALERT_REFUSED',
    );
  });

  it('nobody there is ERR_ALERT_UNREACHABLE', async () => {
    expect(await codeOf(sender('smtp://127.0.0.1:9').send([alertNews('raised')]))).to.equal(
      'ERR_ALERT_UNREACHABLE',
    );
  });

  it('a server that says nothing is ERR_ALERT_TIMEOUT', async () => {
    const server: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    stops.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    });
    const startedAt = performance.now();
    const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await codeOf(sender(url).send([alertNews('raised')]))).to.equal('ERR_ALERT_TIMEOUT');
    expect(performance.now() - startedAt).to.be.below(12_000);
  });
});
