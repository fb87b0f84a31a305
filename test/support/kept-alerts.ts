/** Alerts for tests: what stands, and everything that was ever raised. */
import type { OpsAlert, OpsAlerts } from '../../control-plane/src/ports/ops-alerts.ts';

export interface KeptAlerts extends OpsAlerts {
  /** `<kind> <subject>` of each that stands, sorted. */
  readonly standing: readonly string[];
  readonly raised: OpsAlert[];
}

export function keptAlerts(): KeptAlerts {
  const standing = new Set<string>();
  const raised: OpsAlert[] = [];
  return {
    raised,
    get standing() {
      return [...standing].sort();
    },
    raise: (alert) => {
      raised.push(alert);
      standing.add(`${alert.kind} ${alert.subject}`);
    },
    resolve: (kind, subject) => void standing.delete(`${kind} ${subject}`),
  };
}
