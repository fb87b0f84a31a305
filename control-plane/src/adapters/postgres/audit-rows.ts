/** Rows of the audit tables as the heads, leaves and records that they hold. */
import type { AuditLeaf, AuditRecord } from '../../evidence/audit-head.ts';
import type { AuditHead } from '../../ports/audit-log.ts';
import type { SessionRecord } from '../../evidence/session-record.ts';

/**
 * Of one kind under one head. A head with so many was full: there was more to be sealed when it was made. The index
 * `audit_heads_not_full` has the same number.
 */
export const MAX_LEAVES = 2000;

/** Of `audit_heads h`. */
export const HEAD_COLUMNS = `h.number::float8 AS number, h.at::float8 AS at, encode(h.previous, 'hex') AS previous, h.leaves,
  encode(h.root, 'hex') AS root, h.key_id AS "keyId", encode(h.hash, 'hex') AS hash,
  replace(encode(h.signature, 'base64'), E'\\n', '') AS signature`;

/** Keys in the order of the columns, so that a row is a head. */
export type HeadRow = AuditHead;

export const LEAF_COLUMNS = `l.head::float8 AS head, l.session_id, l.seq::float8 AS seq, l.record::float8 AS record,
  encode(l.hash, 'hex') AS hash, encode(l.record_hash, 'hex') AS record_hash`;

export interface LeafRow {
  readonly head: number;
  readonly session_id: string | null;
  readonly seq: number | null;
  readonly record: number | null;
  readonly hash: string;
  readonly record_hash: string | null;
}

export function leafOf({ session_id, seq, record, hash, record_hash }: LeafRow): AuditLeaf {
  return session_id === null
    ? { kind: 'record', number: record ?? 0, hash }
    : { kind: 'session', sessionId: session_id, seq: seq ?? 0, hash, recordHash: record_hash };
}

export function sessionLeafOf(row: LeafRow): Extract<AuditLeaf, { kind: 'session' }> {
  const leaf = leafOf(row);
  if (leaf.kind !== 'session') throw new Error('a leaf of another kind');
  return leaf;
}

export const RECORD_COLUMNS = 'r.number::float8 AS number, r.at::float8 AS at, r.kind, r.detail';
export type RecordRow = AuditRecord;

const micros = (column: string): string => `round(extract(epoch from ${column}) * 1000000)::bigint`;

const json = (columns: readonly (readonly [key: string, sql: string])[]): string =>
  `json_build_object(${columns.map(([key, sql]) => `'${key}', ${sql}`).join(', ')})`;

/** The session's row as it is hashed. A column that is added later is not part of it. */
const SESSION_JSON = json([
  ['citizenId', 's.citizen_id'],
  ['deviceId', 's.device_id'],
  ['zoneId', 's.zone_id'],
  ['phase', 's.phase'],
  ['createdAt', micros('s.created_at')],
  ['activatedAt', micros('s.activated_at')],
  ['operatorId', 's.operator_id'],
  ['webrtcSessionId', 's.webrtc_session_id'],
  ['degradedReason', 's.degraded_reason'],
  ['fallbackFailedAt', micros('s.fallback_failed_at')],
  ['fallbackInitiatedAt', micros('s.fallback_initiated_at')],
  ['fallbackCallReference', 's.fallback_call_reference'],
  ['fallbackReason', 's.fallback_reason'],
  ['endedAt', micros('s.ended_at')],
  ['endedBy', 's.ended_by'],
  ['resolvedAt', micros('s.resolved_at')],
]);

const LEG_JSON = json([
  ['id', 'g.id'],
  ['kind', 'g.kind'],
  ['attempt', 'g.attempt'],
  ['partyRole', 'g.party_role'],
  ['partyId', 'g.party_id'],
  ['dialledAt', micros('g.dialed_at')],
  ['ringingAt', micros('g.ringing_at')],
  ['progressAt', micros('g.progress_at')],
  ['answeredAt', micros('g.answered_at')],
  ['endedAt', micros('g.ended_at')],
  ['outcome', 'g.outcome'],
  ['sipStatus', 'g.sip_status'],
  ['q850', 'g.q850'],
  ['carrierCallId', 'g.carrier_call_id'],
]);

/** A session without its events. */
export const SESSION_RECORD_COLUMNS = `s.id AS "sessionId", s.seq::float8 AS seq, s.chain_head AS hash,
  s.citizen_id AS "citizenId", ${micros('s.ended_at')}::float8 AS "endedAt", ${SESSION_JSON} AS columns,
  (SELECT coalesce(json_agg(${LEG_JSON} ORDER BY g.id COLLATE "C"), '[]'::json)
    FROM legs g WHERE g.session_id = s.id) AS legs`;

export type SessionRecordRow = Omit<SessionRecord, 'events'>;
