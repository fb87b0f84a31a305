/** Alerts as lines of the log: once when one is raised, once when it is over. */
import type { Log } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';

export function logAlerts(log: Log): OpsAlerts {
  const standing = new Set<string>();
  return {
    raise: ({ kind, subject, severity, summary }) => {
      const key = `${kind} ${subject}`;
      if (standing.has(key)) return;
      standing.add(key);
      log[severity === 'critical' ? 'error' : 'warn']('alert', { kind, subject, severity, summary });
    },
    resolve: (kind, subject) => {
      if (standing.delete(`${kind} ${subject}`)) log.info('alert is over', { kind, subject });
    },
  };
}
