/** Alerts as a channel is given them, for tests. */
import type { Instant } from '../../control-plane/src/domain/ids.ts';
import type { OpsAlertNews, OpsAlertRecord } from '../../control-plane/src/ports/ops-alerts.ts';

export function alertNews(what: OpsAlertNews['what'], change: Partial<OpsAlertRecord> = {}): OpsAlertNews {
  const record: OpsAlertRecord = {
    id: '5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a11',
    kind: 'trunk-down',
    subject: 'tata',
    severity: 'critical',
    summary: 'Trunk tata is down: it does not answer OPTIONS.',
    raisedAt: Date.parse('2026-11-20T21:30:00.250Z') as Instant,
    acknowledged: null,
    resolvedAt: what === 'resolved' ? (Date.parse('2026-11-20T21:42:00.000Z') as Instant) : null,
    toldAt: Date.parse('2026-11-20T21:30:00.250Z') as Instant,
    returns: 0,
    ...change,
  };
  return { what, record };
}
