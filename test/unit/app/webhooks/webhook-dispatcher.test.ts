import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { SealedSecrets } from '../../../../control-plane/src/adapters/webhook/sealed-secrets.ts';
import { createWebhooks } from '../../../../control-plane/src/app/webhooks/create-webhooks.ts';
import { LEASE_MS, ROOM } from '../../../../control-plane/src/app/webhooks/webhook-dispatcher.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { AttemptResult } from '../../../../control-plane/src/domain/webhook/judge-attempt.ts';
import type { WebhookId } from '../../../../control-plane/src/domain/webhook/webhook-ids.ts';
import type { Caller } from '../../../../control-plane/src/ports/gateway.ts';
import type { OpsAlert } from '../../../../control-plane/src/ports/ops-alerts.ts';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import type { ClaimedDelivery, DeliveryQueue } from '../../../../control-plane/src/ports/webhook-store.ts';
import type { WebhookSettings } from '../../../../control-plane/src/ports/webhooks.ts';
import { answered, FakeWebhookSender } from '../../../support/fake-webhook-sender.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { memoryWebhooks } from '../../../support/memory/memory-webhooks.ts';

const SETTINGS: WebhookSettings = {
  url: 'https://receiver.example/secret-path',
  description: '',
  events: ['*'],
  enabled: true,
};
const BACKEND: Caller = { role: 'backend', subject: 'test', tokenId: null };
const FAILING = { kind: 'webhook-failing', severity: 'warning', summary: 'It takes nothing.' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const forever = (): Promise<AttemptResult> => new Promise(() => undefined);

/** A node's webhooks over memory and a clock that the test winds. */
function node(
  stored = memoryWebhooks(),
  clock = manualClock(Date.UTC(2026, 5, 1)),
  change: Partial<DeliveryQueue> = {},
) {
  const sender = new FakeWebhookSender();
  const log = keptLog();
  const alerts: string[] = [];
  const observed: { name: string; value: number; labels: unknown }[] = [];
  const service = createWebhooks({
    endpoints: stored.webhookEndpoints,
    queue: { ...stored.deliveryQueue, ...change },
    sender,
    secrets: new SealedSecrets(new Secret(Buffer.alloc(32, 3).toString('base64'))),
    alerts: {
      raise: ({ kind, subject }: OpsAlert) => void alerts.push(`raise ${kind} ${subject}`),
      resolve: (kind, subject) => void alerts.push(`resolve ${kind} ${subject}`),
    },
    kept: { deliveredMs: 7 * DAY_MS, failedMs: 30 * DAY_MS },
    newId: randomUUID,
    chance: () => 0.5,
    clock,
    log,
    metrics: {
      count: (name, labels) => void observed.push({ name, value: 1, labels }),
      observe: (name, value, labels) => void observed.push({ name, value, labels }),
      gauge: (name, value, labels) => void observed.push({ name, value, labels }),
    },
  });
  const endpoint = async (settings: Partial<WebhookSettings> = {}): Promise<WebhookId> => {
    const made = await service.api.create(BACKEND, { ...SETTINGS, ...settings });
    if (!made.ok) throw new Error(made.code);
    return made.value.webhook.id;
  };
  const happen = (subject: string, subjectSeq: number): void => {
    stored.commit({
      subject,
      subjectSeq,
      type: 'call.ringing',
      at: clock.now(),
      data: { sessionId: subject },
    });
    service.nudge();
  };
  const settle = (): Promise<void> => clock.advance(0);
  const one = async (id: WebhookId) => {
    const listed = await service.api.deliveries(BACKEND, id, {
      state: null,
      type: null,
      before: null,
      limit: 10,
    });
    if (!listed.ok) throw new Error(listed.code);
    return listed.value[0]!;
  };
  /** Waits for what hangs no longer than it has to. */
  const stop = async (): Promise<void> => {
    const stopped = service.stop();
    await clock.advance(2000);
    await stopped;
  };
  /** Much time goes by, in which nothing of it was to be done but at its end. */
  const later = async (ms: number): Promise<void> => {
    clock.jump(ms);
    await clock.advance(2000);
  };
  return {
    ...service,
    stop,
    later,
    stored,
    clock,
    sender,
    log,
    alerts,
    observed,
    endpoint,
    happen,
    settle,
    one,
  };
}

describe('app/webhooks: the dispatcher', () => {
  it('TEL-3: tells at once what was committed, under one id, with ordered data', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 7);
    await gateway.settle();
    const [message] = gateway.sender.sent;
    expect(JSON.parse(message!.body)).to.deep.equal({
      type: 'call.ringing',
      timestamp: '2026-06-01T00:00:00.000Z',
      data: { sessionId: 'a', sequence: 7 },
    });
    expect(message).to.deep.include({ url: SETTINGS.url, at: gateway.clock.now() });
    expect(message!.secrets).to.have.length(1);
    expect(await gateway.one(id)).to.deep.include({
      state: 'delivered',
      messageId: message!.messageId,
      attempts: 1,
    });
    await gateway.stop();
  });

  it('finds within a second what nobody told it of', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.stored.commit({
      subject: 'a',
      subjectSeq: 1,
      type: 'call.ended',
      at: gateway.clock.now(),
      data: {},
    });
    await gateway.clock.advance(999);
    expect(gateway.sender.sent).to.have.length(0);
    await gateway.clock.advance(2);
    expect(gateway.sender.sent).to.have.length(1);
    await gateway.stop();
  });

  it('does nothing before its start and after its stop', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.happen('a', 1);
    await gateway.clock.advance(5000);
    expect(gateway.sender.sent).to.have.length(0);
    await gateway.stop();
    gateway.start();
    await gateway.settle();
    await gateway.stop();
    gateway.happen('a', 2);
    await gateway.clock.advance(5000);
    expect(gateway.sender.told).to.deep.equal(['a/1']);
  });

  it('TEL-3: retries by the schedule under the same id, and gives up for good', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.sender.answer = () => answered(500);
    gateway.start();
    await gateway.settle();
    const beganAt = gateway.clock.now();
    gateway.happen('a', 1);
    await gateway.clock.advance(50_000);
    const early = gateway.sender.sent.map(({ at }) => (at - beganAt) / 1000);
    expect(early).to.deep.equal([0, 1, 3, 8, 18, 48]);
    for (const hours of [0.02, 0.1, 0.6, 2.1, 5.1, 10.1, 14.1, 20.1, 24.1])
      await gateway.later(hours * HOUR_MS);
    expect(gateway.sender.sent).to.have.length(15);
    await gateway.later(10 * DAY_MS);
    expect(gateway.sender.sent).to.have.length(15);
    expect(new Set(gateway.sender.sent.map(({ messageId }) => messageId)).size).to.equal(1);
    expect(new Set(gateway.sender.sent.map(({ body }) => body)).size, 'the same text').to.equal(1);
    expect(await gateway.one(id)).to.deep.include({
      state: 'failed',
      attempts: 15,
      lastStatus: 500,
      lastReason: 'status',
      nextAttemptAt: null,
    });
    expect(gateway.log.lines.filter((line) => line.includes('given up'))).to.have.length(1);
    await gateway.stop();
  });

  it('waits as long as Retry-After says', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.sender.answer = () => answered(429, 7000);
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(6999);
    expect(gateway.sender.sent).to.have.length(1);
    await gateway.clock.advance(2);
    expect(gateway.sender.sent).to.have.length(2);
    await gateway.stop();
  });

  it('tells of one subject in order, and lets one that failed hold nothing back', async () => {
    const gateway = node();
    await gateway.endpoint();
    const gate = Promise.withResolvers<AttemptResult>();
    gateway.sender.answer = ({ body }) => (body.includes('"sequence":1}') ? gate.promise : answered(204));
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    gateway.happen('a', 2);
    gateway.happen('b', 5);
    gateway.happen('a', 3);
    await gateway.settle();
    expect(gateway.sender.told).to.deep.equal(['a/1', 'b/5']);
    gate.resolve(answered(500));
    await gateway.settle();
    expect(gateway.sender.told).to.deep.equal(['a/1', 'b/5', 'a/2', 'a/3']);
    await gateway.clock.advance(1001);
    expect(gateway.sender.told.slice(4)).to.deep.equal(['a/1']);
    await gateway.stop();
  });

  it('TEL-3: lets an endpoint that hangs delay nobody else, nor its own retries its first attempts', async () => {
    const gateway = node();
    await gateway.endpoint({ url: 'https://hangs.example/' });
    await gateway.endpoint({ url: 'https://quick.example/' });
    gateway.sender.answer = ({ url }) => (url.includes('hangs') ? forever() : answered(204));
    gateway.start();
    await gateway.settle();
    for (let n = 0; n < 500; n += 1) gateway.happen(`s${n}`, 1);
    await gateway.settle();
    const to = (host: string) => gateway.sender.sent.filter(({ url }) => url.includes(host)).length;
    expect(to('quick')).to.equal(500);
    expect(to('hangs')).to.equal(ROOM.first);
    await gateway.stop();
  });

  it('disables an endpoint that says 410, says so once to whoever is on call, and goes on when it is enabled', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.sender.answer = () => answered(410);
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(60_000);
    expect(gateway.sender.sent).to.have.length(1);
    const found = await gateway.api.find(BACKEND, id);
    expect(found.ok && found.value).to.deep.include({ enabled: false, disabledBecause: 'gone' });
    expect(gateway.alerts).to.deep.equal([`raise webhook-failing ${id}`]);
    gateway.sender.answer = () => answered(204);
    await gateway.api.replace(BACKEND, id, SETTINGS);
    expect(gateway.alerts.at(-1)).to.equal(`resolve webhook-failing ${id}`);
    gateway.happen('a', 2);
    await gateway.settle();
    expect(gateway.sender.told).to.deep.equal(['a/1', 'a/2']);
    await gateway.stop();
  });

  it('raises an alert when an endpoint keeps failing, and resolves it when it takes something', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.sender.answer = () => ({ kind: 'unanswered', reason: 'connect-timeout' });
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(14_000);
    expect(gateway.alerts, 'a restart is no alert').to.deep.equal([]);
    await gateway.clock.advance(6_000);
    expect(gateway.alerts).to.deep.equal([`raise webhook-failing ${id}`]);
    gateway.sender.answer = () => answered(200);
    await gateway.clock.advance(40_000);
    expect(gateway.alerts.slice(1)).to.deep.equal([`resolve webhook-failing ${id}`]);
    gateway.happen('a', 2);
    await gateway.settle();
    expect(gateway.alerts, 'told once').to.have.length(2);
    expect(gateway.log.lines.join('\n')).to.include('receiver.example').and.not.include('secret-path');
    await gateway.stop();
  });

  it('TEL-8: tells a process that takes over of an endpoint that is gone; it stands until somebody enables or removes it', async () => {
    const dead = node();
    const id = await dead.endpoint();
    dead.sender.answer = () => answered(410);
    dead.start();
    await dead.settle();
    dead.happen('a', 1);
    await dead.settle();
    await dead.stop();
    const next = node(dead.stored, dead.clock);
    next.start();
    await next.settle();
    expect(next.alerts).to.deep.equal([`raise webhook-failing ${id}`]);
    expect(next.minds({ ...FAILING, subject: id })).to.equal(true);
    await next.api.replace(BACKEND, id, { ...SETTINGS, enabled: false });
    expect(next.alerts, 'nothing is told there still').to.have.length(1);
    await next.api.replace(BACKEND, id, SETTINGS);
    expect(next.alerts.slice(1)).to.deep.equal([`resolve webhook-failing ${id}`]);
    expect(next.minds({ ...FAILING, subject: id })).to.equal(false);
    await next.stop();
  });

  it('TEL-8: an alert from before stands until its endpoint takes something, is changed or is not there', async () => {
    const gateway = node();
    const kept = { ...FAILING, subject: await gateway.endpoint() };
    const changed = { ...FAILING, subject: await gateway.endpoint() };
    const removed = { ...FAILING, subject: await gateway.endpoint() };
    const off = { ...FAILING, subject: await gateway.endpoint({ enabled: false }) };
    const unknown = { ...FAILING, subject: randomUUID() };
    const minded = () => [kept, changed, removed, off, unknown].map((alert) => gateway.minds(alert));
    expect(minded(), 'nobody has looked yet').to.deep.equal([true, true, true, true, true]);
    gateway.sender.answer = () => answered(500);
    gateway.start();
    await gateway.settle();
    expect(minded()).to.deep.equal([true, true, true, false, false]);
    await gateway.api.replace(BACKEND, changed.subject, { ...SETTINGS, enabled: false });
    await gateway.api.remove(BACKEND, removed.subject);
    gateway.happen('a', 1);
    await gateway.clock.advance(500);
    expect(minded()).to.deep.equal([true, false, false, false, false]);
    gateway.sender.answer = () => answered(204);
    await gateway.clock.advance(2000);
    expect(minded()).to.deep.equal([false, false, false, false, false]);
    await gateway.stop();
  });

  it('does not send what it cannot sign, and says why', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    await gateway.stored.webhookEndpoints.renewSecret(
      id,
      Buffer.from('sealed elsewhere'),
      0 as Instant,
      0 as Instant,
    );
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.settle();
    expect(gateway.sender.sent).to.have.length(0);
    expect(await gateway.one(id)).to.deep.include({ state: 'pending', lastReason: 'secret-unreadable' });
    await gateway.stop();
  });

  it('signs with both secrets while one is being rotated', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    const rotated = await gateway.api.rotateSecret(BACKEND, id, DAY_MS);
    gateway.happen('a', 1);
    await gateway.settle();
    await gateway.later(DAY_MS);
    gateway.happen('a', 2);
    await gateway.settle();
    const [during, afterwards] = gateway.sender.sent;
    expect(during!.secrets).to.have.length(2);
    expect(afterwards!.secrets).to.have.length(1);
    const fresh = rotated.ok ? rotated.value.secret.reveal() : '';
    expect(during!.secrets[0]!.reveal()).to.equal(fresh);
    expect(afterwards!.secrets[0]!.reveal()).to.equal(fresh);
    await gateway.stop();
  });

  it('goes on where a process that died left off, at once and under the same id', async () => {
    const dead = node();
    await dead.endpoint();
    dead.sender.answer = forever;
    dead.start();
    await dead.settle();
    dead.happen('a', 1);
    dead.happen('a', 2);
    await dead.settle();
    expect(dead.sender.told).to.deep.equal(['a/1']);
    const next = node(dead.stored, dead.clock);
    next.start();
    await next.settle();
    expect(next.sender.told).to.deep.equal(['a/1', 'a/2']);
    expect(next.sender.sent[0]!.messageId).to.equal(dead.sender.sent[0]!.messageId);
    expect(next.log.lines.join()).to.include('"found":1');
    await next.stop();
  });

  it('sends again what it had begun itself, when its lease is over and nothing came of it', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.sender.answer = forever;
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(LEASE_MS - 1);
    expect(gateway.sender.sent).to.have.length(1);
    gateway.sender.answer = () => answered(204);
    await gateway.clock.advance(1002);
    expect(gateway.sender.told).to.deep.equal(['a/1', 'a/1']);
    await gateway.stop();
  });

  it('at its stop waits for what ends soon, and gives the rest back', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    const gate = Promise.withResolvers<AttemptResult>();
    gateway.sender.answer = ({ body }) => (body.includes('"a"') ? gate.promise : forever());
    gateway.start();
    await gateway.settle();
    gateway.happen('b', 1);
    gateway.happen('a', 1);
    await gateway.settle();
    const stopped = gateway.stop();
    gate.resolve(answered(200));
    await stopped;
    expect(await gateway.one(id)).to.deep.include({ subject: 'a', state: 'delivered' });
    const next = node(gateway.stored, gateway.clock);
    next.start();
    await next.settle();
    expect(next.sender.told).to.deep.equal(['b/1']);
    await next.stop();
  });

  it('waits while the database is away, and loses and doubles nothing for it', async () => {
    const stored = memoryWebhooks();
    let isAway = false;
    const unless =
      <A extends readonly unknown[], T>(work: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        isAway ? Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'away')) : work(...args);
    const queue = stored.deliveryQueue;
    const gateway = node(stored, undefined, {
      fanOut: unless((...args) => queue.fanOut(...args)),
      claim: unless((order) => queue.claim(order)),
      record: unless((ends) => queue.record(ends)),
    });
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    const gate = Promise.withResolvers<AttemptResult>();
    gateway.sender.answer = () => gate.promise;
    gateway.happen('a', 1);
    await gateway.settle();
    isAway = true;
    gate.resolve(answered(204));
    gateway.happen('a', 2);
    await gateway.clock.advance(120_000);
    expect(gateway.sender.told).to.deep.equal(['a/1']);
    expect(gateway.log.lines.filter((line) => line.includes('wait for the database'))).to.have.length(1);
    isAway = false;
    await gateway.clock.advance(1001);
    expect(gateway.sender.told).to.deep.equal(['a/1', 'a/2']);
    expect(await gateway.one(id)).to.deep.include({ sequence: 2, state: 'delivered' });
    expect(gateway.log.lines.filter((line) => line.includes('webhooks go on'))).to.have.length(1);
    await gateway.stop();
  });

  it('tries again soon when others were in the way, and calls that no outage', async () => {
    const stored = memoryWebhooks();
    let conflicts = 2;
    const gateway = node(stored, undefined, {
      claim: (order) => {
        conflicts -= 1;
        if (conflicts >= 0) return Promise.reject(new StoreError('ERR_STORE_CONFLICT', 'a deadlock'));
        return stored.deliveryQueue.claim(order);
      },
    });
    await gateway.endpoint();
    gateway.stored.commit({
      subject: 'a',
      subjectSeq: 1,
      type: 'call.ended',
      at: gateway.clock.now(),
      data: {},
    });
    gateway.start();
    await gateway.clock.advance(150);
    expect(gateway.sender.sent).to.have.length(1);
    expect(gateway.log.lines.join()).not.to.include('wait for the database');
    await gateway.stop();
  });

  it('writes down what has ended although others were in the way, and sends nothing twice for that', async () => {
    const stored = memoryWebhooks();
    let conflicts = 2;
    const gateway = node(stored, undefined, {
      record: (ends) => {
        conflicts -= 1;
        if (conflicts >= 0) return Promise.reject(new StoreError('ERR_STORE_CONFLICT', 'a deadlock'));
        return stored.deliveryQueue.record(ends);
      },
    });
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    gateway.happen('a', 2);
    await gateway.clock.advance(150);
    expect(await gateway.one(id)).to.deep.include({ sequence: 2, state: 'delivered' });
    await gateway.clock.advance(2 * LEASE_MS);
    expect(gateway.sender.told).to.deep.equal(['a/1', 'a/2']);
    await gateway.stop();
  });

  it('offers again what could not be written down, although the database has answered others since', async () => {
    const stored = memoryWebhooks();
    const away = new StoreError('ERR_STORE_UNAVAILABLE', 'away');
    const failing = Promise.withResolvers<never>();
    const claiming = Promise.withResolvers<readonly ClaimedDelivery[]>();
    let claims = 0;
    let records = 0;
    const gateway = node(stored, undefined, {
      record: (ends) => ((records += 1) === 1 ? failing.promise : stored.deliveryQueue.record(ends)),
      claim: (order) => ((claims += 1) === 3 ? claiming.promise : stored.deliveryQueue.claim(order)),
    });
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    gateway.happen('a', 2);
    await gateway.settle();
    gateway.nudge();
    await gateway.settle();
    expect([claims, records]).to.deep.equal([3, 1]);
    failing.reject(away);
    await gateway.settle();
    claiming.resolve([]);
    await gateway.clock.advance(1500);
    expect(await gateway.one(id)).to.deep.include({ sequence: 2, state: 'delivered' });
    await gateway.clock.advance(2 * LEASE_MS);
    expect(gateway.sender.told).to.deep.equal(['a/1', 'a/2']);
    await gateway.stop();
  });

  it('sends nothing anew that has ended, however long the database does not take its end, and goes on', async () => {
    const stored = memoryWebhooks();
    let isBusy = true;
    const gateway = node(stored, undefined, {
      record: (ends) =>
        isBusy
          ? Promise.reject(new StoreError('ERR_STORE_CONFLICT', 'somebody keeps the row'))
          : stored.deliveryQueue.record(ends),
    });
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(3 * LEASE_MS);
    gateway.happen('b', 1);
    await gateway.clock.advance(3 * LEASE_MS);
    expect(gateway.sender.told).to.deep.equal(['a/1', 'b/1']);
    const asked = (await gateway.one(id)).messageId;
    await gateway.api.redeliver(BACKEND, id, asked);
    await gateway.clock.advance(100);
    expect(gateway.sender.told, 'unless somebody asks for it').to.deep.equal(['a/1', 'b/1', 'b/1']);
    isBusy = false;
    await gateway.clock.advance(1500);
    expect(gateway.sender.sent).to.have.length(3);
    const { api } = gateway;
    const listed = await api.deliveries(BACKEND, id, {
      state: 'delivered',
      type: null,
      before: null,
      limit: 9,
    });
    expect(listed.ok && listed.value.map(({ attempts }) => attempts)).to.deep.equal([1, 1]);
    await gateway.stop();
  });

  it('dates an attempt by the clock of the machine, against which its receiver holds it', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.clock.step(-3_600_000);
    gateway.happen('a', 1);
    await gateway.settle();
    expect(gateway.sender.sent[0]!.at).to.equal(gateway.clock.now() - 3_600_000);
    await gateway.stop();
  });

  it('stops for good when another node has taken over', async () => {
    const stored = memoryWebhooks();
    let asked = 0;
    const gateway = node(stored, undefined, {
      claim: () => {
        asked += 1;
        return Promise.reject(new StoreError('ERR_STORE_FENCED', 'fenced'));
      },
    });
    gateway.start();
    await gateway.clock.advance(10_000);
    expect(asked).to.equal(1);
    await gateway.stop();
  });

  it('goes on after a failure of its own making', async () => {
    const stored = memoryWebhooks();
    let breaks = true;
    const gateway = node(stored, undefined, {
      claim: (order) => (breaks ? Promise.reject(new TypeError('a bug')) : stored.deliveryQueue.claim(order)),
    });
    await gateway.endpoint();
    gateway.start();
    gateway.happen('a', 1);
    await gateway.clock.advance(3000);
    expect(gateway.log.lines.filter((line) => line.includes('a bug')).length).to.be.within(2, 5);
    breaks = false;
    await gateway.clock.advance(1001);
    expect(gateway.sender.told).to.deep.equal(['a/1']);
    await gateway.stop();
  });

  it('measures from the event to its delivery, and counts what waits', async () => {
    const gateway = node();
    await gateway.endpoint();
    gateway.sender.answer = () => answered(500);
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.clock.advance(10_001);
    gateway.sender.answer = () => answered(204);
    await gateway.clock.advance(10_000);
    gateway.happen('a', 2);
    await gateway.settle();
    const of = (name: string) => gateway.observed.filter((one) => one.name === name);
    expect(of('hamrahi_webhook_delivery_ms').map(({ value, labels }) => [value, labels])).to.deep.equal([
      [18_000, { attempt: 'later' }],
      [0, { attempt: 'first' }],
    ]);
    expect(of('hamrahi_webhook_attempts_total').map(({ labels }) => labels)).to.deep.include.members([
      { outcome: 'again' },
      { outcome: 'delivered' },
    ]);
    const retrying = of('hamrahi_webhook_backlog').filter(
      ({ labels }) => (labels as { of: string }).of === 'retrying',
    );
    expect(retrying.map(({ value }) => value)).to.deep.equal([0, 1, 0]);
    await gateway.stop();
  });

  it('keeps the log of deliveries for as long as it is told', async () => {
    const gateway = node();
    const id = await gateway.endpoint();
    gateway.start();
    await gateway.settle();
    gateway.happen('a', 1);
    await gateway.settle();
    await gateway.later(6 * DAY_MS);
    expect(await gateway.one(id)).to.deep.include({ state: 'delivered' });
    await gateway.later(1.1 * DAY_MS);
    expect(await gateway.one(id)).to.equal(undefined);
    await gateway.stop();
  });
});
