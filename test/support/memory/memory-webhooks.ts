/** Endpoints and deliveries in memory; the contract suite holds it to what PostgreSQL promises. */
import { randomUUID } from 'node:crypto';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import { filtersOf } from '../../../control-plane/src/domain/webhook/event-filter.ts';
import type { ClaimId, MessageId, WebhookId } from '../../../control-plane/src/domain/webhook/webhook-ids.ts';
import type { OutboxData, OutboxRow } from '../../../control-plane/src/ports/outbox.ts';
import type {
  AttemptRecord,
  ClaimedDelivery,
  ClaimOrder,
  DeliveryQueue,
  WebhookEndpointStore,
} from '../../../control-plane/src/ports/webhook-store.ts';
import { MAX_WEBHOOKS } from '../../../control-plane/src/ports/webhooks.ts';
import type { Delivery, Webhook, WebhookSettings } from '../../../control-plane/src/ports/webhooks.ts';

interface Endpoint {
  webhook: Webhook;
  sealed: Uint8Array;
  previousSealed: Uint8Array | null;
}

interface Row {
  readonly webhookId: WebhookId;
  readonly messageId: MessageId;
  readonly position: number;
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly at: Instant;
  readonly data: OutboxData;
  state: Delivery['state'];
  isUntried: boolean;
  attempts: number;
  dueAt: Instant;
  claim: { readonly id: ClaimId; readonly owner: string; readonly until: Instant } | null;
  lastAttemptAt: Instant | null;
  lastStatus: number | null;
  lastReason: Delivery['lastReason'];
}

export type OutboxEntry = Omit<OutboxRow, 'id'>;

export interface MemoryWebhooks {
  readonly webhookEndpoints: WebhookEndpointStore;
  readonly deliveryQueue: DeliveryQueue;
  /** As a transaction of something that happened does. */
  commit(...entries: readonly OutboxEntry[]): void;
}

export function memoryWebhooks(): MemoryWebhooks {
  const tables: Tables = { endpoints: new Map(), rows: [], outbox: [], last: 0 };
  return {
    webhookEndpoints: endpointStore(tables),
    deliveryQueue: deliveryQueue(tables),
    commit: (...entries) => {
      for (const entry of entries) tables.outbox.push({ ...entry, position: (tables.last += 1) });
    },
  };
}

interface Tables {
  readonly endpoints: Map<WebhookId, Endpoint>;
  rows: Row[];
  outbox: (OutboxEntry & { readonly position: number })[];
  last: number;
}

function endpointStore(tables: Tables): WebhookEndpointStore {
  const { endpoints } = tables;
  const change = (id: WebhookId, to: (endpoint: Endpoint) => void): Promise<Webhook | null> => {
    const endpoint = endpoints.get(id);
    if (endpoint) to(endpoint);
    return Promise.resolve(endpoint?.webhook ?? null);
  };
  return {
    add: (id, owner, settings, sealed, at) => {
      if (endpoints.size >= MAX_WEBHOOKS) return Promise.resolve(false);
      const webhook = {
        id,
        owner,
        ...settled(settings, null),
        createdAt: at,
        changedAt: at,
        previousSecretUntil: null,
      };
      endpoints.set(id, { webhook, sealed, previousSealed: null });
      return Promise.resolve(true);
    },
    list: (owner) => {
      const all = [...endpoints.values()].map(({ webhook }) => webhook);
      const isTheirs = (webhook: Webhook): boolean => webhook.owner === null || webhook.owner === owner;
      return Promise.resolve(owner === null ? all : all.filter(isTheirs));
    },
    find: (id) => Promise.resolve(endpoints.get(id)?.webhook ?? null),
    replace: (id, settings, at) =>
      change(id, (endpoint) => {
        const { webhook } = endpoint;
        endpoint.webhook = { ...webhook, ...settled(settings, webhook.disabledBecause), changedAt: at };
      }),
    renewSecret: (id, sealed, previousUntil, at) =>
      change(id, (endpoint) => {
        endpoint.previousSealed = endpoint.sealed;
        endpoint.sealed = sealed;
        endpoint.webhook = { ...endpoint.webhook, previousSecretUntil: previousUntil, changedAt: at };
      }),
    remove: (id) => {
      tables.rows = tables.rows.filter(({ webhookId }) => webhookId !== id);
      return Promise.resolve(endpoints.delete(id));
    },
    addTest: (id, messageId, at) => {
      if (!endpoints.has(id)) return Promise.resolve(null);
      const event = { type: 'webhook.test', subject: messageId, sequence: 1, at, data: { webhookId: id } };
      const row = rowOf(id, messageId, (tables.last += 1), event, at);
      tables.rows.push(row);
      return Promise.resolve(deliveryOf(row));
    },
    deliveries: (id, { state, type, before, limit }) =>
      Promise.resolve(
        tables.rows
          .filter((row) => row.webhookId === id && (before === null || row.position < Number(before)))
          .filter((row) => (state === null || row.state === state) && (type === null || row.type === type))
          .toSorted((a, b) => b.position - a.position)
          .slice(0, limit)
          .map(deliveryOf),
      ),
    redeliver: (id, messageId, at) => {
      const row = tables.rows.find((one) => one.webhookId === id && one.messageId === messageId);
      if (row)
        Object.assign(row, { state: 'pending', isUntried: false, attempts: 0, dueAt: at, claim: null });
      return Promise.resolve(row ? deliveryOf(row) : null);
    },
  };
}

function settled(settings: WebhookSettings, was: Webhook['disabledBecause']) {
  const disabledBecause: Webhook['disabledBecause'] = settings.enabled ? null : (was ?? 'asked');
  return { ...settings, disabledBecause };
}

