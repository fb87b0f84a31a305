/** Alerts for whoever is on call, one row each. */
import type { Knex } from 'knex';
import type { Instant } from '../../domain/ids.ts';
import type { OpsAlertKind, OpsAlertRecord, OpsAlertStore } from '../../ports/ops-alerts.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText, timestampTextOrNull } from './instant.ts';

const LOAD_SQL = `
SELECT id, kind, subject, severity, summary, ${instantSql('raised_at')} AS raised_at, acknowledged_by,
  ${instantSql('acknowledged_at')} AS acknowledged_at, ${instantSql('resolved_at')} AS resolved_at,
  ${instantSql('told_at')} AS told_at, returns
FROM ops_alerts ORDER BY resolved_at DESC NULLS FIRST, raised_at DESC LIMIT ?`;

/** What is over stays over, whichever node writes last. */
const SAVE_SQL = `
INSERT INTO ops_alerts AS a (id, kind, subject, severity, summary, raised_at, acknowledged_by, acknowledged_at, resolved_at,
  told_at, returns)
SELECT id, kind, subject, severity, summary, raised_at, acknowledged_by, acknowledged_at, resolved_at, told_at, returns
FROM json_to_recordset(?::json) AS r (id uuid, kind text, subject text, severity text, summary text, raised_at timestamptz,
  acknowledged_by text, acknowledged_at timestamptz, resolved_at timestamptz, told_at timestamptz, returns integer)
ON CONFLICT (id) DO UPDATE SET
  severity = excluded.severity, summary = excluded.summary,
  acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at,
  resolved_at = coalesce(a.resolved_at, excluded.resolved_at),
  told_at = greatest(a.told_at, excluded.told_at), returns = greatest(a.returns, excluded.returns)`;

interface Row {
  readonly id: string;
  readonly kind: OpsAlertKind;
  readonly subject: string;
  readonly severity: OpsAlertRecord['severity'];
  readonly summary: string;
  readonly raised_at: Instant;
  readonly acknowledged_by: string | null;
  readonly acknowledged_at: Instant | null;
  readonly resolved_at: Instant | null;
  readonly told_at: Instant;
  readonly returns: number;
}

export class PostgresOpsAlerts implements OpsAlertStore {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async load(limit: number): Promise<readonly OpsAlertRecord[]> {
    const { rows } = await guarded(this.#knex.raw<{ rows: Row[] }>(LOAD_SQL, [limit]));
    return rows.map(
      ({ acknowledged_by: by, acknowledged_at: at, raised_at, resolved_at, told_at, ...row }) => ({
        ...row,
        raisedAt: raised_at,
        acknowledged: by === null || at === null ? null : { by, at },
        resolvedAt: resolved_at,
        toldAt: told_at,
      }),
    );
  }

  async save(records: readonly OpsAlertRecord[]): Promise<void> {
    const rows = records.map((record) => ({
      id: record.id,
      kind: record.kind,
      subject: record.subject,
      severity: record.severity,
      summary: record.summary,
      raised_at: timestampText(record.raisedAt),
      acknowledged_by: record.acknowledged?.by ?? null,
      acknowledged_at: timestampTextOrNull(record.acknowledged?.at ?? null),
      resolved_at: timestampTextOrNull(record.resolvedAt),
      told_at: timestampText(record.toldAt),
      returns: record.returns,
    }));
    await guarded(this.#knex.raw(SAVE_SQL, [JSON.stringify(rows)]));
  }
}
