import { PhoneLines } from '../../control-plane/src/app/lines/phone-lines.ts';
import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';
import type { Clock } from '../../control-plane/src/ports/clock.ts';
import type { OpsAlert } from '../../control-plane/src/ports/ops-alerts.ts';
import type { PbxDriver } from '../../control-plane/src/ports/pbx-driver.ts';
import type { TrunkState, TryReport } from '../../control-plane/src/ports/trunk-health.ts';
import { silentLog } from './silent-log.ts';
import { silentMetrics } from './silent-metrics.ts';
import { CARRIER_TRUNK } from './trunk-sample.ts';

/** Lines on an engine, with what they report and alert of; the test says how trunks stand. */
export interface PhoneLinesLab {
  readonly lines: PhoneLines;
  readonly reports: readonly TryReport[];
  /** Raised and not resolved. */
  readonly standing: readonly OpsAlert[];
  readonly states: Map<string, TrunkState>;
  readonly p95: Map<string, number>;
  trunks: readonly Trunk[];
}

export function phoneLinesLab(
  pbx: PbxDriver,
  clock: Clock,
  trunks: readonly Trunk[] = [CARRIER_TRUNK],
): PhoneLinesLab {
  const reports: TryReport[] = [];
  const standing: OpsAlert[] = [];
  const states = new Map<string, TrunkState>();
  const p95 = new Map<string, number>();
  const lab = { reports, standing, states, p95, trunks };
  const lines = new PhoneLines({
    pbx,
    trunks: () => lab.trunks,
    health: {
      report: (report) => reports.push(report),
      qualified: () => undefined,
      engineLost: () => undefined,
      stateOf: (trunk) => states.get(trunk) ?? 'up',
      p95PostDialDelayMs: (trunk) => p95.get(trunk) ?? null,
    },
    alerts: {
      raise: (alert) => standing.push(alert),
      resolve: (kind, subject) => {
        const index = standing.findIndex((one) => one.kind === kind && one.subject === subject);
        if (index >= 0) standing.splice(index, 1);
      },
    },
    clock,
    log: silentLog,
    metrics: silentMetrics,
  });
  return Object.assign(lab, { lines });
}
