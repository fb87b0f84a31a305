/** Webhooks: who is told of events, and what became of it. */
import type { z } from 'zod';
import type { deliveryView, webhookView } from '../../../contracts/webhook-api.ts';
import type { Instant } from '../../../domain/ids.ts';
import type { MessageId, WebhookId } from '../../../domain/webhook/webhook-ids.ts';
import type {
  Delivery,
  Webhook,
  WebhookResult,
  Webhooks,
  WebhookWithSecret,
} from '../../../ports/webhooks.ts';
import { failure, reply, type Handlers, type Outcome } from '../http-call.ts';

type WebhookOperation =
  | 'createWebhook'
  | 'listWebhooks'
  | 'getWebhook'
  | 'putWebhook'
  | 'deleteWebhook'
  | 'rotateWebhookSecret'
  | 'testWebhook'
  | 'listWebhookDeliveries'
  | 'redeliverWebhook';

export function webhookHandlers(webhooks: Webhooks): Pick<Handlers, WebhookOperation> {
  return {
    createWebhook: async ({ caller, body }) => answer(await webhooks.create(caller, body), 201, withSecret),
    listWebhooks: async ({ caller }) => reply(200, { webhooks: (await webhooks.list(caller)).map(viewOf) }),
    getWebhook: async ({ caller, params }) =>
      answer(await webhooks.find(caller, params.id as WebhookId), 200, viewOf),
    putWebhook: async ({ caller, params, body }) =>
      answer(await webhooks.replace(caller, params.id as WebhookId, body), 200, viewOf),
    deleteWebhook: async ({ caller, params }) =>
      answer(await webhooks.remove(caller, params.id as WebhookId), 204, () => null),
    rotateWebhookSecret: async ({ caller, params, body }) => {
      const validMs = body.previousValidS * 1000;
      return answer(await webhooks.rotateSecret(caller, params.id as WebhookId, validMs), 200, withSecret);
    },
    testWebhook: async ({ caller, params }) =>
      answer(await webhooks.test(caller, params.id as WebhookId), 202, deliveryOf),
    listWebhookDeliveries: async ({ caller, params, query }) => {
      const { state = null, type = null, before = null, limit } = query;
      const filter = { state, type, before, limit };
      const listed = await webhooks.deliveries(caller, params.id as WebhookId, filter);
      return answer(listed, 200, (deliveries) => ({
        deliveries: deliveries.map(deliveryOf),
        next: deliveries.length === limit ? (deliveries.at(-1)?.position ?? null) : null,
      }));
    },
    redeliverWebhook: async ({ caller, params }) => {
      const { id, deliveryId } = params;
      const again = await webhooks.redeliver(caller, id as WebhookId, deliveryId as MessageId);
      return answer(again, 202, deliveryOf);
    },
  };
}

function answer<T>(result: WebhookResult<T>, status: number, body: (value: T) => unknown): Outcome {
  return result.ok ? reply(status, body(result.value)) : failure(result.code, result.detail);
}

function viewOf(webhook: Webhook): z.input<typeof webhookView> {
  const { id, owner, url, description, events, enabled, disabledBecause } = webhook;
  return {
    id,
    owner,
    url,
    description,
    events: [...events],
    enabled,
    disabledBecause,
    createdAt: isoTime(webhook.createdAt),
    changedAt: isoTime(webhook.changedAt),
    previousSecretUntil: isoTimeOrNull(webhook.previousSecretUntil),
  };
}

function withSecret({ webhook, secret }: WebhookWithSecret): unknown {
  return { ...viewOf(webhook), secret: secret.reveal() };
}

function deliveryOf(delivery: Delivery): z.input<typeof deliveryView> {
  const { type, subject, sequence, state, attempts, lastStatus, lastReason } = delivery;
  return {
    id: delivery.messageId,
    type,
    subject,
    sequence,
    at: isoTime(delivery.at),
    state,
    attempts,
    nextAttemptAt: isoTimeOrNull(delivery.nextAttemptAt),
    lastAttemptAt: isoTimeOrNull(delivery.lastAttemptAt),
    lastStatus,
    lastReason,
  };
}

function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}

function isoTimeOrNull(at: Instant | null): string | null {
  return at === null ? null : isoTime(at);
}
