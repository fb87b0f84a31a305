/** The operations on webhooks: endpoints, their secrets, and the log of deliveries. */
import { z } from 'zod';
import { KEEPERS } from './operation.ts';
import type { Operation } from './operation.ts';
import * as api from './webhook-api.ts';

const webhook = z.object({ id: api.webhookId });

const endpointOperations = {
  createWebhook: {
    method: 'post',
    path: '/v1/webhooks',
    tag: 'webhooks',
    summary: 'Be told of events at this URL',
    description:
      'The answer holds the secret, once. It is yours: other backends do not see it. At most 50 endpoints in all.',
    roles: KEEPERS,
    body: api.webhookBody,
    responses: { 201: api.webhookWithSecret },
    errors: ['ERR_WEBHOOK_URL', 'ERR_WEBHOOK_LIMIT', 'ERR_WEBHOOK_NO_DATA_KEY'],
  },
  listWebhooks: {
    method: 'get',
    path: '/v1/webhooks',
    tag: 'webhooks',
    summary: 'Your endpoints, oldest first',
    description: 'An admin sees everybody’s; here and below another backend’s is answered with 404.',
    roles: KEEPERS,
    responses: { 200: api.webhookList },
    errors: [],
  },
  getWebhook: {
    method: 'get',
    path: '/v1/webhooks/{id}',
    tag: 'webhooks',
    summary: 'One endpoint',
    roles: KEEPERS,
    params: webhook,
    responses: { 200: api.webhookView },
    errors: ['ERR_WEBHOOK_NOT_FOUND'],
  },
  putWebhook: {
    method: 'put',
    path: '/v1/webhooks/{id}',
    tag: 'webhooks',
    summary: 'Replace what is said of an endpoint; enable it again',
    description: 'Its secret stays. What is pending goes to the new URL, and is held while it is disabled.',
    roles: KEEPERS,
    params: webhook,
    body: api.webhookBody,
    responses: { 200: api.webhookView },
    errors: ['ERR_WEBHOOK_NOT_FOUND', 'ERR_WEBHOOK_URL'],
  },
  deleteWebhook: {
    method: 'delete',
    path: '/v1/webhooks/{id}',
    tag: 'webhooks',
    summary: 'Remove an endpoint, with its deliveries',
    roles: KEEPERS,
    params: webhook,
    responses: { 204: null },
    errors: ['ERR_WEBHOOK_NOT_FOUND'],
  },
  rotateWebhookSecret: {
    method: 'post',
    path: '/v1/webhooks/{id}/rotate-secret',
    tag: 'webhooks',
    summary: 'A new secret; the old one signs too for a day',
    description:
      'The answer holds the new secret, once. A secret from before the last rotation ends with the next one.',
    roles: KEEPERS,
    params: webhook,
    body: api.rotateSecretBody,
    responses: { 200: api.webhookWithSecret },
    errors: ['ERR_WEBHOOK_NOT_FOUND', 'ERR_WEBHOOK_NO_DATA_KEY'],
  },
} as const satisfies Record<string, Operation>;

const deliveryOperations = {
  testWebhook: {
    method: 'post',
    path: '/v1/webhooks/{id}/test',
    tag: 'webhooks',
    summary: 'Send a `webhook.test`, whatever the endpoint listens to',
    description: '202: it is on its way; the log of deliveries says what became of it.',
    roles: KEEPERS,
    params: webhook,
    responses: { 202: api.deliveryView },
    errors: ['ERR_WEBHOOK_NOT_FOUND', 'ERR_WEBHOOK_DISABLED'],
  },
  listWebhookDeliveries: {
    method: 'get',
    path: '/v1/webhooks/{id}/deliveries',
    tag: 'webhooks',
    summary: 'What was sent there, newest first',
    roles: KEEPERS,
    params: webhook,
    query: z.object({
      state: api.deliveryState.optional(),
      type: z.string().max(60).optional().meta({ description: 'One event type.' }),
      before: z
        .string()
        .regex(/^[1-9]\d{0,17}$/)
        .optional()
        .meta({ description: '`next` of the page before.' }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: api.deliveryList },
    errors: ['ERR_WEBHOOK_NOT_FOUND'],
  },
  redeliverWebhook: {
    method: 'post',
    path: '/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver',
    tag: 'webhooks',
    summary: 'Send one event again',
    description: 'Under its own `webhook-id`, with all retries before it, whatever became of it before.',
    roles: KEEPERS,
    params: z.object({ id: api.webhookId, deliveryId: api.messageId }),
    responses: { 202: api.deliveryView },
    errors: ['ERR_WEBHOOK_NOT_FOUND', 'ERR_WEBHOOK_DELIVERY_NOT_FOUND', 'ERR_WEBHOOK_DISABLED'],
  },
} as const satisfies Record<string, Operation>;

export const WEBHOOK_OPERATIONS = { ...endpointOperations, ...deliveryOperations } as const;
