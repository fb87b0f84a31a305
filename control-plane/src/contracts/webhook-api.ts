/** Bodies of the operations on webhooks. */
import { z } from 'zod';
import { humanText, timestamp } from './common.ts';
import { eventFilter } from './webhook-events.ts';

const DAY_S = 86_400;

export const webhookId = z.uuid().meta({ id: 'WebhookId', description: 'One endpoint.' });
export const messageId = z
  .string()
  .regex(/^msg_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  .meta({ description: 'The `webhook-id` that the receiver saw.' });

export const webhookBody = z
  .object({
    url: z.string().min(8).max(2000).meta({
      description:
        'https, without credentials and fragment; its address a public one, or allowed by the settings.',
    }),
    description: humanText(200).default(''),
    events: z.array(eventFilter).min(1).max(50).default(['*']),
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: 'false: nothing is sent there; what happens meanwhile is not kept for it.' }),
  })
  .meta({ id: 'WebhookEntry' });

const webhookFields = {
  id: webhookId,
  owner: z.string().nullable().meta({
    description:
      "Who created it: `backend:<name>` or `admin:<name>`. null: it is from before endpoints had owners, and every backend's.",
  }),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()).max(50),
  enabled: z.boolean(),
  disabledBecause: z
    .enum(['asked', 'gone'])
    .nullable()
    .meta({ description: '`gone`: it answered 410. null: it is enabled.' }),
  createdAt: timestamp,
  changedAt: timestamp,
  previousSecretUntil: timestamp
    .nullable()
    .meta({ description: 'Until then the secret before the last rotation signs too.' }),
};
export const webhookView = z.object(webhookFields).meta({ id: 'Webhook' });
export const webhookList = z.object({ webhooks: z.array(webhookView).max(50) });
export const webhookWithSecret = z
  .object({
    ...webhookFields,
    secret: z.string().meta({ description: 'Shown here and never again: `whsec_` and 32 bytes in base64.' }),
  })
  .meta({ id: 'WebhookWithSecret' });

export const rotateSecretBody = z
  .object({
    previousValidS: z
      .int()
      .min(0)
      .max(7 * DAY_S)
      .default(DAY_S)
      .meta({ description: 'For so long the old secret signs beside the new one; 0: at once no more.' }),
  })
  .meta({ id: 'RotateSecret' });

export const deliveryState = z.enum(['pending', 'delivered', 'failed']);
export const deliveryView = z
  .object({
    id: messageId,
    type: z.string(),
    subject: z.string().meta({ description: 'The session or the call.' }),
    sequence: z.int().nonnegative(),
    at: timestamp.meta({ description: 'When it happened.' }),
    state: deliveryState.meta({
      description: '`pending`: it is tried (again); `failed`: it is not, unless somebody asks for it.',
    }),
    attempts: z.int().nonnegative(),
    nextAttemptAt: timestamp.nullable(),
    lastAttemptAt: timestamp.nullable(),
    lastStatus: z.int().nullable().meta({ description: 'HTTP status; null: there was none.' }),
    lastReason: z.string().nullable().meta({
      description:
        'Of a failure: status, redirect, gone, timeout, connect-timeout, connection, tls, unknown-host, refused-address, …',
    }),
  })
  .meta({ id: 'WebhookDelivery' });
export const deliveryList = z.object({
  deliveries: z.array(deliveryView).max(200),
  next: z.string().nullable().meta({ description: 'Pass it as `before` for the next page.' }),
});
