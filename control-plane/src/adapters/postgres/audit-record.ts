/** Writes entries about the log itself, in the transaction that does what they tell of. */
import type { Knex } from 'knex';
import type { AuditRecord } from '../../evidence/audit-head.ts';
import { canonicalJson } from '../../evidence/canonical-json.ts';
import { microsecondsOf } from '../../evidence/microseconds.ts';
import type { Instant } from '../../domain/ids.ts';

/** "AUDT"; held to the end of the transaction, so that numbers have no gaps. */
const LOCK_SQL = 'SELECT pg_advisory_xact_lock(1096107092, 2)';

/** Returns its number. */
export async function writeAuditRecord(
  trx: Knex.Transaction,
  kind: AuditRecord['kind'],
  detail: AuditRecord['detail'],
  at: Instant,
): Promise<number> {
  await trx.raw(LOCK_SQL);
  const { rows } = await trx.raw<{ rows: { number: number }[] }>(
    `INSERT INTO audit_records (number, at, kind, detail)
     SELECT coalesce(max(r.number), 0) + 1, ?, ?, ?::json FROM audit_records r RETURNING number::float8 AS number`,
    [microsecondsOf(at), kind, canonicalJson(detail)],
  );
  const [row] = rows;
  if (!row) throw new Error('an entry returned no row');
  return row.number;
}
