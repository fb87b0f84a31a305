/** The durable home of webhooks: endpoints, and one delivery for each event and endpoint. Errors throw `StoreError`. */
import type { Instant } from '../domain/ids.ts';
import type { AttemptReason } from '../domain/webhook/judge-attempt.ts';
import type { ClaimId, MessageId, WebhookId } from '../domain/webhook/webhook-ids.ts';
import type { OutboxData } from './outbox.ts';
import type { Delivery, DeliveryFilter, Webhook, WebhookSettings } from './webhooks.ts';

export interface WebhookEndpointStore {
  /** `false`: there are `MAX_WEBHOOKS` already. `sealed`: the secret as `WebhookSecrets` gives it. */
  add(
    id: WebhookId,
    owner: string,
    settings: WebhookSettings,
    sealed: Uint8Array,
    at: Instant,
  ): Promise<boolean>;
  /** Oldest first. Those of an owner, and those that have none; `null`: all of them. */
  list(owner: string | null): Promise<readonly Webhook[]>;
  find(id: WebhookId): Promise<Webhook | null>;
  replace(id: WebhookId, settings: WebhookSettings, at: Instant): Promise<Webhook | null>;
  /** The present secret becomes the previous one. */
  renewSecret(
    id: WebhookId,
    sealed: Uint8Array,
    previousUntil: Instant,
    at: Instant,
  ): Promise<Webhook | null>;
  /** With all its deliveries. `false`: there was none. */
  remove(id: WebhookId): Promise<boolean>;
  /** A delivery that no event stands behind; null: no such endpoint. */
  addTest(id: WebhookId, messageId: MessageId, at: Instant): Promise<Delivery | null>;
  deliveries(id: WebhookId, filter: DeliveryFilter): Promise<readonly Delivery[]>;
  /** Pending again and due at once, as if it had never been tried; an attempt under way no longer counts. */
  redeliver(id: WebhookId, messageId: MessageId, at: Instant): Promise<Delivery | null>;
}

/** A delivery that one dispatcher has for as long as its lease lasts. */
export interface ClaimedDelivery {
  readonly claim: ClaimId;
  readonly webhookId: WebhookId;
  readonly url: string;
  readonly sealed: Uint8Array;
  /** While it still signs. */
  readonly previousSealed: Uint8Array | null;
  readonly messageId: MessageId;
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly at: Instant;
  readonly data: OutboxData;
  /** Attempts that have ended. */
  readonly attempts: number;
  /** Its first attempt: what follows of the same subject waits for its end. */
  readonly isFirst: boolean;
}

/** How many attempts an endpoint has at once, each kind apart: retries that hang leave first attempts their room. */
export interface Room {
  readonly first: number;
  readonly again: number;
}

export interface ClaimOrder {
  /** Of this dispatcher, in this life. */
  readonly owner: string;
  readonly now: Instant;
  readonly until: Instant;
  readonly room: Room;
  /** Attempts that are under way already. */
  readonly busy: ReadonlyMap<WebhookId, Room>;
}

/** The end of one attempt. */
export interface AttemptRecord {
  readonly claim: ClaimId;
  readonly webhookId: WebhookId;
  readonly messageId: MessageId;
  readonly url: string;
  readonly at: Instant;
  readonly status: number | null;
  readonly reason: AttemptReason | null;
  readonly then:
    { readonly state: 'delivered' | 'failed' } | { readonly state: 'pending'; readonly dueAt: Instant };
  /** It answered 410: disabled, unless it has another URL by now. */
  readonly isGone: boolean;
}

export interface Backlog {
  /** Events that no endpoint was looked up for yet. */
  readonly outbox: number;
  /** Deliveries whose first attempt has not ended. */
  readonly untried: number;
  /** That failed and are due again some time. */
  readonly retrying: number;
  /** When what was never tried happened, of endpoints that are enabled. */
  readonly oldestUntriedAt: Instant | null;
}

/** What the dispatcher does. All but `record` is fenced like a session's writes (`ERR_STORE_FENCED`). */
export interface DeliveryQueue {
  /**
   * At most `limit` rows of the outbox, in order, become one delivery for each endpoint that is enabled and wants them;
   * in one transaction the rows go. Returns how many went.
   */
  fanOut(limit: number, now: Instant): Promise<number>;
  /**
   * What is due, in the order of what happened, of each endpoint as much as it has room for. Nothing of a subject before
   * the first attempt of what came earlier has ended.
   */
  claim(order: ClaimOrder): Promise<readonly ClaimedDelivery[]>;
  /** Ends of attempts whose claims still stand; of others nothing is kept. All or none. */
  record(ends: readonly AttemptRecord[]): Promise<void>;
  /** Whatever somebody else had begun is due again: only who acts alone may say so. */
  takeOver(owner: string): Promise<number>;
  /** What this dispatcher has begun and will not end. */
  giveBack(owner: string): Promise<void>;
  backlog(): Promise<Backlog>;
  /** Delivered before the one time; failed, or due and left alone, since before the other. Returns how many went. */
  drop(deliveredBefore: Instant, failedBefore: Instant): Promise<number>;
}
