/** Alerts: raised, repeated until somebody acknowledges them, and raised anew while she has no voice. */
import type { OperatorId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { AlertKind } from './session.ts';

/** `false`: no alert of this kind waits for it. */
export function acknowledgeAlert(draft: Draft, kind: AlertKind, by: OperatorId): boolean {
  const { alerts } = draft.facts;
  if (!alerts.some((alert) => alert.kind === kind && alert.acknowledgedBy === null)) return false;
  draft.change({
    alerts: alerts.map((alert) => (alert.kind === kind ? { ...alert, acknowledgedBy: by } : alert)),
  });
  draft.publish('sos.alert-acknowledged', { kind, by });
  return true;
}

/** `false`: nobody has looked yet, and it is the same doubt. */
export function doubtRecord(draft: Draft): boolean {
  const { alerts } = draft.facts;
  if (alerts.some((alert) => alert.kind === 'record-doubtful' && alert.acknowledgedBy === null)) return false;
  draft.raise('record-doubtful');
  return true;
}

/** What it tells of is over, though nobody has said so: she is heard, or speaks with somebody. */
function isMoot(draft: Draft, kind: AlertKind): boolean {
  if (kind === 'long-session' || kind === 'record-doubtful') return false;
  return draft.hasVoice || (kind === 'no-operator' && draft.facts.assignment?.state === 'assigned');
}

/**
 * The time of `policy.alertRepeatMs` is over: what still stands is told again; no voice at all is an alert of its own.
 * A queued session asks for an operator once more: a shift may have begun by the clock alone.
 */
export function repeatAlerts(draft: Draft): void {
  draft.change({ alertRepeatAt: null });
  for (const { kind, acknowledgedBy } of draft.facts.alerts)
    if (acknowledgedBy === null && !isMoot(draft, kind)) draft.publish('sos.alert', { kind, repeated: true });
  if (!draft.hasVoice && draft.facts.watchdogAt === null) draft.raise('no-voice');
  if (draft.facts.assignment?.state === 'queued') draft.order({ type: 'roster.assign', exclude: [] });
}
