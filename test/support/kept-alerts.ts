/** Whoever is on call, for tests: what stands, everything that was raised, and what was told of it in order. */
import type { OpsAlert, OpsAlerts } from '../../control-plane/src/ports/ops-alerts.ts';

export interface KeptAlerts extends OpsAlerts {
  /** `raise trunk-down tata`, `resolve trunk-down tata`; what changes nothing is not told. */
  readonly told: string[];
  /** Every word, repeated ones too. */
  readonly raised: OpsAlert[];
  /** `<kind> <subject>` of each that stands, sorted. */
  readonly standing: readonly string[];
  /** By `<kind> <subject>`. */
  readonly byName: ReadonlyMap<string, OpsAlert>;
}

export function keptAlerts(): KeptAlerts {
  const told: string[] = [];
  const raised: OpsAlert[] = [];
  const byName = new Map<string, OpsAlert>();
  return {
    told,
    raised,
    byName,
    get standing() {
      return [...byName.keys()].sort();
    },
    raise(alert) {
      const key = `${alert.kind} ${alert.subject}`;
      raised.push(alert);
      if (!byName.has(key)) told.push(`raise ${key}`);
      byName.set(key, alert);
    },
    resolve(kind, subject) {
      if (byName.delete(`${kind} ${subject}`)) told.push(`resolve ${kind} ${subject}`);
    },
  };
}
