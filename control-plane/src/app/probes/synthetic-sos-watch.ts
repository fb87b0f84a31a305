/**
 * Who watches the probe: where a synthetic SOS is expected so often and none is heard, the probe is dead or the way in is
 * (a certificate, a firewall, the edge), and neither is known to the gateway otherwise. The probe itself tells of a gateway that is dead.
 */
import type { Instant, ZoneId } from '../../domain/ids.ts';
import type { Session } from '../../domain/session/session.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metrics } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';

/** Runs in a row that may be missed: a deployment of the probe, a failure that the probe has told of by then. */
const MISSED = 3;
const SUBJECT = 'probe';

export interface SyntheticSosWatchPorts {
  readonly zone: ZoneId;
  /** Between two runs of the probe. */
  readonly everyMs: number;
  readonly alerts: OpsAlerts;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class SyntheticSosWatch {
  readonly #ports: SyntheticSosWatchPorts;
  #cancel: () => void = () => undefined;

  constructor(ports: SyntheticSosWatchPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#again();
  }

  stop(): void {
    this.#cancel();
  }

  /** A session as it is now. Harmless when repeated. */
  note(session: Session): void {
    const { zone, alerts, clock, metrics } = this.#ports;
    const { zoneId, phase } = session;
    if (zoneId !== zone || (phase !== 'active' && phase !== 'phone-connected')) return;
    metrics.gauge('hamrahi_synthetic_sos_heard_at_seconds', Math.round(clock.now() / 1000));
    alerts.resolve('synthetic-sos', SUBJECT);
    this.#again();
  }

  #again(): void {
    const { everyMs, clock } = this.#ports;
    this.#cancel();
    this.#cancel = clock.at((clock.now() + MISSED * everyMs) as Instant, () => {
      this.#missed();
      this.#again();
    });
  }

  #missed(): void {
    const { alerts, everyMs } = this.#ports;
    const minutes = Math.round((MISSED * everyMs) / 6000) / 10;
    const summary = `No synthetic SOS has been heard for ${minutes} min: the probe does not run, or nobody's SOS comes through.`;
    alerts.raise({ kind: 'synthetic-sos', subject: SUBJECT, severity: 'critical', summary });
  }
}
