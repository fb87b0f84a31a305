import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import { AlertmanagerSender } from '../../../../control-plane/src/adapters/alert/alertmanager-sender.ts';
import { WebhookSender } from '../../../../control-plane/src/adapters/alert/webhook-sender.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import { AlertError } from '../../../../control-plane/src/ports/ops-alerts.ts';
import { alertNews } from '../../../support/alert-news.ts';
import { signatureOf, startAlertReceiver, type AlertReceiver } from '../../../support/alert-receiver.ts';

const SECRET = `whsec_${Buffer.from('a-key-that-only-the-tests-know').toString('base64')}`;
const PUBLIC = 'https://sos.example.in';

async function failureOf(work: Promise<void>): Promise<AlertError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AlertError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('adapters/alert: channels over HTTP', function () {
  this.timeout(20_000);
  let receiver: AlertReceiver;
  beforeEach(async () => {
    receiver = await startAlertReceiver();
  });
  afterEach(() => receiver.close());

  const webhook = (url = receiver.url): WebhookSender =>
    new WebhookSender({
      name: 'webhook-1',
      url,
      secret: new Secret(SECRET),
      publicUrl: PUBLIC,
      clock: systemClock(),
    });
  const alertmanager = (token: Secret | null = null): AlertmanagerSender =>
    new AlertmanagerSender({
      name: 'alertmanager-1',
      url: receiver.url.replace('/hook', '/am'),
      token,
      publicUrl: PUBLIC,
      clock: systemClock(),
    });

  it('TEL-8: a webhook gets what Alertmanager’s receivers get, version 4', async () => {
    await webhook().send([
      alertNews('raised'),
      alertNews('resolved', { kind: 'database-away', subject: 'database', severity: 'warning' }),
    ]);
    const [message] = receiver.messages;
    const body = message!.body as Record<string, unknown>;
    expect(body).to.deep.include({
      version: '4',
      status: 'firing',
      receiver: 'hamrahi',
      truncatedAlerts: 0,
      groupLabels: { service: 'hamrahi' },
      commonLabels: { service: 'hamrahi' },
      externalURL: PUBLIC,
    });
    expect(message!.alerts[0]).to.deep.include({
      status: 'firing',
      labels: {
        alertname: 'HamrahiTrunkDown',
        kind: 'trunk-down',
        subject: 'tata',
        severity: 'critical',
        service: 'hamrahi',
      },
      startsAt: '2026-11-20T21:30:00.250Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: PUBLIC,
    });
    expect(message!.alerts[0]?.annotations).to.deep.include({
      summary: 'Trunk tata is down: it does not answer OPTIONS.',
      news: 'raised',
    });
    expect(message!.alerts[1]).to.deep.include({ status: 'resolved', endsAt: '2026-11-20T21:42:00.000Z' });
    for (const { fingerprint } of message!.alerts) expect(fingerprint).to.match(/^[0-9a-f]{16}$/);
    await webhook().send([alertNews('resolved')]);
    expect(receiver.messages[1]?.body).to.deep.include({ status: 'resolved' });
    // The same alert has one fingerprint from its beginning to its end, though its severity has changed.
    await webhook().send([alertNews('resolved', { severity: 'warning' })]);
    const fingerprints = receiver.messages.map(({ alerts }) => alerts[0]?.fingerprint);
    expect(new Set(fingerprints).size).to.equal(1);
  });

  it('TEL-8: signed as Standard Webhooks has it; the same message has the same id, another one another', async () => {
    const sender = webhook();
    await sender.send([alertNews('raised')]);
    await sender.send([alertNews('raised')]);
    await sender.send([alertNews('resolved')]);
    for (const message of receiver.messages) {
      expect(message.headers['webhook-signature']).to.equal(signatureOf(message, SECRET));
      const ageS = Date.now() / 1000 - Number(message.headers['webhook-timestamp']);
      expect(ageS).to.be.within(-1, 5);
      expect(message.headers['content-type']).to.equal('application/json');
    }
    const ids = receiver.messages.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).to.equal(ids[1]);
    expect(ids[2]).to.not.equal(ids[0]);
  });

  it('TEL-8: Alertmanager’s own API gets an end in the future while it stands, and the real one then', async () => {
    await alertmanager(new Secret('token-of-the-tests')).send([alertNews('repeated'), alertNews('resolved')]);
    const [message] = receiver.messages;
    expect(message!.path).to.equal('/am/api/v2/alerts');
    expect(message!.headers.authorization).to.equal('Bearer token-of-the-tests');
    const [standing, over] = message!.alerts;
    expect(Date.parse(standing!.endsAt) - Date.now()).to.be.within(200_000, 241_000);
    expect(over).to.deep.include({
      startsAt: '2026-11-20T21:30:00.250Z',
      endsAt: '2026-11-20T21:42:00.000Z',
    });
    expect(standing!.labels['alertname']).to.equal('HamrahiTrunkDown');
    expect(alertmanager().resendMs).to.be.below(100_000);
  });

  const answers: readonly (readonly [number, string])[] = [
    [500, 'ERR_ALERT_REFUSED'],
    [404, 'ERR_ALERT_REFUSED'],
    [302, 'ERR_ALERT_REFUSED'],
    [401, 'ERR_ALERT_AUTH'],
    [403, 'ERR_ALERT_AUTH'],
  ];
  for (const [status, code] of answers)
    it(`an answer of ${status} is ${code}, and follows no redirect`, async () => {
      receiver.status = status;
      const error = await failureOf(webhook().send([alertNews('raised')]));
      expect(error.code).to.equal(code);
      expect(receiver.messages).to.have.length(1);
      expect(error.message).to.not.include('127.0.0.1');
    });

  it('nobody there is ERR_ALERT_UNREACHABLE, and the address is not told', async () => {
    await receiver.close();
    const error = await failureOf(webhook().send([alertNews('raised')]));
    expect(error.code).to.equal('ERR_ALERT_UNREACHABLE');
    expect(`${error.message} ${String(error.stack)}`).to.not.include('127.0.0.1');
  });

  it('a receiver that never answers is ERR_ALERT_TIMEOUT after ten seconds', async () => {
    receiver.status = 0;
    const startedAt = performance.now();
    const error = await failureOf(webhook().send([alertNews('raised')]));
    expect(error.code).to.equal('ERR_ALERT_TIMEOUT');
    expect(performance.now() - startedAt).to.be.within(9_500, 12_000);
  });

  it('what speaks no HTTP is a failure, too', async () => {
    const server = createServer((socket) => socket.end('220 hello\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const error = await failureOf(webhook(url).send([alertNews('raised')]));
      expect(error.code).to.equal('ERR_ALERT_UNREACHABLE');
    } finally {
      server.close();
    }
  });
});
