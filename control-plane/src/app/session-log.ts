/** One line for each step of a session that somebody on call wants to see. No personal data: ids and words alone. */
import type { LegChange } from '../domain/session/command.ts';
import type { LegId } from '../domain/ids.ts';
import { isLive } from '../domain/session/session.ts';
import type { Alert, Session } from '../domain/session/session.ts';
import type { Log } from '../ports/log.ts';

export function logSession(log: Log, before: Session | null, after: Session): void {
  const sessionId = after.id;
  if (before?.phase !== after.phase) {
    log.info('session phase', {
      sessionId,
      from: before?.phase ?? null,
      to: after.phase,
      zone: after.zoneId,
      reason: isLive(after) ? after.degradedReason : null,
      fallback: isLive(after) ? (after.fallback?.reason ?? null) : null,
    });
  }
  if (isLive(after) && after.stream.retryUsed && !(before && isLive(before) && before.stream.retryUsed))
    log.info('session retry', { sessionId, reason: after.degradedReason });
  for (const { kind } of newAlerts(before, after)) log.warn('session alert', { sessionId, kind });
}

/** How a leg went: with the carrier's own words, for the ticket to the carrier. */
export function logLeg(log: Log, legId: LegId, change: LegChange): void {
  if (change.state !== 'ended') return;
  const { outcome, sipStatus, q850 } = change;
  log.info('leg ended', { legId, outcome, sipStatus, q850 });
}

function newAlerts(before: Session | null, after: Session): readonly Alert[] {
  const known = before && 'alerts' in before ? before.alerts : [];
  const now = 'alerts' in after ? after.alerts : [];
  return now.filter(
    (alert) => !known.some((one) => one.kind === alert.kind && one.raisedAt === alert.raisedAt),
  );
}
