/** Endpoints and deliveries, whatever keeps them. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Instant } from '../../control-plane/src/domain/ids.ts';
import { filtersOf } from '../../control-plane/src/domain/webhook/event-filter.ts';
import type { MessageId, WebhookId } from '../../control-plane/src/domain/webhook/webhook-ids.ts';
import type {
  AttemptRecord,
  ClaimedDelivery,
  DeliveryQueue,
  Room,
  WebhookEndpointStore,
} from '../../control-plane/src/ports/webhook-store.ts';
import { MAX_WEBHOOKS } from '../../control-plane/src/ports/webhooks.ts';
import type { DeliveryFilter, WebhookSettings } from '../../control-plane/src/ports/webhooks.ts';
import type { OutboxEntry } from '../support/memory/memory-webhooks.ts';

export interface WebhookStorePorts {
  readonly webhookEndpoints: WebhookEndpointStore;
  readonly deliveryQueue: DeliveryQueue;
  commit(...entries: readonly OutboxEntry[]): Promise<void>;
}

const T0 = Date.UTC(2026, 5, 1) as Instant;
const after = (ms: number): Instant => (T0 + ms) as Instant;
const LEASE_MS = 30_000;
const WIDE: Room = { first: 10, again: 10 };
const SETTINGS: WebhookSettings = {
  url: 'https://receiver.example/hook',
  description: 'the backend',
  events: ['*'],
  enabled: true,
};
const ALL: DeliveryFilter = { state: null, type: null, before: null, limit: 100 };
const OWNER = 'backend:ham_rahi';
const SEALED = Buffer.from('sealed');

export function webhookStoreContract(name: string, open: () => WebhookStorePorts): void {
  describe(`webhook store on ${name}`, () => {
    const endpoints = (): WebhookEndpointStore => open().webhookEndpoints;
    const queue = (): DeliveryQueue => open().deliveryQueue;

    beforeEach(async () => {
      for (const { id } of await endpoints().list(null)) await endpoints().remove(id);
      while ((await queue().fanOut(1000, T0)) > 0);
    });

    const endpoint = async (settings: Partial<WebhookSettings> = {}, at = T0): Promise<WebhookId> => {
      const id = randomUUID() as WebhookId;
      expect(await endpoints().add(id, OWNER, { ...SETTINGS, ...settings }, SEALED, at)).to.equal(true);
      return id;
    };
    const event = (subject: string, subjectSeq: number, type = 'call.ringing'): OutboxEntry => ({
      subject,
      subjectSeq,
      type: type as OutboxEntry['type'],
      at: after(subjectSeq),
      data: { sessionId: subject, detail: { ms: 1.5 } },
    });
    const happen = async (...events: readonly OutboxEntry[]): Promise<void> => {
      await open().commit(...events);
      await queue().fanOut(1000, T0);
    };
    const claim = (now: Instant = T0, room = WIDE, busy = new Map<WebhookId, Room>(), owner = 'us') =>
      queue().claim({ owner, now, until: (now + LEASE_MS) as Instant, room, busy });
    const end = (
      { claim: of, webhookId, messageId, url }: ClaimedDelivery,
      then: AttemptRecord['then'],
      more: Partial<AttemptRecord> = {},
    ): AttemptRecord => {
      const result =
        then.state === 'delivered'
          ? { status: 204, reason: null }
          : { status: 500, reason: 'status' as const };
      return { claim: of, webhookId, messageId, url, at: after(50), ...result, then, isGone: false, ...more };
    };
    const again = (ms: number): AttemptRecord['then'] => ({ state: 'pending', dueAt: after(ms) });
    const told = (claimed: readonly ClaimedDelivery[]): string[] =>
      claimed.map(({ subject, sequence }) => `${subject}/${sequence}`);

    describe('endpoints', () => {
      it('are kept as they were said, oldest first', async () => {
        const one = await endpoint({ events: ['call.*', 'sos.resolved'], enabled: false });
        const two = await endpoint({ description: '' }, after(5));
        expect(await endpoints().find(one)).to.deep.equal({
          id: one,
          owner: OWNER,
          ...SETTINGS,
          events: ['call.*', 'sos.resolved'],
          enabled: false,
          disabledBecause: 'asked',
          createdAt: T0,
          changedAt: T0,
          previousSecretUntil: null,
        });
        expect((await endpoints().list(null)).map(({ id }) => id)).to.deep.equal([one, two]);
      });

      it('are each owner’s own, whatever becomes of them; who asks for all has all', async () => {
        const mine = await endpoint();
        const theirs = randomUUID() as WebhookId;
        await endpoints().add(theirs, 'backend:billing', SETTINGS, SEALED, after(1));
        const listed = async (owner: string | null) => (await endpoints().list(owner)).map(({ id }) => id);
        expect(await listed(OWNER)).to.deep.equal([mine]);
        expect(await listed('backend:billing')).to.deep.equal([theirs]);
        expect(await listed('backend:nobody')).to.deep.equal([]);
        expect(await listed(null)).to.deep.equal([mine, theirs]);
        const changed = [
          await endpoints().replace(theirs, { ...SETTINGS, description: 'new' }, after(2)),
          await endpoints().renewSecret(theirs, SEALED, after(9), after(3)),
        ];
        for (const one of changed) expect(one?.owner).to.equal('backend:billing');
      });

      it('are replaced, and gone with all their deliveries', async () => {
        const id = await endpoint();
        await happen(event('a', 1));
        const replaced = await endpoints().replace(id, { ...SETTINGS, events: ['sos.*'] }, after(9));
        expect(replaced).to.deep.include({ events: ['sos.*'], createdAt: T0, changedAt: after(9) });
        expect(await endpoints().remove(id)).to.equal(true);
        expect(await endpoints().remove(id)).to.equal(false);
        expect(await endpoints().find(id)).to.equal(null);
        expect(await endpoints().replace(id, SETTINGS, T0)).to.equal(null);
        expect(await endpoints().deliveries(id, ALL)).to.deep.equal([]);
        expect(await claim()).to.deep.equal([]);
      });

      it('are no more than there can be, also when they come at once', async () => {
        const added = await Promise.all(
          Array.from({ length: MAX_WEBHOOKS + 5 }, () =>
            endpoints().add(randomUUID() as WebhookId, OWNER, SETTINGS, SEALED, T0),
          ),
        );
        expect(added.filter(Boolean)).to.have.length(MAX_WEBHOOKS);
      });

      it('have two secrets for as long as a rotation says', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('b', 1));
        const renewed = await endpoints().renewSecret(id, Buffer.from('new'), after(100), after(1));
        expect(renewed?.previousSecretUntil).to.equal(after(100));
        const secrets = (claimed: readonly ClaimedDelivery[]) =>
          claimed.map(({ sealed, previousSealed }) => [
            Buffer.from(sealed).toString(),
            previousSealed && Buffer.from(previousSealed).toString(),
          ]);
        expect(secrets(await claim(after(99), { first: 1, again: 0 }))).to.deep.equal([['new', 'sealed']]);
        expect(secrets(await claim(after(100), { first: 1, again: 0 }))).to.deep.equal([['new', null]]);
        expect(await endpoints().renewSecret(randomUUID() as WebhookId, SEALED, T0, T0)).to.equal(null);
      });
    });

    describe('the outbox', () => {
      it('becomes a delivery for each endpoint that is enabled and wants it, and is empty', async () => {
        const calls = await endpoint({ events: ['call.*'] });
        const ended = await endpoint({ events: ['call.ended', 'sos.resolved'] });
        const off = await endpoint({ enabled: false });
        await open().commit(event('a', 1), event('a', 2, 'call.ended'), event('a', 2, 'sos.resolved'));
        expect(await queue().fanOut(2, T0), 'at most so many').to.equal(2);
        expect(await queue().fanOut(2, T0)).to.equal(1);
        expect(await queue().fanOut(2, T0)).to.equal(0);
        const typesOf = async (id: WebhookId) =>
          (await endpoints().deliveries(id, ALL)).map(({ type }) => type);
        expect(await typesOf(calls)).to.deep.equal(['call.ended', 'call.ringing']);
        expect(await typesOf(ended)).to.deep.equal(['sos.resolved', 'call.ended']);
        expect(await typesOf(off)).to.deep.equal([]);
        const [mine] = await endpoints().deliveries(calls, ALL);
        const theirs = await endpoints().deliveries(ended, { ...ALL, type: 'call.ended' });
        expect(mine!.messageId, 'one event, one id').to.equal(theirs[0]!.messageId);
        expect(mine!.messageId).to.match(/^msg_[0-9a-f-]{36}$/);
      });

      it('lets through what each filter says, and nothing that only looks like it', async () => {
        const filters = ['*', 'call.*', 'sos.*', 'call.ended', 'sos.alert', 'call', 'caller.*'];
        const types = [
          'call.ended',
          'call.ended-twice',
          'caller.ended',
          'sos.alert',
          'sos.alert-acknowledged',
        ];
        const ids = await Promise.all(filters.map((filter) => endpoint({ events: [filter] })));
        await happen(...types.map((type, n) => event(`s${n}`, 1, type)));
        for (const [n, id] of ids.entries()) {
          const told = (await endpoints().deliveries(id, ALL)).map(({ type }) => type).toReversed();
          expect(told, filters[n]).to.deep.equal(
            types.filter((type) => filtersOf(type).includes(filters[n]!)),
          );
        }
      });

      it('is taken once, by however many', async () => {
        const id = await endpoint();
        await open().commit(...Array.from({ length: 50 }, (_, n) => event(`s${n}`, 1)));
        const taken = await Promise.all(Array.from({ length: 4 }, () => queue().fanOut(1000, T0)));
        expect(taken.reduce((sum, one) => sum + one, 0)).to.equal(50);
        expect(await endpoints().deliveries(id, ALL)).to.have.length(50);
      });
    });

    describe('deliveries', () => {
      it('carry what happened', async () => {
        const id = await endpoint();
        await happen(event('a', 7));
        const [only] = await claim();
        expect(only).to.deep.include({
          webhookId: id,
          url: SETTINGS.url,
          type: 'call.ringing',
          subject: 'a',
          sequence: 7,
          at: after(7),
          data: { sessionId: 'a', detail: { ms: 1.5 } },
          attempts: 0,
          isFirst: true,
          previousSealed: null,
        });
        expect(Buffer.from(only!.sealed).toString()).to.equal('sealed');
      });

      it('of one subject come in order: the next when the first attempt of the one before has ended', async () => {
        await endpoint();
        await happen(event('a', 1), event('a', 2), event('b', 1), event('a', 3), event('a', 3, 'sos.active'));
        const first = await claim();
        expect(told(first)).to.deep.equal(['a/1', 'b/1']);
        expect(await claim(), 'while they are under way').to.deep.equal([]);
        await queue().record([end(first[0]!, { state: 'delivered' })]);
        const second = await claim();
        expect(told(second)).to.deep.equal(['a/2']);
        await queue().record([end(second[0]!, again(5000))]);
        expect(told(await claim()), 'one that failed holds nothing back').to.deep.equal(['a/3']);
      });

      it('to one endpoint wait for nothing of another', async () => {
        const one = await endpoint();
        const two = await endpoint();
        await happen(event('a', 1), event('a', 2));
        const claimed = await claim();
        expect(claimed.map(({ webhookId }) => webhookId)).to.have.members([one, two]);
        await queue().record([
          end(
            claimed.find(({ webhookId }) => webhookId === two)!,
            { state: 'delivered' },
          ),
        ]);
        expect((await claim()).map(({ webhookId }) => webhookId)).to.deep.equal([two]);
      });

      it('are as many at once as there is room, retries apart from first attempts', async () => {
        const id = await endpoint();
        await happen(...Array.from({ length: 6 }, (_, n) => event(`s${n}`, 1)));
        const failed = await claim(T0, { first: 3, again: 0 });
        expect(told(failed)).to.deep.equal(['s0/1', 's1/1', 's2/1']);
        await queue().record(failed.map((one) => end(one, again(10))));
        const room: Room = { first: 2, again: 2 };
        expect(told(await claim(after(9), room))).to.have.length(2);
        const busy = new Map([[id, { first: 2, again: 1 }]]);
        const more = await claim(after(10), room, busy);
        expect(more.map(({ isFirst, attempts }) => [isFirst, attempts])).to.deep.equal([[false, 1]]);
        expect(await claim(after(10), room, new Map([[id, room]]))).to.deep.equal([]);
      });

      it('are claimed once, by however many at a time', async () => {
        await endpoint();
        await endpoint();
        await happen(...Array.from({ length: 40 }, (_, n) => event(`s${n}`, 1)));
        const room: Room = { first: 40, again: 0 };
        const owners = ['one', 'two', 'three', 'four'];
        const claimed = await Promise.all(owners.map((owner) => claim(T0, room, new Map(), owner)));
        const keys = claimed.flat().map(({ webhookId, messageId }) => `${webhookId} ${messageId}`);
        expect(keys).to.have.length(80);
        expect(new Set(keys).size).to.equal(80);
      });

      it('that were begun are due again when their lease is over, and their late end counts for nothing', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('a', 2));
        const [lost] = await claim();
        expect(await claim(after(LEASE_MS - 1))).to.deep.equal([]);
        const [found] = await claim(after(LEASE_MS));
        expect(found!.messageId).to.equal(lost!.messageId);
        await queue().record([end(lost!, { state: 'failed' })]);
        expect((await endpoints().deliveries(id, ALL)).at(-1)).to.deep.include({
          state: 'pending',
          attempts: 0,
        });
        await queue().record([end(found!, { state: 'delivered' })]);
        expect(told(await claim(after(LEASE_MS)))).to.deep.equal(['a/2']);
      });

      it('that another process had begun are due at once for who takes over, and those given back', async () => {
        await endpoint();
        await happen(event('a', 1), event('b', 1));
        await claim(T0, { first: 1, again: 0 }, new Map(), 'dead');
        await claim(T0, WIDE, new Map(), 'us');
        expect(await queue().takeOver('us')).to.equal(1);
        expect(told(await claim())).to.deep.equal(['a/1']);
        await queue().giveBack('us');
        expect(told(await claim())).to.deep.equal(['a/1', 'b/1']);
      });

      it('tell what became of them', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('b', 1), event('c', 1, 'sos.active'), event('d', 1));
        const [a, b, c] = await claim(T0, { first: 3, again: 0 });
        await queue().record([
          end(a!, { state: 'delivered' }),
          end(b!, again(70), { status: null, reason: 'timeout' }),
          end(c!, { state: 'failed' }),
        ]);
        const list = await endpoints().deliveries(id, ALL);
        expect(
          list.map(({ subject }) => subject),
          'newest first',
        ).to.deep.equal(['d', 'c', 'b', 'a']);
        const base = {
          type: 'call.ringing',
          sequence: 1,
          at: after(1),
          attempts: 1,
          lastAttemptAt: after(50),
        };
        expect(list[3]).to.deep.include({
          ...base,
          subject: 'a',
          state: 'delivered',
          nextAttemptAt: null,
          lastStatus: 204,
          lastReason: null,
        });
        expect(list[2]).to.deep.include({
          ...base,
          state: 'pending',
          nextAttemptAt: after(70),
          lastStatus: null,
          lastReason: 'timeout',
        });
        expect(list[1]).to.deep.include({
          ...base,
          type: 'sos.active',
          state: 'failed',
          lastReason: 'status',
        });
        expect(list[0]).to.deep.include({
          state: 'pending',
          attempts: 0,
          nextAttemptAt: T0,
          lastAttemptAt: null,
        });
      });

      it('are listed page by page, by state and type', async () => {
        const id = await endpoint();
        await happen(
          ...Array.from({ length: 5 }, (_, n) => event(`s${n}`, 1, n === 2 ? 'sos.active' : 'call.ended')),
        );
        const [claimed] = await claim(T0, { first: 1, again: 0 });
        await queue().record([end(claimed!, { state: 'delivered' })]);
        const page = async (filter: Partial<DeliveryFilter>) =>
          endpoints().deliveries(id, { ...ALL, limit: 2, ...filter });
        const first = await page({});
        expect(first.map(({ subject }) => subject)).to.deep.equal(['s4', 's3']);
        const second = await page({ before: first[1]!.position });
        expect(second.map(({ subject }) => subject)).to.deep.equal(['s2', 's1']);
        expect((await page({ type: 'sos.active' })).map(({ subject }) => subject)).to.deep.equal(['s2']);
        expect((await page({ state: 'delivered' })).map(({ subject }) => subject)).to.deep.equal(['s0']);
        expect(await page({ state: 'failed' })).to.deep.equal([]);
      });

      it('are sent again by hand, whatever became of them, and hold nothing back by that', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('a', 2));
        const [one] = await claim();
        await queue().record([end(one!, { state: 'delivered' })]);
        expect(await endpoints().redeliver(id, one!.messageId, after(200))).to.deep.include({
          messageId: one!.messageId,
          state: 'pending',
          attempts: 0,
          nextAttemptAt: after(200),
        });
        const claimed = await claim(after(200));
        expect(claimed.map(({ sequence, isFirst }) => [sequence, isFirst])).to.deep.equal([
          [1, false],
          [2, true],
        ]);
        await endpoints().redeliver(id, one!.messageId, after(300));
        await queue().record([end(claimed[0]!, { state: 'delivered' })]);
        expect(told(await claim(after(300))), 'asked for while it was under way').to.deep.equal(['a/1']);
        const unknown = `msg_${randomUUID()}` as MessageId;
        expect(await endpoints().redeliver(id, unknown, T0)).to.equal(null);
        expect(await endpoints().redeliver(randomUUID() as WebhookId, one!.messageId, T0)).to.equal(null);
      });

      it('that are a test go to their endpoint alone, whatever it listens to', async () => {
        const id = await endpoint({ events: ['sos.*'] });
        await endpoint();
        const messageId = `msg_${randomUUID()}` as MessageId;
        expect(await endpoints().addTest(id, messageId, T0)).to.deep.include({
          messageId,
          type: 'webhook.test',
          sequence: 1,
          state: 'pending',
        });
        const claimed = await claim();
        expect(claimed).to.have.length(1);
        expect(claimed[0]).to.deep.include({ webhookId: id, messageId, data: { webhookId: id } });
        expect(await endpoints().addTest(randomUUID() as WebhookId, messageId, T0)).to.equal(null);
      });

      it('end with an endpoint that says 410, and go on when somebody enables it again', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('b', 1));
        const [one] = await claim(T0, { first: 1, again: 0 });
        await queue().record([end(one!, { state: 'failed' }, { status: 410, reason: 'gone', isGone: true })]);
        const disabled = { ...SETTINGS, enabled: false };
        expect(await endpoints().find(id)).to.deep.include({ enabled: false, disabledBecause: 'gone' });
        expect((await endpoints().replace(id, disabled, T0))?.disabledBecause).to.equal('gone');
        await happen(event('c', 1));
        expect(await claim()).to.deep.equal([]);
        const enabled = await endpoints().replace(id, SETTINGS, T0);
        expect(enabled).to.deep.include({ enabled: true, disabledBecause: null });
        expect(told(await claim()), 'what happened meanwhile is not kept').to.deep.equal(['b/1']);
      });

      it('leave an endpoint alone that has another URL by the time an old one says 410', async () => {
        const id = await endpoint();
        await happen(event('a', 1));
        const [one] = await claim();
        await endpoints().replace(id, { ...SETTINGS, url: 'https://moved.example/' }, after(1));
        await queue().record([end(one!, { state: 'failed' }, { status: 410, reason: 'gone', isGone: true })]);
        expect(await endpoints().find(id)).to.deep.include({ enabled: true });
      });

      it('are counted while they wait', async () => {
        await endpoint();
        await endpoint({ events: ['call.ended'] });
        expect(await queue().backlog()).to.deep.equal({
          outbox: 0,
          untried: 0,
          retrying: 0,
          oldestUntriedAt: null,
        });
        await happen(event('a', 3), event('b', 2), event('b', 4));
        const [one] = await claim(T0, { first: 1, again: 0 });
        await queue().record([end(one!, again(5))]);
        await open().commit(event('c', 9));
        expect(await queue().backlog()).to.deep.equal({
          outbox: 1,
          untried: 2,
          retrying: 1,
          oldestUntriedAt: after(2),
        });
      });

      it('are dropped when they were kept for long enough', async () => {
        const id = await endpoint();
        await happen(event('a', 1), event('b', 1), event('c', 1), event('d', 1));
        const [a, b, c] = await claim(T0, { first: 3, again: 0 });
        await queue().record([
          end(a!, { state: 'delivered' }),
          end(b!, { state: 'failed' }),
          end(c!, again(40)),
        ]);
        const left = async () => (await endpoints().deliveries(id, ALL)).map(({ subject }) => subject);
        expect(await queue().drop(after(50), T0)).to.equal(0);
        expect(await queue().drop(after(51), T0)).to.equal(1);
        expect(await left()).to.deep.equal(['d', 'c', 'b']);
        expect(await queue().drop(after(51), after(41)), 'due and left alone').to.equal(2);
        expect(await left()).to.deep.equal(['b']);
        expect(await queue().drop(after(51), after(51))).to.equal(1);
      });
    });
  });
}
