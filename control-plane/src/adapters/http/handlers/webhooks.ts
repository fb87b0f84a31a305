/** Webhooks: who is told of events, and what became of it. */
import type { z } from 'zod';
import type { deliveryView, webhookView } from '../../../contracts/webhook-api.ts';
import type { Instant } from '../../../domain/ids.ts';
import type { MessageId, WebhookId } from '../../../domain/webhook/webhook-ids.ts';
import type { Caller } from '../../../ports/gateway.ts';
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
    createWebhook: async ({ caller, body }) =>
      answer(await webhooks.create(body, nameOf(caller)), 201, withSecret),
    listWebhooks: async () => reply(200, { webhooks: (await webhooks.list()).map(viewOf) }),
    getWebhook: async ({ params }) => answer(await webhooks.find(params.id as WebhookId), 200, viewOf),
    putWebhook: async ({ caller, params, body }) =>
      answer(await webhooks.replace(params.id as WebhookId, body, nameOf(caller)), 200, viewOf),
    deleteWebhook: async ({ caller, params }) =>
      answer(await webhooks.remove(params.id as WebhookId, nameOf(caller)), 204, () => null),
    rotateWebhookSecret: async ({ caller, params, body }) => {
      const validMs = body.previousValidS * 1000;
      const rotated = await webhooks.rotateSecret(params.id as WebhookId, validMs, nameOf(caller));
      return answer(rotated, 200, withSecret);
    },
    testWebhook: async ({ params }) => answer(await webhooks.test(params.id as WebhookId), 202, deliveryOf),
    listWebhookDeliveries: async ({ params, query }) => {
      const { state = null, type = null, before = null, limit } = query;
      const filter = { state, type, before, limit };
      return answer(await webhooks.deliveries(params.id as WebhookId, filter), 200, (deliveries) => ({
        deliveries: deliveries.map(deliveryOf),
        next: deliveries.length === limit ? (deliveries.at(-1)?.position ?? null) : null,
      }));
    },
    redeliverWebhook: async ({ params }) => {
      const { id, deliveryId } = params;
      return answer(await webhooks.redeliver(id as WebhookId, deliveryId as MessageId), 202, deliveryOf);
    },
  };
}

function answer<T>(result: WebhookResult<T>, status: number, body: (value: T) => unknown): Outcome {
  return result.ok ? reply(status, body(result.value)) : failure(result.code, result.detail);
}

function nameOf({ role, subject }: Caller): string {
  return `${role}:${subject}`;
}

function viewOf(webhook: Webhook): z.input<typeof webhookView> {
  const { id, url, description, events, enabled, disabledBecause } = webhook;
  return {
    id,
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
