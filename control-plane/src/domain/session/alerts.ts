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

/** The time of `policy.alertRepeatMs` is over: what still stands is told again; no voice at all is an alert of its own. */
export function repeatAlerts(draft: Draft): void {
  draft.change({ alertRepeatAt: null });
  for (const { kind, acknowledgedBy } of draft.facts.alerts)
    if (acknowledgedBy === null) draft.publish('sos.alert', { kind, repeated: true });
  if (!draft.hasVoice && draft.facts.watchdogAt === null) draft.raise('no-voice');
}
