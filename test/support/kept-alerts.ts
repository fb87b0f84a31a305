/** Alerts for tests: which of them stand, and every one that was raised. */
import type { OpsAlert, OpsAlerts } from '../../control-plane/src/ports/ops-alerts.ts';

export interface KeptAlerts extends OpsAlerts {
  /** `kind:subject` of those that stand, in the order of their raising. */
  readonly standing: readonly string[];
  readonly raised: readonly OpsAlert[];
}

export function keptAlerts(): KeptAlerts {
  const standing = new Map<string, OpsAlert>();
  const raised: OpsAlert[] = [];
  return {
    raised,
    get standing() {
      return [...standing.keys()];
    },
    raise: (alert) => {
      const key = `${alert.kind}:${alert.subject}`;
      if (standing.has(key)) return;
      standing.set(key, alert);
      raised.push(alert);
    },
    resolve: (kind, subject) => void standing.delete(`${kind}:${subject}`),
  };
}
