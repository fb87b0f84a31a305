import { z } from 'zod';

/**
 * What the simulated carrier reports, as JSON over its loopback HTTP server. Every time is in milliseconds
 * since the epoch, with a fraction, taken when the carrier's address received or sent the message.
 */
const nameAddress = z.strictObject({
  displayName: z.string().nullable(),
  uri: z.string(),
  user: z.string().nullable(),
  host: z.string(),
  /** Whether the URI carries user=phone. */
  userPhone: z.boolean(),
});

const reason = z.strictObject({
  protocol: z.string(),
  cause: z.int().nullable(),
  text: z.string().nullable(),
});

const codec = z.strictObject({ payloadType: z.int(), name: z.string(), clockRateHz: z.int() });

const heardTone = z.strictObject({
  hz: z.number(),
  /** When its sound began to arrive at the phone; good to about half of the 40 ms window. */
  fromMs: z.number(),
  /** Null while it lasts. */
  toMs: z.number().nullable(),
  /** Of the loudest window; a full-scale sine is 0. */
  levelDbfs: z.number(),
});

const time = z.number().nullable();

export const callReportSchema = z.strictObject({
  callId: z.string(),
  /** `from-gateway`: the usual one; `into-gateway`: a call that the carrier was asked to place. */
  direction: z.enum(['from-gateway', 'into-gateway']),
  state: z.enum(['live', 'ended']),
  requestUri: z.string(),
  /** The user part of the request URI. */
  dialled: z.string(),
  /** E.164 (+91…), null for what is no Indian number. */
  number: z.string().nullable(),
  numberForm: z.enum(['e164_plus', 'e164', 'national_0', 'national10']).nullable(),
  operatorSeries: z.enum(['jio', 'airtel', 'vi', 'bsnl', 'mobile', 'landline']).nullable(),
  /** A row of docs/sandbox-numbers.md; null for a call into the gateway or a number that is none. */
  behaviour: z.string().nullable(),
  from: nameAddress.nullable(),
  to: nameAddress.nullable(),
  pAssertedIdentity: nameAddress.nullable(),
  pPreferredIdentity: nameAddress.nullable(),
  /** The Privacy header as it came. */
  privacy: z.string().nullable(),
  /** Whether the request URI carries user=phone; From and To tell it of themselves. */
  userPhone: z.boolean(),
  userAgent: z.string().nullable(),
  codecs: z.array(codec),
  mediaDirection: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']),
  times: z.strictObject({
    inviteAt: z.number(),
    tryingAt: time,
    ringingAt: time,
    progressAt: time,
    answeredAt: time,
    ackAt: time,
    cancelAt: time,
    byeAt: time,
    /** Final refusal, BYE, or none yet. */
    endedAt: time,
  }),
  /** Every distinct status of the INVITE, in order. */
  statuses: z.array(z.strictObject({ status: z.int(), phrase: z.string(), at: z.number() })),
  finalStatus: z.int().nullable(),
  finalReasons: z.array(reason),
  cancelReasons: z.array(reason),
  byeBy: z.enum(['gateway', 'carrier']).nullable(),
  byeReasons: z.array(reason),
  inviteRetransmissions: z.int(),
  reinvites: z.int(),
  /** The tone that this phone plays once it has answered. */
  phoneHz: z.number().nullable(),
  /** Null until the phone has answered. */
  audio: z
    .strictObject({ frames: z.int(), firstAt: time, lastAt: time, levelDbfs: z.number().nullable() })
    .nullable(),
  heard: z.array(heardTone),
});

export const callListSchema = z.strictObject({
  /** Grows with every change; asked with `since`, only calls that changed after it are listed. */
  revision: z.int(),
  calls: z.array(callReportSchema),
});

export const sipSightingSchema = z.strictObject({
  at: z.number(),
  /** Of the process's monotonic clock: differences are exact even when the wall clock steps. */
  monotonicMs: z.number(),
  from: z.enum(['gateway', 'carrier']),
  /** `unanswered`: swallowed because the number's behaviour is not to reply; `dropped`: by a fault. */
  fate: z.enum(['forwarded', 'dropped', 'unanswered']),
  startLine: z.string(),
  text: z.string(),
});

/** What the front does to messages that match; every given field must match. */
export const sipFaultSchema = z.strictObject({
  /** E.164 of the call's number; absent: every message, those outside calls (OPTIONS) included. */
  number: z.string().optional(),
  from: z.enum(['gateway', 'carrier']).optional(),
  /** Of the CSeq, so that responses match their request's method. */
  method: z.string().optional(),
  /** Responses of this status only. */
  status: z.int().optional(),
  action: z.discriminatedUnion('do', [
    z.strictObject({ do: z.literal('drop') }),
    z.strictObject({ do: z.literal('delay'), delayMs: z.number().positive().max(60_000) }),
  ]),
  /** After so many messages the fault is over; absent: until the faults are cleared. */
  times: z.int().positive().optional(),
});

export const placeCallSchema = z.strictObject({
  /** The request URI's user at the gateway, in whatever form the test wants. */
  to: z.string().regex(/^[+\w-]{1,32}$/),
  from: z.string().regex(/^[+\w-]{1,32}$/),
  /** Until the final status; the call is then cancelled. */
  timeoutMs: z.int().positive().max(60_000).default(5_000),
});

export const placedCallSchema = z.strictObject({
  callId: z.string(),
  /** Null when no final status came in time. */
  finalStatus: z.int().nullable(),
  statuses: z.array(z.int()),
});

export type CallReport = z.infer<typeof callReportSchema>;
export type CallList = z.infer<typeof callListSchema>;
export type HeardTone = z.infer<typeof heardTone>;
export type SipSighting = z.infer<typeof sipSightingSchema>;
export type SipFault = z.infer<typeof sipFaultSchema>;
export type PlaceCall = z.input<typeof placeCallSchema>;
export type PlacedCall = z.infer<typeof placedCallSchema>;
