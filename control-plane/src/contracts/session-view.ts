/** A session as the API and the panel's cards show it. */
import { z } from 'zod';
import { location, sessionId, subjectId, timestamp } from './common.ts';

export const phase = z
  .enum([
    'arming',
    'connecting',
    'degraded',
    'active',
    'phone-fallback-active',
    'phone-connected',
    'resolved',
    'released',
  ])
  .meta({ id: 'Phase' });

export const flag = z
  .enum([
    'unknown-citizen',
    'unknown-device',
    'phone-missing',
    'phone-unverified',
    'location-missing',
    'location-absurd',
    'unknown-zone',
    'body-malformed',
    'idempotency-key-reused',
    'folded',
  ])
  .meta({ id: 'Flag', description: 'What was wrong with an activation that was served all the same.' });

export const fallbackReason = z
  .enum(['timeout', 'signalling-error', 'operator-absent', 'media-lost', 'redial'])
  .meta({ id: 'FallbackReason' });

export const phoneState = z.enum(['idle', 'dialing', 'ringing', 'answered', 'ended']);

export const alertKind = z
  .enum([
    'no-operator',
    'operator-absent',
    'operators-unreachable',
    'trunks-dead',
    'citizen-unanswered',
    'citizen-hung-up',
    'voice-lost',
    'phone-unusable',
    'citizen-silent',
    'no-voice',
    'long-session',
    'record-doubtful',
  ])
  .meta({ id: 'AlertKind' });

/** One call to a phone: her own, a duty phone, the supervisor's. Times of what did not come about are null. */
export const callAttempt = z
  .object({
    legId: z.string(),
    role: z.enum(['citizen', 'operator', 'supervisor']),
    operatorId: subjectId.nullable(),
    dialledAt: timestamp,
    ringingAt: timestamp.nullable(),
    answeredAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
    outcome: z.string().nullable(),
    sipStatus: z.int().nullable(),
  })
  .meta({ id: 'CallAttempt' });

export const sessionView = z
  .object({
    id: sessionId,
    sessionSeq: z
      .int()
      .nonnegative()
      .meta({ description: 'Grows by at least one with each change of this session.' }),
    phase,
    citizenId: subjectId,
    zoneId: z.string().nullable(),
    activatedAt: timestamp
      .nullable()
      .meta({ description: "Receipt of the activation by the server's clock: t0." }),
    operatorId: subjectId.nullable(),
    handOver: z.object({ to: subjectId, since: timestamp }).nullable().meta({
      description: 'Another operator is being called, to take over; until then nothing has changed.',
    }),
    listeners: z
      .array(subjectId)
      .max(20)
      .meta({ description: 'Supervisors who listen in; nobody hears them.' }),
    queued: z.boolean().meta({ description: 'Nobody is free; assigned when somebody comes free.' }),
    webrtcSessionId: z
      .string()
      .nullable()
      .meta({ description: "The citizen's app leg; named in the SIP header X-Hamrahi-Leg." }),
    streaming: z.boolean().meta({ description: "The citizen's packets reach the gateway." }),
    heard: z.boolean().meta({ description: "An operator's end receives them." }),
    sound: z
      .boolean()
      .nullable()
      .meta({ description: 'Sound in the packets; null before it is known. False: shown as silence.' }),
    degradedReason: z.string().nullable(),
    fallback: z
      .object({
        mode: z
          .enum(['both', 'operators-only'])
          .meta({ description: 'operators-only: her phone does not ring.' }),
        reason: fallbackReason,
        detail: z.string().meta({ description: 'Which signalling error or timeout it was.' }),
        failedAt: timestamp,
        initiatedAt: timestamp,
        callReference: z.string().nullable(),
        citizenPhone: phoneState,
        operatorPhone: phoneState,
        attempts: z
          .array(callAttempt)
          .max(20)
          .meta({ description: "Every call of this SOS's fallbacks, oldest first: what an alert tells of." }),
      })
      .nullable(),
    alerts: z.array(z.object({ kind: alertKind, raisedAt: timestamp, acknowledged: z.boolean() })).max(20),
    flags: z.array(flag).max(20),
    location: location.nullable(),
    resolvedAt: timestamp.nullable(),
  })
  .meta({ id: 'SessionView' });
export type SessionView = z.infer<typeof sessionView>;
