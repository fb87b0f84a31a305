/** What the outside is told by webhooks. Drafts are written in the transaction of what they tell of. */
import type { Instant } from '../domain/ids.ts';

/** `call.*` of every telephone leg, of an SOS and of calls that were asked for alike (TEL-3); `sos.*` of sessions. */
export const CALL_EVENT_TYPES = ['call.ringing', 'call.answered', 'call.failed', 'call.ended'] as const;
export type CallEventType = (typeof CALL_EVENT_TYPES)[number];
export type OutboxType = CallEventType | `sos.${string}`;

/** Ids, times, outcomes: never a number, a name or a position (the reader asks the API for what it may see). */
export type OutboxData = Readonly<
  Record<
    string,
    string | number | boolean | null | Readonly<Record<string, string | number | boolean | null>>
  >
>;

export interface OutboxDraft {
  readonly type: OutboxType;
  readonly at: Instant;
  readonly data: OutboxData;
}

/** A draft that was committed; `subject`: the session's or call's id. */
export interface OutboxRow extends OutboxDraft {
  readonly id: string;
  readonly subject: string;
  readonly subjectSeq: number;
}
