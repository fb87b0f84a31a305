/** Alerts for whoever is on call as lines of the log: one when an alert begins to stand, one when it is over. */
import type { Log } from '../ports/log.ts';
import type { OpsAlerts } from '../ports/ops-alerts.ts';

export function loggedAlerts(log: Log): OpsAlerts {
  const standing = new Set<string>();
  const keyOf = (kind: string, subject: string): string => `${kind} ${subject}`;
  return {
    raise: ({ kind, subject, severity, summary }) => {
      if (standing.has(keyOf(kind, subject))) return;
      standing.add(keyOf(kind, subject));
      log[severity === 'critical' ? 'error' : 'warn']('an alert stands', {
        kind,
        subject,
        severity,
        summary,
      });
    },
    resolve: (kind, subject) => {
      if (standing.delete(keyOf(kind, subject))) log.info('an alert is over', { kind, subject });
    },
  };
}
