/** An alert for something that is often over before anybody could look: it is raised only when it lasts. */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { OpsAlert, OpsAlerts } from '../ports/ops-alerts.ts';

export class HeldAlert {
  readonly #alerts: OpsAlerts;
  readonly #alert: OpsAlert;
  readonly #clock: Clock;
  readonly #afterMs: number;
  #cancel: (() => void) | null = null;

  constructor(alerts: OpsAlerts, alert: OpsAlert, clock: Clock, afterMs: number) {
    this.#alerts = alerts;
    this.#alert = alert;
    this.#clock = clock;
    this.#afterMs = afterMs;
  }

  /** Harmless when repeated. */
  begin(): void {
    if (this.#cancel) return;
    const at = (this.#clock.now() + this.#afterMs) as Instant;
    this.#cancel = this.#clock.at(at, () => this.#alerts.raise(this.#alert));
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#alerts.resolve(this.#alert.kind, this.#alert.subject);
  }

  /** Nobody watches it any more: what stands, stands. */
  stop(): void {
    this.#cancel?.();
  }
}
