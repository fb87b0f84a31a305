/** Makes heads. Sealers keep each other out; sessions are never locked while they are open, so no SOS waits for one. */
import type { Knex } from 'knex';
import { FIRST_PREVIOUS, recordHash, signHead } from '../../evidence/audit-head.ts';
import type { AuditLeaf } from '../../evidence/audit-head.ts';
import type { AuditSigner } from '../../evidence/audit-key.ts';
import { microsecondsOf } from '../../evidence/microseconds.ts';
import { recordHashOf } from '../../evidence/session-record.ts';
import type { Instant } from '../../domain/ids.ts';
import type { AuditHead, AuditLog } from '../../ports/audit-log.ts';
import { HEAD_COLUMNS, MAX_LEAVES, RECORD_COLUMNS, SESSION_RECORD_COLUMNS } from './audit-rows.ts';
import type { HeadRow, RecordRow, SessionRecordRow } from './audit-rows.ts';
import { guarded } from './guarded.ts';
import { timestampText } from './instant.ts';

/** "AUDT". Freed with the transaction. */
const LOCK_SQL = 'SELECT pg_try_advisory_xact_lock(1096107092, 1) AS mine';
/** For legs that never end: so long after the last change a session counts as at rest. */
const REST = '1 minute';

/** Whatever has no head over its last event yet, and sessions that have come to rest since. */
const CHANGED_SQL = `
SELECT ${SESSION_RECORD_COLUMNS}, rest.is_over AS "atRest"
FROM sessions s
CROSS JOIN LATERAL (
  SELECT s.ended_at IS NOT NULL
    AND (s.state->'legs' = '[]'::jsonb OR s.changed_at < ?::timestamptz - interval '${REST}') AS is_over
) rest
LEFT JOIN LATERAL (
  SELECT l.seq, l.record_hash FROM audit_leaves l WHERE l.session_id = s.id ORDER BY l.head DESC LIMIT 1
) last ON true
WHERE s.sealed_at IS NULL AND (last.seq IS DISTINCT FROM s.seq OR (rest.is_over AND last.record_hash IS NULL))
ORDER BY s.id LIMIT ${MAX_LEAVES}`;

/** They are numbered in the order of their commits and sealed in that order: what is above the last sealed one is new. */
const UNSEALED_RECORDS_SQL = `
SELECT ${RECORD_COLUMNS} FROM audit_records r
WHERE r.number > (SELECT coalesce(max(l.record), 0) FROM audit_leaves l WHERE l.record IS NOT NULL)
ORDER BY r.number LIMIT ${MAX_LEAVES}`;

const LEAVES_SQL = `
INSERT INTO audit_leaves (head, place, session_id, seq, record, hash, record_hash)
SELECT ?, l.place, l."sessionId", l.seq, l.number, decode(l.hash, 'hex'), decode(l."recordHash", 'hex')
FROM json_to_recordset(?::json)
  AS l (place integer, "sessionId" uuid, seq bigint, number bigint, hash text, "recordHash" text)`;

const HEAD_SQL = `
INSERT INTO audit_heads (number, at, previous, leaves, root, key_id, hash, signature)
VALUES (?, ?, decode(?, 'hex'), ?, decode(?, 'hex'), ?, decode(?, 'hex'), decode(?, 'base64'))`;

const SEALED_SQL = `
UPDATE sessions s SET sealed_at = ?::timestamptz
FROM audit_leaves l
WHERE l.head = ? AND l.record_hash IS NOT NULL AND s.id = l.session_id AND s.seq = l.seq`;

export class PostgresAuditLog implements AuditLog {
  readonly #knex: Knex;
  readonly #signer: AuditSigner;

  constructor(knex: Knex, signer: AuditSigner) {
    this.#knex = knex;
    this.#signer = signer;
  }

  /** One snapshot: what a head is made over is of one moment. A change of a session at rest meanwhile undoes it. */
  seal(at: Instant): Promise<AuditHead | null> {
    return guarded(
      this.#knex.transaction(
        async (trx) => {
          const { rows: locks } = await trx.raw<{ rows: { mine: boolean }[] }>(LOCK_SQL);
          if (locks[0]?.mine !== true) return null;
          const leaves = await changedLeaves(trx, at);
          if (leaves.length === 0) return null;
          const { rows } = await trx.raw<{ rows: HeadRow[] }>(
            `SELECT ${HEAD_COLUMNS} FROM audit_heads h ORDER BY h.number DESC LIMIT 1`,
          );
          const before = rows[0];
          const head = signHead(
            this.#signer,
            (before?.number ?? 0) + 1,
            Math.max(microsecondsOf(at), before?.at ?? 0),
            before?.hash ?? FIRST_PREVIOUS,
            leaves,
          );
          await write(trx, head, leaves, at);
          return head;
        },
        { isolationLevel: 'repeatable read' },
      ),
    );
  }

  async heads(after: number, limit: number): Promise<readonly AuditHead[]> {
    const { rows } = await guarded(
      this.#knex.raw<{ rows: HeadRow[] }>(
        `SELECT ${HEAD_COLUMNS} FROM audit_heads h WHERE h.number > ? ORDER BY h.number LIMIT ?`,
        [after, limit],
      ),
    );
    return rows;
  }
}

async function changedLeaves(trx: Knex.Transaction, at: Instant): Promise<readonly AuditLeaf[]> {
  const records = await trx.raw<{ rows: RecordRow[] }>(UNSEALED_RECORDS_SQL);
  const sessions = await trx.raw<{ rows: (SessionRecordRow & { readonly atRest: boolean })[] }>(CHANGED_SQL, [
    timestampText(at),
  ]);
  return [
    ...records.rows.map((row): AuditLeaf => ({ kind: 'record', number: row.number, hash: recordHash(row) })),
    ...sessions.rows.map((row): AuditLeaf => ({
      kind: 'session',
      sessionId: row.sessionId,
      seq: row.seq,
      hash: row.hash.toString('hex'),
      recordHash: row.atRest ? recordHashOf(row.columns, row.legs) : null,
    })),
  ];
}

async function write(
  trx: Knex.Transaction,
  head: AuditHead,
  leaves: readonly AuditLeaf[],
  at: Instant,
): Promise<void> {
  await trx.raw(HEAD_SQL, [
    head.number,
    head.at,
    head.previous,
    head.leaves,
    head.root,
    head.keyId,
    head.hash,
    head.signature,
  ]);
  const placed = leaves.map((leaf, place) => ({ ...leaf, place }));
  await trx.raw(LEAVES_SQL, [head.number, JSON.stringify(placed)]);
  await trx.raw(SEALED_SQL, [timestampText(at), head.number]);
}
