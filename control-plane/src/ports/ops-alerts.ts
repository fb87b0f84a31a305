/** Alerts for whoever is on call (TEL-8). Unlike a session's alerts they are about the gateway, not about a citizen. */
export type OpsAlertKind =
  /** OPTIONS, registration or calls say that the carrier does not answer. */
  | 'trunk-down'
  /** Fewer than 90 % of its calls end as a call should (over 5 min). */
  | 'trunk-success-rate'
  /** Its file contradicts itself or the account (TEL-2): it is not used until that is mended. */
  | 'trunk-disabled'
  /** No trunk took a call. */
  | 'trunks-dead'
  /** The trunk files cannot be read: the last good ones are in use. */
  | 'trunk-files-wrong'
  /** The secrets manager does not answer: last known values are in use. */
  | 'secrets-stale'
  /** A secret that is needed is nowhere. */
  | 'secret-missing'
  /** A wrapped credential could not be opened: somebody may have opened it before us, and have it. */
  | 'secret-unwrap'
  | 'webhook-failing'
  | 'database-away'
  | 'engine-away'
  | 'clock-step'
  | 'synthetic-call'
  | 'synthetic-sos'
  /** An alert of a session that a supervisor has to see, told here too because the panel may be the thing that fails. */
  | 'session-alert';

export interface OpsAlert {
  readonly kind: OpsAlertKind;
  /** What it is about: a trunk's name, an endpoint's id, a session's id. With the kind it is the alert's identity. */
  readonly subject: string;
  readonly severity: 'critical' | 'warning';
  /** One sentence for a human at 3 a.m.; holds no number, no secret. */
  readonly summary: string;
}

export interface OpsAlerts {
  /** Repeat-safe: an alert that stands is not raised anew. Never throws, never waits. */
  raise(alert: OpsAlert): void;
  /** One that does not stand is none. */
  resolve(kind: OpsAlertKind, subject: string): void;
}
