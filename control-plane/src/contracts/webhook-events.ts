/** What webhooks tell: `{type, timestamp, data}` by Standard Webhooks 1.0.0. */
import { z } from 'zod';
import { filtersOf } from '../domain/webhook/event-filter.ts';
import { sessionId, timestamp } from './common.ts';
import { feedEventType } from './panel-feed.ts';

export const callEventType = z
  .enum(['call.ringing', 'call.answered', 'call.failed', 'call.ended'])
  .meta({ id: 'CallEventType' });

/** Her telephone legs are told as `call.*`. */
const TOLD_AS_CALLS: ReadonlySet<string> = new Set(['phone.ringing', 'phone.answered', 'phone.ended']);
/** As the panel's feed has them, all under `sos.`. */
const SOS_EVENT_TYPES = feedEventType.options
  .filter((type) => !TOLD_AS_CALLS.has(type))
  .map((type) => (type.startsWith('sos.') ? type : `sos.${type}`));

export const sosEventType = z.enum(SOS_EVENT_TYPES).meta({ id: 'SosEventType' });

const TEST_EVENT_TYPE = 'webhook.test';
const KNOWN_TYPES: readonly string[] = [...callEventType.options, ...SOS_EVENT_TYPES, TEST_EVENT_TYPE];
/** A type that does not exist would be waited for in vain. */
const FILTERS: ReadonlySet<string> = new Set(KNOWN_TYPES.flatMap(filtersOf));

export const eventFilter = z
  .string()
  .max(60)
  .regex(/^(?:\*|[a-z]+\.\*|[a-z]+(?:\.[a-z-]+)+)$/)
  .refine((filter) => FILTERS.has(filter), 'no event has this type')
  .meta({ description: 'An event type, a family of them (`call.*`, `sos.*`), or `*`.' });

const sequence = z.int().nonnegative().meta({
  description:
    'Number of the change inside its session or call; several events of one change share it. Events of one subject come in this order while deliveries succeed; what was retried comes later than what followed it.',
});
const simple = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const truncated = z
  .literal(true)
  .optional()
  .meta({ description: 'Too long for 20 kB: the rest is at the API.' });

/** More members may come: whoever reads passes over those that it does not know. */
export const callEvent = z
  .object({
    type: callEventType,
    timestamp: timestamp.meta({ description: 'When it happened.' }),
    data: z.looseObject({
      callId: z
        .string()
        .meta({ description: 'The telephone leg of an SOS, or the call that was asked for.' }),
      sessionId: sessionId
        .optional()
        .meta({ description: 'Of the SOS; absent for calls that were asked for.' }),
      leg: z.string().optional().meta({
        description:
          '`citizen-phone`, `operator-phone`; of a call that was asked for `call-to` (its news are the call’s own) and `call-bridge-to`.',
      }),
      legId: z
        .string()
        .optional()
        .meta({ description: 'Of a call that was asked for: the leg, as in `/v1/call-records`.' }),
      state: z.string().optional().meta({ description: 'Of a call that was asked for: its state after it.' }),
      trunk: z.string().nullable().optional().meta({ description: 'Likewise: by which the leg went.' }),
      reason: z.string().nullable().optional().meta({
        description:
          'Likewise, with the last news of `call-to`: why the call is over (hung-up, other-hung-up, busy, no-capacity, …).',
      }),
      durationMs: z
        .int()
        .nullable()
        .optional()
        .meta({ description: 'Likewise: from the answer to the end.' }),
      outcome: z.string().nullable().optional().meta({
        description:
          'How it ended, for `call.failed` and `call.ended`: completed, busy, rejected, no-answer, …',
      }),
      sipStatus: z.int().nullable().optional(),
      q850: z.int().nullable().optional(),
      truncated,
      sequence,
    }),
  })
  .meta({ id: 'CallEvent' });

export const sosEvent = z
  .object({
    type: sosEventType,
    timestamp: timestamp.meta({ description: 'When it happened.' }),
    data: z.looseObject({
      sessionId,
      phase: z.string().optional().meta({ description: 'After the change.' }),
      zoneId: z.string().nullable().optional(),
      detail: z.record(z.string(), simple).optional(),
      truncated,
      sequence,
    }),
  })
  .meta({ id: 'SosEvent', description: 'Ids, times and outcomes: never a number, a name or a position.' });

export const testEvent = z
  .object({
    type: z.literal(TEST_EVENT_TYPE),
    timestamp,
    data: z.looseObject({ webhookId: z.uuid(), sequence }),
  })
  .meta({ id: 'WebhookTestEvent' });

export const webhookHeaders = z.object({
  'webhook-id': z.string().meta({
    description: 'Of this event, the same at each attempt: whoever has seen it has nothing to do.',
  }),
  'webhook-timestamp': z
    .string()
    .meta({ description: 'Of this attempt, seconds since 1970. Refuse old ones.' }),
  'webhook-signature': z.string().meta({
    description:
      '`v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`; several, separated by spaces, while a secret is being rotated.',
  }),
});
