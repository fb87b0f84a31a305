/** An alert as people see it. */
import type { OpsAlertView } from '../contracts/alert-api.ts';
import type { OpsAlertRecord } from '../domain/alert/ops-alert.ts';
import type { Instant } from '../domain/ids.ts';

export function alertViewOf(record: OpsAlertRecord): OpsAlertView {
  const { id, kind, subject, severity, summary, raisedAt, acknowledged, resolvedAt, toldAt, returns } =
    record;
  return {
    id,
    kind,
    subject,
    severity,
    summary,
    state: resolvedAt === null ? 'standing' : 'resolved',
    raisedAt: textOf(raisedAt),
    acknowledged: acknowledged && { by: acknowledged.by, at: textOf(acknowledged.at) },
    resolvedAt: resolvedAt === null ? null : textOf(resolvedAt),
    toldAt: textOf(toldAt),
    returns,
  };
}

/** RFC 3339, UTC, milliseconds. */
function textOf(at: Instant): string {
  return new Date(at).toISOString();
}
