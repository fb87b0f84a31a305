/** An alert in the words of Prometheus' Alertmanager: labels say which one it is, annotations what of it. */
import { createHash } from 'node:crypto';
import type { OpsAlertRecord } from '../../ports/ops-alerts.ts';

export interface AlertWords {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

/** Of the labels all but the severity, which may rise while it stands, are the alert's identity. */
export function wordsOf({
  kind,
  subject,
  summary,
  severity,
  raisedAt,
  acknowledged,
}: OpsAlertRecord): AlertWords {
  return {
    labels: { alertname: alertNameOf(kind), kind, subject, severity, service: 'hamrahi' },
    annotations: { summary, ...(acknowledged ? { acknowledgedBy: acknowledged.by } : {}) },
    startsAt: new Date(raisedAt).toISOString(),
  };
}

/** `trunk-down` → `HamrahiTrunkDown`. */
export function alertNameOf(kind: string): string {
  const words = kind.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `Hamrahi${words.join('')}`;
}

/** Of one alert always the same, 16 hex digits. */
export function fingerprintOf({ kind, subject }: OpsAlertRecord): string {
  return createHash('sha256').update(`${kind}\0${subject}`).digest('hex').slice(0, 16);
}
