/** Webhooks on real PostgreSQL with real HTTP: a database, and any number of nodes that deliver from it. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../control-plane/src/adapters/clock/system-clock.ts';
import { openDatabase } from '../../control-plane/src/adapters/postgres/open-database.ts';
import type { DatabaseOptions } from '../../control-plane/src/adapters/postgres/open-database.ts';
import { HttpWebhookSender } from '../../control-plane/src/adapters/webhook/http-sender.ts';
import { SealedSecrets } from '../../control-plane/src/adapters/webhook/sealed-secrets.ts';
import { createWebhooks } from '../../control-plane/src/app/webhooks/create-webhooks.ts';
import type { WebhookPorts, WebhookService } from '../../control-plane/src/app/webhooks/create-webhooks.ts';
import { Secret } from '../../control-plane/src/domain/secret.ts';
import type { WebhookId } from '../../control-plane/src/domain/webhook/webhook-ids.ts';
import type { Caller } from '../../control-plane/src/ports/gateway.ts';
import type { OutboxType } from '../../control-plane/src/ports/outbox.ts';
import type { DeliveryQueue } from '../../control-plane/src/ports/webhook-store.ts';
import type { Delivery, WebhookSettings } from '../../control-plane/src/ports/webhooks.ts';
import { keptLog } from './kept-log.ts';
import type { KeptLog } from './kept-log.ts';
import { commitOutbox } from './outbox-rows.ts';
import { silentMetrics } from './silent-metrics.ts';
import { testDatabase } from './test-database.ts';
import type { TestDatabase } from './test-database.ts';
import { startReceiver } from './webhook-receiver.ts';
import type { Answer, WebhookReceiver } from './webhook-receiver.ts';

const DAY_MS = 86_400_000;
export const BACKEND: Caller = { role: 'backend', subject: 'test', tokenId: null };
const DATA_KEY = new Secret(Buffer.alloc(32, 11).toString('base64'));

export interface LabNode extends WebhookService {
  /** Its process is gone without a word: nothing more is written by it. */
  die(): void;
}

export interface LabEndpoint {
  readonly id: WebhookId;
  readonly secret: string;
}

export class WebhookLab {
  readonly clock = systemClock();
  readonly log: KeptLog = keptLog();
  readonly alerts: string[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];
  #database: TestDatabase | null = null;

  get database(): TestDatabase {
    if (this.#database === null) throw new Error('the lab is not open');
    return this.#database;
  }

  async open(): Promise<void> {
    this.#database = await testDatabase();
    this.#closers.push(() => this.database.close());
  }

  /** Closed at the end, in reverse order. */
  keep(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }

  async receiver(answer?: Answer): Promise<WebhookReceiver> {
    const receiver = await startReceiver(answer);
    this.keep(() => receiver.close());
    return receiver;
  }

  /** Not started; stopped at the end. `options`: of its own connection to the database. */
  node(options: Partial<DatabaseOptions> = {}, change: Partial<WebhookPorts> = {}): LabNode {
    const own = openDatabase({ url: this.database.url, poolSize: 4, log: this.log, ...options });
    this.keep(() => own.close());
    let isDead = false;
    const service = createWebhooks({
      endpoints: own.webhookEndpoints,
      queue: mortal(own.deliveryQueue, () => isDead),
      sender: new HttpWebhookSender({
        allowedNetworks: ['127.0.0.0/8'],
        publicAllowed: false,
        allowHttp: true,
        clock: this.clock,
      }),
      secrets: new SealedSecrets(DATA_KEY),
      alerts: {
        raise: ({ kind, subject }) => void this.alerts.push(`raise ${kind} ${subject}`),
        resolve: (kind, subject) => void this.alerts.push(`resolve ${kind} ${subject}`),
      },
      kept: { deliveredMs: 7 * DAY_MS, failedMs: 30 * DAY_MS },
      newId: randomUUID,
      chance: Math.random,
      clock: this.clock,
      log: this.log,
      metrics: silentMetrics,
      ...change,
    });
    this.keep(() => service.stop());
    return { ...service, die: () => void (isDead = true) };
  }

  async endpoint(node: LabNode, url: string, settings: Partial<WebhookSettings> = {}): Promise<LabEndpoint> {
    const base = { description: '', events: ['*'], enabled: true };
    const made = await node.api.create(BACKEND, { ...base, ...settings, url });
    if (!made.ok) throw new Error(made.code);
    return { id: made.value.webhook.id, secret: made.value.secret.reveal() };
  }

  /** Something happened, now, to each of these. */
  async happen(...events: readonly { subject: string; seq: number; type?: OutboxType }[]): Promise<void> {
    const at = this.clock.now();
    const rows = events.map(({ subject, seq: subjectSeq, type = 'call.ringing' as const }) => {
      return { subject, subjectSeq, type, at, data: { sessionId: subject } };
    });
    await commitOutbox(this.database, rows);
  }

  async deliveries(node: LabNode, id: WebhookId): Promise<readonly Delivery[]> {
    const listed = await node.api.deliveries(BACKEND, id, {
      state: null,
      type: null,
      before: null,
      limit: 200,
    });
    if (!listed.ok) throw new Error(listed.code);
    return listed.value;
  }
}

/** Once its process is dead, nothing of it reaches the database, and nothing it asks is ever answered. */
function mortal(queue: DeliveryQueue, isDead: () => boolean): DeliveryQueue {
  const never = <T>(): Promise<T> => new Promise(() => undefined);
  return {
    fanOut: (limit, now) => (isDead() ? never() : queue.fanOut(limit, now)),
    claim: (order) => (isDead() ? never() : queue.claim(order)),
    record: (ends) => (isDead() ? never() : queue.record(ends)),
    takeOver: (owner) => (isDead() ? never() : queue.takeOver(owner)),
    giveBack: (owner) => (isDead() ? Promise.resolve() : queue.giveBack(owner)),
    backlog: () => queue.backlog(),
    drop: (deliveredBefore, failedBefore) => queue.drop(deliveredBefore, failedBefore),
  };
}
