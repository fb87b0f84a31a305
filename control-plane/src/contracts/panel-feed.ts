/** The operator panel's WebSocket feed, `WS /v1/panel/feed`: what the gateway sends and what a panel may say. */
import { z } from 'zod';
import { opsAlertView } from './alert-api.ts';
import { sessionId, timestamp } from './common.ts';
import { alertKind, sessionView } from './session-view.ts';

/** What happened to a session. The state that the seeds name is `phone-fallback-active`. */
export const feedEventType = z
  .enum([
    'sos.activated',
    'sos.folded',
    'sos.assigned',
    'sos.queued',
    'sos.offered',
    'sos.streaming',
    'sos.heard',
    'sos.active',
    'sos.sound',
    'sos.degraded',
    'sos.retried',
    'sos.media-lost',
    'phone-fallback-active',
    'phone-fallback-retracted',
    'phone.ringing',
    'phone.answered',
    'phone.accepted',
    'phone.ended',
    'phone-connected',
    'sos.reoffered',
    'sos.hand-over',
    'sos.handed-over',
    'sos.hand-over-failed',
    'sos.listening',
    'sos.listening-ended',
    'sos.alert',
    'sos.alert-acknowledged',
    'sos.resolved',
  ])
  .meta({ id: 'FeedEventType' });
export type FeedEventType = z.infer<typeof feedEventType>;

/** One change. It carries the whole card, so a late or doubled one does no harm: keep the highest `sessionSeq`. */
export const feedEvent = z
  .object({
    seq: z
      .int()
      .nonnegative()
      .meta({
        description:
          'Position in the feed; resume with ?since=<seq>. 0: not numbered yet, because the database is away; the ' +
          'same change comes again with its number once it is back, under the same sessionSeq.',
      }),
    sessionSeq: z.int().nonnegative(),
    type: feedEventType,
    at: timestamp,
    sessionId,
    data: z.object({
      session: sessionView,
      detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  })
  .meta({ id: 'FeedEvent' });
export type FeedEvent = z.infer<typeof feedEvent>;

/** Sent first, or instead of a resume that reaches too far back: everything open in the operator's zones. */
export const feedSnapshot = z
  .object({
    type: z.literal('snapshot'),
    seq: z.int().nonnegative(),
    at: timestamp,
    data: z.object({ sessions: z.array(sessionView).max(1000), onShift: z.boolean() }),
  })
  .meta({ id: 'FeedSnapshot' });

/** Answer to something the panel said. */
export const feedReply = z
  .object({
    type: z.enum(['ok', 'error']),
    of: z.string().max(40),
    code: z.string().optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'FeedReply' });

/** The gateway's own state: the panel shows it. */
export const feedHealth = z
  .object({
    type: z.literal('health'),
    at: timestamp,
    data: z.object({ engine: z.boolean(), database: z.boolean() }),
  })
  .meta({ id: 'FeedHealth' });

/**
 * An alert about the gateway itself, to supervisors and admins, whole, at each change. Not numbered: whoever connects, anew
 * or to resume, forgets those he had, and is told each that stands.
 */
export const feedOpsAlert = z
  .object({ type: z.literal('ops.alert'), at: timestamp, data: opsAlertView })
  .meta({ id: 'FeedOpsAlert' });

/** A session left the zones that this panel sees: take its card away. */
export const feedGone = z
  .object({ type: z.literal('session.gone'), seq: z.int().nonnegative(), at: timestamp, sessionId })
  .meta({ id: 'FeedGone' });

export const feedMessage = z.union([feedSnapshot, feedEvent, feedGone, feedReply, feedHealth, feedOpsAlert]);
export type FeedMessage = z.infer<typeof feedMessage>;

/** On duty at this client: from now on calls may be offered to it. Its audio is unlocked by then. */
export const shiftBegin = z.strictObject({ type: z.literal('shift.begin') }).meta({ id: 'ShiftBegin' });
export const shiftEnd = z.strictObject({ type: z.literal('shift.end') }).meta({ id: 'ShiftEnd' });
/** What the panel's audio end counts: the second half of "confirmed active". Sent at once on the first packet, then each second. */
export const audioReport = z
  .strictObject({
    type: z.literal('audio.report'),
    sessionId,
    legId: z.string().max(120).meta({ description: "The SIP INVITE's X-Hamrahi-Leg." }),
    packets: z.int().nonnegative(),
    levelDb: z.number().min(-200).max(20).optional(),
  })
  .meta({ id: 'AudioReport' });
export const alertAcknowledge = z
  .strictObject({ type: z.literal('alert.acknowledge'), sessionId, kind: alertKind })
  .meta({ id: 'AlertAcknowledge' });

export const panelMessage = z.discriminatedUnion('type', [
  shiftBegin,
  shiftEnd,
  audioReport,
  alertAcknowledge,
]);
export type PanelMessage = z.infer<typeof panelMessage>;

/** Limits of the feed: a client beyond them is closed with 1008 or 1009. */
export const FEED_LIMITS = { maxFrameBytes: 16_384, messagesPerSecond: 50, resumeEvents: 1000 } as const;
