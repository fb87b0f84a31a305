/** What webhooks tell of one change of a session (TEL-3). */
import { parseLegId } from '../domain/ids.ts';
import type { Instant } from '../domain/ids.ts';
import type { LegChange } from '../domain/session/command.ts';
import type { LegOutcome } from '../domain/session/leg.ts';
import type { Session } from '../domain/session/session.ts';
import type { CallEventType, OutboxDraft, OutboxType } from '../ports/outbox.ts';
import type { SessionWrite } from '../ports/session-store.ts';

/** The feed tells of her phone in its own words; webhooks do by `call.*`. */
const TOLD_AS_CALLS: ReadonlySet<string> = new Set(['phone.ringing', 'phone.answered', 'phone.ended']);

export function outboxOf(
  after: Session,
  at: Instant,
  feed: SessionWrite['feed'],
  legs: SessionWrite['legs'],
): readonly OutboxDraft[] {
  const { id: sessionId, phase, zoneId } = after;
  const news = feed
    .filter(({ type }) => !TOLD_AS_CALLS.has(type))
    .map(({ type, detail }): OutboxDraft => {
      const named = (type.startsWith('sos.') ? type : `sos.${type}`) as OutboxType;
      return { type: named, at, data: { sessionId, phase, zoneId, detail } };
    });
  const calls = legs.flatMap(({ legId, change }): OutboxDraft[] => {
    const leg = parseLegId(legId);
    if (leg?.kind !== 'citizen-phone' && leg?.kind !== 'operator-phone') return [];
    const type = callEventOf(change);
    if (type === null) return [];
    const end =
      change.state === 'ended'
        ? { outcome: change.outcome, sipStatus: change.sipStatus, q850: change.q850 }
        : {};
    return [{ type, at: change.at, data: { callId: legId, sessionId, leg: leg.kind, ...end } }];
  });
  return [...news, ...calls];
}

/** What a change of a leg is called outside; null: nothing that is told. */
function callEventOf(change: LegChange): CallEventType | null {
  switch (change.state) {
    case 'ringing':
      return 'call.ringing';
    case 'answered':
      return 'call.answered';
    case 'ended':
      return endedAs(change.outcome);
    case 'dialing':
    case 'progress':
    case 'carrier-reference':
    case 'tried':
    case 'try-ended':
      return null;
  }
}

/** `ended`: it was connected, or we gave it up ourselves; anything else has failed. */
export function endedAs(outcome: LegOutcome): CallEventType {
  return outcome === 'completed' || outcome === 'cancelled' ? 'call.ended' : 'call.failed';
}
