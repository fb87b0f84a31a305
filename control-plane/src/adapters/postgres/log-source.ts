/** The log as one snapshot, page by page, for whoever checks or exports it. */
import type { Knex } from 'knex';
import type { Sealed } from '../../evidence/session-fault.ts';
import type { ProvenHead } from '../../evidence/bundle.ts';
import { leafHashOf } from '../../evidence/audit-head.ts';
import { merklePath } from '../../evidence/merkle.ts';
import type { SessionRecord } from '../../evidence/session-record.ts';
import type { LogSource } from '../../evidence/verify-log.ts';
import type { SessionId } from '../../domain/ids.ts';
import {
  HEAD_COLUMNS,
  LEAF_COLUMNS,
  leafOf,
  MAX_LEAVES,
  RECORD_COLUMNS,
  SESSION_RECORD_COLUMNS,
  sessionLeafOf,
} from './audit-rows.ts';
import type { HeadRow, LeafRow, RecordRow, SessionRecordRow } from './audit-rows.ts';
import { readChains } from './chain-rows.ts';
import { guarded } from './guarded.ts';

const PAGE_HEADS = 500;
/** A page of heads ends with the one that reaches it. */
const PAGE_LEAVES = 5000;
const PAGE_RECORDS = 1000;
const PAGE_SESSIONS = 100;
/** A deleted half of the log need not be listed whole. */
const MAX_ORPHANS = 1000;

export interface SnapshotReader extends LogSource {
  /** One session with every head over it; `null`: there is no such session. */
  session(
    id: SessionId,
  ): Promise<{ readonly session: SessionRecord; readonly heads: readonly ProvenHead[] } | null>;
}

/** Everything that `work` reads is of one moment. */
export function readLog<T>(knex: Knex, work: (log: SnapshotReader) => Promise<T>): Promise<T> {
  return guarded(
    knex.transaction((trx) => work(new Snapshot(trx)), {
      isolationLevel: 'repeatable read',
      readOnly: true,
    }),
  );
}

class Snapshot implements SnapshotReader {
  readonly #trx: Knex.Transaction;

  constructor(trx: Knex.Transaction) {
    this.#trx = trx;
  }

