/** Webhooks as the API keeps them: who is told what, and what became of it. */
import type { Instant } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import type { AttemptReason } from '../domain/webhook/judge-attempt.ts';
import type { MessageId, WebhookId } from '../domain/webhook/webhook-ids.ts';
import type { Caller } from './gateway.ts';

export const MAX_WEBHOOKS = 50;

/** What whoever keeps an endpoint decides. */
export interface WebhookSettings {
  readonly url: string;
  readonly description: string;
  /** Of `filtersOf`. */
  readonly events: readonly string[];
  readonly enabled: boolean;
}

export interface Webhook extends WebhookSettings {
  readonly id: WebhookId;
  /** Who created it, by role and subject. Null: it is from before there were owners, and every backend's. */
  readonly owner: string | null;
  /** `gone`: it answered 410. Null while it is enabled. */
  readonly disabledBecause: 'asked' | 'gone' | null;
  readonly createdAt: Instant;
  readonly changedAt: Instant;
  /** Until then the secret before the last rotation signs too. */
  readonly previousSecretUntil: Instant | null;
}

export type DeliveryState = 'pending' | 'delivered' | 'failed';

/** One event for one endpoint. */
export interface Delivery {
  readonly messageId: MessageId;
  /** Grows; the cursor of lists. */
  readonly position: string;
  readonly type: string;
  /** The session or the call, and the number of its change. */
  readonly subject: string;
  readonly sequence: number;
  /** When it happened. */
  readonly at: Instant;
  readonly state: DeliveryState;
  /** That have ended. */
  readonly attempts: number;
  /** Null: none is due any more. */
  readonly nextAttemptAt: Instant | null;
  readonly lastAttemptAt: Instant | null;
  /** HTTP status; null: there was none. */
  readonly lastStatus: number | null;
  /** Of `reasonOf`; null: none yet, or a success. */
  readonly lastReason: AttemptReason | null;
}

/** Newest first; `before`: positions below it. */
export interface DeliveryFilter {
  readonly state: DeliveryState | null;
  readonly type: string | null;
  readonly before: string | null;
  readonly limit: number;
}

export type WebhookResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code:
        | 'ERR_WEBHOOK_NOT_FOUND'
        | 'ERR_WEBHOOK_DELIVERY_NOT_FOUND'
        | 'ERR_WEBHOOK_URL'
        | 'ERR_WEBHOOK_LIMIT'
        | 'ERR_WEBHOOK_DISABLED'
        | 'ERR_WEBHOOK_NO_DATA_KEY';
      readonly detail: string;
    };

/** An endpoint and its secret: shown now and never again. */
export interface WebhookWithSecret {
  readonly webhook: Webhook;
  readonly secret: Secret;
}

/** A backend has the endpoints that it created; an admin has all of them. Errors throw `StoreError`. */
export interface Webhooks {
  create(caller: Caller, settings: WebhookSettings): Promise<WebhookResult<WebhookWithSecret>>;
  list(caller: Caller): Promise<readonly Webhook[]>;
  find(caller: Caller, id: WebhookId): Promise<WebhookResult<Webhook>>;
  replace(caller: Caller, id: WebhookId, settings: WebhookSettings): Promise<WebhookResult<Webhook>>;
  remove(caller: Caller, id: WebhookId): Promise<WebhookResult<void>>;
  /** For `previousValidMs` more the old secret signs beside the new one. */
  rotateSecret(
    caller: Caller,
    id: WebhookId,
    previousValidMs: number,
  ): Promise<WebhookResult<WebhookWithSecret>>;
  /** A `webhook.test` for this endpoint alone, whatever its filter. */
  test(caller: Caller, id: WebhookId): Promise<WebhookResult<Delivery>>;
  deliveries(
    caller: Caller,
    id: WebhookId,
    filter: DeliveryFilter,
  ): Promise<WebhookResult<readonly Delivery[]>>;
  /** Sent anew under the same `webhook-id`, whatever became of it; with a whole schedule of retries before it. */
  redeliver(caller: Caller, id: WebhookId, messageId: MessageId): Promise<WebhookResult<Delivery>>;
}
