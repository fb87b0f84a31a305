/** Whoever is on call, for tests: what was raised and resolved, in order. */
import type { OpsAlert, OpsAlerts } from '../../control-plane/src/ports/ops-alerts.ts';

export interface ToldAlerts extends OpsAlerts {
  /** `raise trunk-down tata`, `resolve trunk-down tata`; what changes nothing is not told. */
  readonly told: string[];
  readonly standing: ReadonlyMap<string, OpsAlert>;
}

export function toldAlerts(): ToldAlerts {
  const told: string[] = [];
  const standing = new Map<string, OpsAlert>();
  return {
    told,
    standing,
    raise(alert) {
      const key = `${alert.kind} ${alert.subject}`;
      if (!standing.has(key)) told.push(`raise ${key}`);
      standing.set(key, alert);
    },
    resolve(kind, subject) {
      if (standing.delete(`${kind} ${subject}`)) told.push(`resolve ${kind} ${subject}`);
    },
  };
}
