/** A real SOS whose phones ring, as a backend on the other side of the webhooks hears of it. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { callEvent, sosEvent } from '../../control-plane/src/contracts/webhook-events.ts';
import { startReceiver, status } from '../support/webhook-receiver.ts';
import type { Received, WebhookReceiver } from '../support/webhook-receiver.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { Backend, newCallee } from './support/phone-calls.ts';
import { press, told } from './support/sos.ts';

/** Her app notices nothing: only the gateway's own deadlines act. */
const NO_MEDIA = { failIce: true, iceTimeoutMs: 60_000 } as const;
const TEL_3_MS = 2000;
const FALLBACK_MS = 12_000;

const lateBy = ({ at, timestamp }: Received): number => at - Date.parse(timestamp);

describe('e2e: webhooks', function () {
  this.timeout(60_000);
  const gateway = useGateway();
  const receivers: WebhookReceiver[] = [];
  const made: string[] = [];
  const secrets: string[] = [];

  const call = async (method: string, path: string, body?: unknown) => {
    const wishes = body === undefined ? {} : { body };
    const answer = await gateway.send(gateway.file.tokens.backend.token, method, path, wishes);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Readonly<Record<string, string>>;
  };
  /** A receiver that is told of these from now on. */
  const listen = async (events: readonly string[]) => {
    const receiver = await startReceiver();
    receivers.push(receiver);
    const { id, secret } = await call('POST', '/v1/webhooks', { url: receiver.url, events });
    made.push(id!);
    secrets.push(secret!);
    return { receiver, id: id!, secret: secret! };
  };
  afterEach(async () => {
    for (const id of made.splice(0)) await call('DELETE', `/v1/webhooks/${id}`);
    for (const receiver of receivers.splice(0)) await receiver.close();
  });
  it('TEL-3: tell within 2 s that her phone and the duty phone ring, are answered and end', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);
    const { receiver, secret } = await listen(['call.*', 'sos.*']);
    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-connected', FALLBACK_MS);
    await gateway.resolve(id);
    const ofCalls = ({ type, data }: Received): boolean =>
      type.startsWith('call.') && data['sessionId'] === id;
    const calls = await receiver.count(6, ofCalls, FALLBACK_MS);
    await receiver.next(({ type }) => type === 'sos.resolved');

    for (const leg of ['citizen-phone', 'operator-phone']) {
      const own = calls.filter(({ data }) => data['leg'] === leg);
      expect(
        own.map(({ type }) => type),
        leg,
      ).to.deep.equal(['call.ringing', 'call.answered', 'call.ended']);
      expect(own[2]!.data).to.deep.include({ outcome: 'completed' });
      expect(new Set(own.map(({ data }) => data['callId'])).size).to.equal(1);
    }
    const own = receiver.received.filter(({ data }) => data['sessionId'] === id);
    const sequences = own.map(({ data }) => Number(data['sequence']));
    expect(sequences, 'in order').to.deep.equal(sequences.toSorted((a, b) => a - b));
    expect(own.map(({ type }) => type)).to.include.members([
      'sos.activated',
      'sos.phone-connected',
      'sos.resolved',
    ]);
    const headersOf = ({ headers }: Received) => headers as Record<string, string>;
    for (const one of own) {
      expect(lateBy(one), one.type).to.be.within(-1, TEL_3_MS);
      const payload = new Webhook(secret).verify(one.text, headersOf(one));
      const schema = one.type.startsWith('call.') ? callEvent : sosEvent;
      expect(schema.parse(payload)).to.deep.equal(payload);
      expect(one.text, 'no number').not.to.include(citizen.phone!.slice(-10));
    }
    expect(new Set(own.map((one) => one.id)).size, 'each once').to.equal(own.length);
    const { deliveries } = (await call(
      'GET',
      `/v1/webhooks/${made[0]!}/deliveries?state=delivered&limit=200`,
    )) as unknown as {
      readonly deliveries: readonly { readonly id: string; readonly attempts: number }[];
    };
    expect(deliveries.map((one) => one.id)).to.include.members(own.slice(0, -1).map((one) => one.id));
    expect(await gateway.metric('hamrahi_webhook_delivery_ms_count', { attempt: 'first' })).to.be.at.least(
      own.length - 1,
    );
  });

  it('TEL-3: tell that nobody could be reached, and why', async () => {
    const district = await gateway.district();
    await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: '46' });
    const { receiver } = await listen(['call.failed']);
    const id = await press(citizen, district.location);
    const failed = await receiver.next(({ data }) => data['leg'] === 'citizen-phone', FALLBACK_MS);
    expect(failed.data).to.deep.include({ sessionId: id, outcome: 'busy', sipStatus: 486 });
    expect(lateBy(failed)).to.be.below(TEL_3_MS);
    expect(receiver.received.every(({ type }) => type === 'call.failed')).to.equal(true);
  });

  it('TEL-3: tell within 2 s of a call that was asked for, from its first ring to its end', async () => {
    const { receiver } = await listen(['call.*']);
    const backend = new Backend(gateway);
    const to = newCallee('00', 1);
    const { id } = await backend.call(to);
    await backend.when(id, 'answered/waiting');
    await backend.hangUp(id);
    const own = await receiver.count(3, ({ data }) => data['callId'] === id);
    expect(own.map(({ type }) => type)).to.deep.equal(['call.ringing', 'call.answered', 'call.ended']);
    for (const one of own) {
      expect(lateBy(one), one.type).to.be.within(-1, TEL_3_MS);
      expect(callEvent.parse(JSON.parse(one.text))).to.deep.equal(JSON.parse(one.text));
      expect(one.text).not.to.include(to.slice(-10));
    }
  });

  it('TEL-6: leave none of their secrets in the log', async () => {
    const { receiver, id } = await listen(['*']);
    const rotated = await call('POST', `/v1/webhooks/${id}/rotate-secret`, {});
    secrets.push(rotated['secret']!);
    await call('POST', `/v1/webhooks/${id}/test`);
    await receiver.next(({ type }) => type === 'webhook.test');
    const log = readFileSync(gateway.sandbox.controlPlane().logFile, 'utf8');
    expect(log).to.include('The secret of a webhook endpoint was rotated.');
    for (const secret of secrets) expect(log).not.to.include(secret.slice('whsec_'.length, -1));
  });

  it('are sent again under the same id, within seconds, when the gateway is killed in the middle of one', async () => {
    const { receiver, id } = await listen(['sos.resolved']);
    receiver.answer = () => undefined;
    await call('POST', `/v1/webhooks/${id}/test`);
    const lost = await receiver.next(({ type }) => type === 'webhook.test');
    await gateway.sandbox.controlPlane().kill();
    receiver.answer = status(204);
    await gateway.sandbox.restartControlPlane();
    const readyAt = performance.now();
    const [, again] = await receiver.count(2, ({ type }) => type === 'webhook.test');
    expect(performance.now() - readyAt).to.be.below(3000);
    expect(again!.id).to.equal(lost.id);
    expect(again!.text).to.equal(lost.text);
    await eventually('it is recorded', async () => {
      const page = (await call('GET', `/v1/webhooks/${id}/deliveries?state=delivered`)) as unknown as {
        readonly deliveries: readonly { readonly id: string }[];
      };
      return page.deliveries[0]?.id === lost.id ? true : null;
    });
  });
});
