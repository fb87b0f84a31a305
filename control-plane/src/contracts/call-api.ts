/** Bodies of the HTTP interface around telephone calls, and their detail records. */
import { z } from 'zod';
import { CALL_STATES } from '../domain/call/call.ts';
import { humanText, timestamp } from './common.ts';

export const callId = z.uuid().meta({ id: 'CallId', description: 'One telephone call.' });

/** Judged by the numbering plans, not by a pattern: the answer says what is wrong with it. */
const number = z
  .string()
  .max(40)
  .meta({ description: 'E.164 with plus sign, an Indian mobile or landline unless settings allow more.' });

const MAX_METADATA_BYTES = 2048;
const metadata = z
  .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), humanText(1000))
  .refine((value) => new TextEncoder().encode(JSON.stringify(value)).length <= MAX_METADATA_BYTES, {
    message: `at most ${MAX_METADATA_BYTES} bytes as JSON`,
  })
  .meta({
    description: 'Flat texts of your own, kept beside the call and shown to you alone; at most 2 kB.',
  });

const bridgeWhen = z.enum(['answered', 'at-once']);
const ringTimeoutS = z.int().min(5).max(120);
const maxDurationS = z.int().min(10).max(14_400);
const purpose = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/);

export const callBody = z
  .strictObject({
    to: number,
    bridgeTo: z
      .union([number, z.array(number).min(1).max(5)])
      .optional()
      .meta({
        description:
          'Who is joined with `to`: one number, or up to five that are tried one after the other. Without it `to` hears the holding prompt until a transfer.',
      }),
    bridgeWhen: bridgeWhen.default('answered').meta({
      description: '`answered`: `bridgeTo` is called once `to` has answered; `at-once`: beside it.',
    }),
    ringTimeoutS: ringTimeoutS
      .default(30)
      .meta({ description: 'Of each party, from the moment in which its call is on a trunk.' }),
    maxDurationS: maxDurationS
      .default(14_400)
      .meta({ description: 'From the answer of `to`; then both are hung up.' }),
    callerId: number.optional().meta({
      description: "The number that is shown: one of a trunk's own. Default: the trunk's.",
    }),
    purpose: purpose.default('call').meta({ description: 'A word of your own; decides nothing.' }),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewCall' });

export const callTransferBody = z
  .strictObject({
    to: number.meta({ description: 'Who is called in place of the party that `to` speaks with.' }),
  })
  .meta({ id: 'CallTransfer' });

const shownNumber = z
  .string()
  .meta({ description: 'In clear for who created the call; for others country and last two digits.' });

export const callView = z
  .object({
    id: callId,
    state: z.enum(CALL_STATES),
    talk: z.enum(['none', 'waiting', 'calling', 'joined', 'on-hold', 'transferring']).meta({
      description:
        'How the parties stand: `to` waits alone, somebody is called for it, they speak, both are on hold, somebody is called instead.',
    }),
    seq: z.int().meta({ description: 'Grows with each change; webhooks carry the same.' }),
    createdAt: timestamp,
    answeredAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
    durationS: z.number().nullable().meta({ description: 'From the answer of `to` to the end.' }),
    reason: z.string().nullable().meta({
      description:
        'Why it is over: an outcome of `to` (busy, rejected, no-answer …), hung-up, to-hung-up, other-hung-up, max-duration, bridge-unanswered, no-capacity.',
    }),
    code: z
      .string()
      .nullable()
      .meta({ description: 'ERR_CALL_NO_CAPACITY: no trunk had a channel free in time.' }),
    purpose,
    to: shownNumber.nullable().meta({ description: 'null: erased, or past its time.' }),
    bridgeTo: z
      .array(shownNumber)
      .max(100)
      .nullable()
      .meta({ description: 'Numbers of transfers come last.' }),
    callerId: z.string().nullable(),
    bridgeWhen,
    ringTimeoutS,
    maxDurationS,
    metadata: z
      .record(z.string(), z.string())
      .nullable()
      .meta({ description: 'null: erased, or not yours.' }),
    legs: z
      .array(
        z.object({
          legId: z.string(),
          leg: z.enum(['call-to', 'call-bridge-to']),
          place: z.int().meta({ description: '0: `to`; n: the nth of `bridgeTo`.' }),
          state: z.enum(['waiting', 'dialing', 'ringing', 'answered', 'ending']),
          trunk: z.string().nullable(),
        }),
      )
      .max(20)
      .meta({ description: 'Those that live. All of them: `GET /v1/call-records?owner=<id>`.' }),
  })
  .meta({ id: 'Call' });
export type CallView = z.infer<typeof callView>;

export const callList = z.object({
  calls: z.array(callView).max(200),
  next: z.string().nullable().meta({ description: 'Pass it as `before` for the next page.' }),
});

const outcome = z.enum([
  'completed',
  'busy',
  'rejected',
  'no-answer',
  'unreachable',
  'invalid-number',
  'congestion',
  'trunk-unreachable',
  'media-failed',
  'cancelled',
  'lost',
]);

export const callListQuery = z.object({
  state: z
    .string()
    .regex(/^[a-z]+(,[a-z]+){0,5}$/)
    .optional()
    .meta({ description: 'Only in these states, comma-separated.' }),
  since: timestamp.optional().meta({ description: 'Created then or later.' }),
  until: timestamp.optional().meta({ description: 'Created before.' }),
  metadataKey: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .optional(),
  metadataValue: humanText(1000)
    .optional()
    .meta({ description: 'Only your calls whose metadata has this value under `metadataKey`.' }),
  before: callId.optional().meta({ description: '`next` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const callRecordQuery = z.object({
  since: timestamp.optional().meta({ description: 'Dialled then or later.' }),
  until: timestamp.optional().meta({ description: 'Dialled before.' }),
  trunk: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/)
    .optional()
    .meta({ description: 'By which it went, or was tried.' }),
  outcome: outcome.optional(),
  owner: z.uuid().optional().meta({ description: "A session's or a call's id." }),
  before: z
    .string()
    .regex(/^[0-9a-f-]{36}\.[a-z-]{1,20}\.\d{1,6}$/)
    .optional()
    .meta({ description: '`next` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const callRecordList = z
  .object({
    records: z
      .array(
        z.object({
          legId: z.string(),
          owner: z.object({ kind: z.enum(['session', 'call']), id: z.string() }),
          leg: z.string(),
          attempt: z.int(),
          trunk: z.string().nullable().meta({ description: 'That it was answered by, or tried last.' }),
          dialledAt: timestamp,
          ringingAt: timestamp.nullable(),
          answeredAt: timestamp.nullable(),
          endedAt: timestamp.nullable(),
          postDialDelayMs: z
            .number()
            .nullable()
            .meta({ description: 'From the order to the first ringing or early media.' }),
          durationS: z.number().nullable().meta({ description: 'From the answer to the end.' }),
          outcome: outcome.nullable().meta({ description: 'null: it goes on.' }),
          sipStatus: z.int().nullable(),
          q850: z.int().nullable(),
          carrierCallId: z.string().nullable(),
          attempts: z
            .array(
              z.object({
                try: z.int(),
                trunk: z.string(),
                dialledAt: timestamp.nullable(),
                endedAt: timestamp.nullable(),
                outcome: outcome.nullable(),
                sipStatus: z.int().nullable(),
                q850: z.int().nullable(),
                carrierCallId: z.string().nullable(),
              }),
            )
            .max(100),
        }),
      )
      .max(500),
    next: z.string().nullable().meta({ description: 'Pass it as `before` for the next page.' }),
  })
  .meta({ id: 'CallRecordList', description: 'Telephone legs of SOS and calls, newest first. No numbers.' });
export type CallRecordView = z.infer<typeof callRecordList>['records'][number];
