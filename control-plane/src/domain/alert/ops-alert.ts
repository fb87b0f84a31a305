/** Alerts for whoever is on call (TEL-8). Unlike a session's alerts they are about the gateway, not about a citizen. */
import type { Instant } from '../ids.ts';

export const OPS_ALERT_KINDS = [
  /** OPTIONS, registration or calls say that the carrier does not answer. */
  'trunk-down',
  /** Fewer than 90 % of its calls end as a call should (over 5 min). */
  'trunk-success-rate',
  /** Its file contradicts itself or the account (TEL-2): it is not used until that is mended. */
  'trunk-disabled',
  /** No trunk took a call. */
  'trunks-dead',
  /** The trunk files cannot be read: the last good ones are in use. */
  'trunk-files-wrong',
  /** The secrets manager does not answer: last known values are in use. */
  'secrets-stale',
  /** A secret that is needed is nowhere. */
  'secret-missing',
  /** A wrapped credential could not be opened: somebody may have opened it before us, and have it. */
  'secret-unwrap',
  'webhook-failing',
  'database-away',
  'engine-away',
  'clock-step',
  'synthetic-call',
  'synthetic-sos',
  /** An alert of a session that a supervisor has to see, told here too because the panel may be the thing that fails. */
  'session-alert',
] as const;
export type OpsAlertKind = (typeof OPS_ALERT_KINDS)[number];

export interface OpsAlert {
  readonly kind: OpsAlertKind;
  /** What it is about: a trunk's name, an endpoint's id, a session's id. With the kind it is the alert's identity. */
  readonly subject: string;
  readonly severity: 'critical' | 'warning';
  /** One sentence for a human at 3 a.m.; holds no number, no secret. */
  readonly summary: string;
}

/** An alert from its beginning to its end. The same trouble later is another one, with an id of its own. */
export interface OpsAlertRecord extends OpsAlert {
  readonly id: string;
  readonly raisedAt: Instant;
  readonly acknowledged: { readonly by: string; readonly at: Instant } | null;
  /** `null`: it stands. */
  readonly resolvedAt: Instant | null;
  /** When whoever is on call was last told that it stands. */
  readonly toldAt: Instant;
  /** How often it has come back soon after it went. */
  readonly returns: number;
}

/** `changed`: its words, or that it came back before anybody was told that it went. Of that nobody is woken. */
export interface OpsAlertNews {
  readonly what: 'raised' | 'repeated' | 'changed' | 'acknowledged' | 'resolved';
  readonly record: OpsAlertRecord;
}
