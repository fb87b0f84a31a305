/**
 * One session as it is proved: its chained events, the row that sums them up, and its call records. The row and the
 * calls are hashed once the session is at rest; `null` columns are part of it.
 */
import { createHash } from 'node:crypto';
import type { ChainRow } from './event-chain.ts';
import { canonicalJson } from './canonical-json.ts';

export type RecordColumns = Readonly<Record<string, unknown>>;

export interface SessionRecord {
  readonly sessionId: string;
  /** Number and hash of its last event, as its row says. */
  readonly seq: number;
  readonly hash: Buffer;
  readonly citizenId: string;
  /** Microseconds; `null`: open. */
  readonly endedAt: number | null;
  readonly columns: RecordColumns;
  readonly legs: readonly RecordColumns[];
  readonly events: readonly ChainRow[];
}

export function recordHashOf(columns: RecordColumns, legs: readonly RecordColumns[]): string {
  return createHash('sha256')
    .update(canonicalJson(['hamrahi/session-record/1', columns, legs]))
    .digest('hex');
}