  async *heads(): ReturnType<LogSource['heads']> {
    for (let after = 0; ;) {
      const found = await this.#rows<HeadRow>(
        `SELECT ${HEAD_COLUMNS} FROM audit_heads h WHERE h.number > ? ORDER BY h.number LIMIT ?`,
        [after, PAGE_HEADS],
      );
      const heads = untilFull(found);
      const leaves = await this.#leavesOf(heads.map((head) => head.number));
      for (const head of heads) yield { head, leaves: (leaves.get(head.number) ?? []).map(leafOf) };
      const last = heads.at(-1);
      if (!last) return;
      after = last.number;
    }
  }

  async *records(): ReturnType<LogSource['records']> {
    for (let after = 0; ;) {
      const rows = await this.#rows<RecordRow & { readonly sealed: string | null }>(
        `SELECT ${RECORD_COLUMNS}, (SELECT encode(l.hash, 'hex') FROM audit_leaves l WHERE l.record = r.number
           ORDER BY l.head LIMIT 1) AS sealed
         FROM audit_records r WHERE r.number > ? ORDER BY r.number LIMIT ?`,
        [after, PAGE_RECORDS],
      );
      for (const { sealed, ...record } of rows) yield { record, sealedHash: sealed };
      const last = rows.at(-1);
      if (!last || rows.length < PAGE_RECORDS) return;
      after = last.number;
    }
  }

  async *orphans(): ReturnType<LogSource['orphans']> {
    const rows = await this.#rows<LeafRow>(
      `SELECT DISTINCT ON (l.session_id, l.record) ${LEAF_COLUMNS} FROM audit_leaves l
       WHERE (l.session_id IS NOT NULL AND NOT EXISTS (SELECT FROM sessions s WHERE s.id = l.session_id))
         OR (l.record IS NOT NULL AND NOT EXISTS (SELECT FROM audit_records r WHERE r.number = l.record))
       ORDER BY l.session_id, l.record, l.head DESC LIMIT ?`,
      [MAX_ORPHANS],
    );
    for (const row of rows) yield { head: row.head, leaf: leafOf(row) };
  }

  /** In the order of time, as they lie on the disk: in that of their ids each would be read from another place. */
  async *sessions(): ReturnType<LogSource['sessions']> {
    const begun = '(SELECT b.created_at, b.id FROM sessions b WHERE b.id = ?::uuid)';
    for (let after: string | null = null; ;) {
      const where = after === null ? 'true' : `(s.created_at, s.id) > ${begun}`;
      const page: readonly SessionRecord[] = await this.#records(
        `${where} ORDER BY s.created_at, s.id LIMIT ?`,
        after === null ? [PAGE_SESSIONS] : [after, PAGE_SESSIONS],
      );
      const sealed = await this.#sealedOf(page.map((one) => one.sessionId));
      for (const session of page) yield { session, sealed: sealed.get(session.sessionId) ?? [] };
      const last = page.at(-1);
      if (!last || page.length < PAGE_SESSIONS) return;
      after = last.sessionId;
    }
  }

  async session(id: SessionId): ReturnType<SnapshotReader['session']> {
    const [session] = await this.#records('s.id = ?::uuid', [id]);
    if (!session) return null;
    const rows = await this.#rows<HeadRow & { readonly place: number }>(
      `SELECT ${HEAD_COLUMNS}, l.place FROM audit_leaves l JOIN audit_heads h ON h.number = l.head
       WHERE l.session_id = ?::uuid ORDER BY l.head`,
      [id],
    );
    const heads: ProvenHead[] = [];
    for (const { place, ...head } of rows) {
      const leaves = (await this.#leavesOf([head.number])).get(head.number) ?? [];
      const own = leaves[place];
      if (!own) continue;
      const hashes = leaves.map((leaf) => leafHashOf(leafOf(leaf)));
      heads.push({ head, leaf: sessionLeafOf(own), index: place, path: merklePath(hashes, place) });
    }
    return { session, heads };
  }

  async #records(where: string, values: readonly (string | number)[]): Promise<readonly SessionRecord[]> {
    const rows = await this.#rows<SessionRecordRow>(
      `SELECT ${SESSION_RECORD_COLUMNS} FROM sessions s WHERE ${where}`,
      values,
    );
    const chains = await readChains(
      this.#trx,
      rows.map((row) => row.sessionId),
    );
    return rows.map((row) => ({ ...row, events: chains.get(row.sessionId) ?? [] }));
  }

  async #sealedOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly Sealed[]>> {
    const rows = await this.#rows<LeafRow & { readonly previous_at: number | null }>(
      `SELECT ${LEAF_COLUMNS}, (
         SELECT h.at::float8 FROM audit_heads h WHERE h.number < l.head AND h.leaves < ${MAX_LEAVES}
         ORDER BY h.number DESC LIMIT 1) AS previous_at
       FROM audit_leaves l WHERE l.session_id = ANY (?::uuid[]) ORDER BY l.head`,
      [[...ids]],
    );
    const found = new Map<string, Sealed[]>();
    for (const row of rows) {
      const leaf = sessionLeafOf(row);
      const own = found.get(leaf.sessionId) ?? [];
      own.push({ head: row.head, leaf, previousHeadAt: row.previous_at });
      found.set(leaf.sessionId, own);
    }
    return found;
  }

  async #leavesOf(heads: readonly number[]): Promise<ReadonlyMap<number, readonly LeafRow[]>> {
    const rows = await this.#rows<LeafRow>(
      `SELECT ${LEAF_COLUMNS} FROM audit_leaves l WHERE l.head = ANY (?::bigint[]) ORDER BY l.head, l.place`,
      [[...heads]],
    );
    return Map.groupBy(rows, (row) => row.head);
  }

  async #rows<Row>(
    statement: string,
    values: readonly (string | number | string[] | number[])[],
  ): Promise<readonly Row[]> {
    const { rows } = await this.#trx.raw<{ rows: Row[] }>(statement, [...values] as string[]);
    return rows;
  }
}

/** As many heads as have the leaves of one page, and one at the least. */
function untilFull(heads: readonly HeadRow[]): readonly HeadRow[] {
  let leaves = 0;
  const end = heads.findIndex((head) => (leaves += head.leaves) >= PAGE_LEAVES);
  return end === -1 ? heads : heads.slice(0, end + 1);
}