function deliveryQueue(tables: Tables): DeliveryQueue {
  return {
    fanOut: (limit, now) => {
      const taken = tables.outbox.splice(0, limit);
      for (const { position, subjectSeq: sequence, ...event } of taken) {
        const messageId = `msg_${randomUUID()}` as MessageId;
        for (const { webhook } of tables.endpoints.values())
          if (webhook.enabled && filtersOf(event.type).some((filter) => webhook.events.includes(filter)))
            tables.rows.push(rowOf(webhook.id, messageId, position, { ...event, sequence }, now));
      }
      return Promise.resolve(taken.length);
    },
    claim: (order) => Promise.resolve(claimed(tables, order)),
    record: (ends) => {
      for (const end of ends) record(tables, end);
      return Promise.resolve();
    },
    takeOver: (owner) => {
      const found = tables.rows.filter(({ claim }) => claim !== null && claim.owner !== owner);
      for (const row of found) row.claim = null;
      return Promise.resolve(found.length);
    },
    giveBack: (owner) => {
      for (const row of tables.rows) if (row.claim?.owner === owner) row.claim = null;
      return Promise.resolve();
    },
    backlog: () => {
      const untried = tables.rows.filter(({ isUntried }) => isUntried);
      const waiting = untried.filter(({ webhookId }) => tables.endpoints.get(webhookId)?.webhook.enabled);
      const times = [...tables.outbox, ...waiting].map(({ at }) => at);
      return Promise.resolve({
        outbox: tables.outbox.length,
        untried: untried.length,
        retrying: tables.rows.filter(({ state, isUntried }) => state === 'pending' && !isUntried).length,
        oldestUntriedAt: times.length === 0 ? null : (Math.min(...times) as Instant),
      });
    },
    drop: (deliveredBefore, failedBefore) => {
      const isOver = ({ state, lastAttemptAt, dueAt, claim }: Row): boolean => {
        if (claim !== null) return false;
        if (state === 'pending') return dueAt < failedBefore;
        return (lastAttemptAt ?? dueAt) < (state === 'delivered' ? deliveredBefore : failedBefore);
      };
      const before = tables.rows.length;
      tables.rows = tables.rows.filter((row) => !isOver(row));
      return Promise.resolve(before - tables.rows.length);
    },
  };
}

function claimed(tables: Tables, { owner, now, until, room, busy }: ClaimOrder): ClaimedDelivery[] {
  return [...tables.endpoints.values()].flatMap((endpoint) => {
    const { webhook } = endpoint;
    if (!webhook.enabled) return [];
    const taken = busy.get(webhook.id) ?? { first: 0, again: 0 };
    const own = tables.rows.filter((row) => row.webhookId === webhook.id);
    const free = own.filter(({ claim }) => claim === null || claim.until <= now);
    const isHeld = (row: Row): boolean =>
      own.some((one) => one.isUntried && one.subject === row.subject && one.position < row.position);
    const first = free.filter((row) => row.isUntried && !isHeld(row));
    const again = free
      .filter(({ state, isUntried, dueAt }) => state === 'pending' && !isUntried && dueAt <= now)
      .toSorted((a, b) => a.dueAt - b.dueAt);
    const picked = [
      ...first.slice(0, Math.max(0, room.first - taken.first)),
      ...again.slice(0, Math.max(0, room.again - taken.again)),
    ].toSorted((a, b) => a.position - b.position);
    return picked.map((row) => {
      row.claim = { id: randomUUID() as ClaimId, owner, until };
      const { messageId, type, subject, sequence, at, data, attempts, isUntried: isFirst } = row;
      const signsToo = (webhook.previousSecretUntil ?? 0) > now;
      return {
        claim: row.claim.id,
        webhookId: webhook.id,
        url: webhook.url,
        sealed: endpoint.sealed,
        previousSealed: signsToo ? endpoint.previousSealed : null,
        ...{ messageId, type, subject, sequence, at, data, attempts, isFirst },
      };
    });
  });
}

function record(
  tables: Tables,
  { claim, webhookId, url, at, status, reason, then, isGone }: AttemptRecord,
): void {
  const row = tables.rows.find((one) => one.claim?.id === claim);
  if (row)
    Object.assign(row, {
      state: then.state,
      isUntried: false,
      attempts: row.attempts + 1,
      dueAt: then.state === 'pending' ? then.dueAt : row.dueAt,
      claim: null,
      lastAttemptAt: at,
      lastStatus: status,
      lastReason: reason,
    } satisfies Partial<Row>);
  const endpoint = tables.endpoints.get(webhookId);
  if (isGone && endpoint?.webhook.url === url && endpoint.webhook.enabled)
    endpoint.webhook = { ...endpoint.webhook, enabled: false, disabledBecause: 'gone', changedAt: at };
}

function rowOf(
  webhookId: WebhookId,
  messageId: MessageId,
  position: number,
  event: Pick<Row, 'type' | 'subject' | 'sequence' | 'at' | 'data'>,
  dueAt: Instant,
): Row {
  const { type, subject, sequence, at, data } = event;
  const fresh = { state: 'pending', isUntried: true, attempts: 0, claim: null } as const;
  const last = { lastAttemptAt: null, lastStatus: null, lastReason: null };
  return { webhookId, messageId, position, type, subject, sequence, at, data, dueAt, ...fresh, ...last };
}

function deliveryOf(row: Row): Delivery {
  const { messageId, type, subject, sequence, at, state, attempts } = row;
  const { lastAttemptAt, lastStatus, lastReason } = row;
  return {
    messageId,
    position: String(row.position),
    type,
    subject,
    sequence,
    at,
    state,
    attempts,
    nextAttemptAt: state === 'pending' ? row.dueAt : null,
    lastAttemptAt,
    lastStatus,
    lastReason,
  };
}
