/** Bodies of the HTTP interface around one SOS, and what a client needs to speak to the gateway. */
import { z } from 'zod';
import { humanText, role, sessionId, subjectId, timestamp } from './common.ts';
import { flag, phase, sessionView } from './session-view.ts';

/**
 * `POST /v1/sos`. Lenient on purpose: a valid identity is served whatever the rest looks like; what is wrong is
 * flagged. Only `citizenId` matters to a backend's token; a citizen's token says who she is.
 */
export const activateBody = z
  .object({
    citizenId: subjectId
      .optional()
      .meta({ description: 'Required from a backend; a citizen may omit it, or name herself.' }),
    deviceId: z.unknown().meta({
      description: 'The device whose SIP contact is called; letters, digits, underscore.',
      type: 'string',
    }),
    location: z
      .unknown()
      .meta({ description: 'A Location; anything else is flagged, not refused.', type: 'object' }),
    clientTime: z
      .unknown()
      .meta({ description: "The client's clock: recorded, never trusted.", type: 'string' }),
  })
  .meta({ id: 'Activate' });

export const activated = z
  .object({
    id: sessionId,
    phase,
    activatedAt: timestamp.nullable(),
    folded: z.boolean().meta({
      description: 'An open session of this citizen was returned (201 means a new one, 200 folded).',
    }),
    flags: z.array(flag).max(20),
    sipUri: z.string().meta({ description: 'Where the gateway will call the app: be registered there.' }),
  })
  .meta({ id: 'Activated' });
export type Activated = z.infer<typeof activated>;

export const resolveBody = z
  .object({ reason: humanText(500).optional().meta({ description: 'Required from a backend.' }) })
  .meta({ id: 'Resolve' });

export const transferBody = z
  .object({
    to: subjectId.meta({ description: 'An operator on duty in her zone, or `next`: whoever is free.' }),
    reason: z.string().max(500).optional(),
  })
  .meta({ id: 'Transfer' });

/** Which of the caller's own panels is called. */
export const ownPanelBody = z
  .object({
    deviceId: subjectId.optional().meta({
      description: 'The panel client that is called; without it the one that registered last.',
    }),
  })
  .meta({ id: 'OwnPanel' });

export const ticketBody = z
  .object({
    purpose: z.enum(['sip', 'feed']),
    deviceId: subjectId.optional().meta({
      description:
        'The device or panel client. Required for `sip`; a `feed` ticket without it cannot begin a shift.',
    }),
  })
  .meta({ id: 'TicketRequest' });
export const ticket = z
  .object({ ticket: z.string(), expiresAt: timestamp })
  .meta({ id: 'Ticket', description: 'Valid once, for 30 s.' });

const keptUntil = timestamp.optional().meta({
  description:
    'Kept until then, at most 400 days; past the end of the tokens that it shuts out. Default: 30 days.',
});
export const revokeBody = z
  .union([
    z.strictObject({
      jti: humanText(200, 1).meta({ description: 'The claim `jti` of one token.' }),
      until: keptUntil,
    }),
    z.strictObject({
      role,
      subject: humanText(64, 1).meta({
        description: 'Every token of this role and `sub` issued before now.',
      }),
      until: keptUntil,
    }),
  ])
  .meta({ id: 'Revoke' });
export const revocation = z
  .object({ kind: z.enum(['token', 'subject']), at: timestamp, until: timestamp })
  .meta({ id: 'Revocation' });

export const clientConfig = z
  .object({
    sipUri: z.string(),
    sipWssUrl: z.string(),
    iceServers: z.array(
      z.object({
        urls: z.array(z.string()),
        username: z.string().optional(),
        credential: z.string().optional(),
      }),
    ),
    iceGatheringTimeoutMs: z.int(),
    feedUrl: z.string().nullable().meta({ description: 'null for a citizen.' }),
  })
  .meta({ id: 'ClientConfig' });
export type ClientConfig = z.infer<typeof clientConfig>;

export const timeline = z
  .object({
    id: sessionId,
    activatedAt: timestamp.nullable(),
    milestones: z.array(z.object({ name: z.string(), at: timestamp, ms: z.number() })).max(500),
    verdicts: z
      .array(
        z.object({
          id: z.string().meta({ description: 'A requirement, such as RTC-1, or time-to-voice.' }),
          limitMs: z.number().nullable().meta({ description: 'null: a rule without a time.' }),
          valueMs: z.number().nullable(),
          ok: z.boolean().nullable().meta({ description: 'null: not applicable, or not yet; reason tells.' }),
          reason: z.string().nullable(),
        }),
      )
      .max(40),
  })
  .meta({ id: 'Timeline', description: "Milliseconds since activation, by the server's clock." });
export type Timeline = z.infer<typeof timeline>;

export const sessionList = z.object({ sessions: z.array(sessionView).max(200), next: z.string().nullable() });
