/** What the app can do inside one transaction. Calls made together travel together and are performed in order. */
import { createHash } from 'node:crypto';
import type { AddressOfRecord, CitizenId, Instant, OperatorId, SessionId, ZoneId } from '../../domain/ids.ts';
import type { FreeOperator } from '../../domain/routing/choose-operator.ts';
import type { Party } from '../../domain/session/leg.ts';
import type { Session } from '../../domain/session/session.ts';
import type { Fence } from '../../ports/lease.ts';
import type { FeedRow, SessionTx, SessionWrite, StoredSession } from '../../ports/session-store.ts';
import { DUTY_OPERATORS_SQL, DUTY_PHONES_SQL, LOCK_OPERATORS_SQL, WAITING_SQL } from './duty-sql.ts';
import { genesisHash } from '../../evidence/event-chain.ts';
import { CLAIM_KEY_SQL } from './idempotency-sql.ts';
import { timestampText, toMicrosecond } from './instant.ts';
import { prepareWrite } from './session-write.ts';
import type { ChainHead } from './session-write.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';
import type { RunStatement } from './transact.ts';

/** The transaction-long lock of one citizen; she may be unknown to the directory. */
export const LOCK_CITIZEN_SQL = `SELECT pg_advisory_xact_lock(hashtextextended('citizen:' || $1::text, 0))`;

/** NO KEY: it keeps out every other writer of the session, and nobody else. */
const LOADED = 'SELECT state, seq::float8 AS seq, chain_head FROM sessions';
const FIND_OPEN_SQL = `${LOADED} WHERE citizen_id = $1 AND open FOR NO KEY UPDATE`;
const LOAD_SQL = `${LOADED} WHERE id = $1::uuid FOR NO KEY UPDATE`;

interface LoadedRow {
  readonly state: Session;
  readonly seq: number;
  readonly chain_head: Buffer;
}

export class SessionTransaction implements SessionTx {
  readonly #run: RunStatement;
  readonly #fence: () => Fence;
  /** Heads of the sessions whose rows this transaction holds. */
  readonly #heads = new Map<SessionId, ChainHead>();

  constructor(run: RunStatement, fence: () => Fence) {
    this.#run = run;
    this.#fence = fence;
  }

  async lockCitizen(citizenId: CitizenId): Promise<void> {
    await this.#run({ name: 'lock-citizen', text: LOCK_CITIZEN_SQL, values: [citizenId] });
  }

  findOpen(citizenId: CitizenId): Promise<StoredSession | null> {
    return this.#load('find-open', FIND_OPEN_SQL, citizenId);
  }

  load(sessionId: SessionId): Promise<StoredSession | null> {
    return this.#load('load', LOAD_SQL, sessionId);
  }

  async dutyOperators(zoneId: ZoneId | null, at: Instant): Promise<readonly FreeOperator[]> {
    const values = [zoneId, timestampText(at)];
    const [, { rows }] = await Promise.all([
      this.#run({ name: 'lock-operators', text: LOCK_OPERATORS_SQL, values }),
      this.#run<OperatorRow>({ name: 'duty-operators', text: DUTY_OPERATORS_SQL, values }),
    ]);
    return rows.map((row) => ({
      operatorId: row.id,
      aor: row.aor,
      capacity: row.capacity,
      load: row.load,
      idleSince: row.idle_since,
      priority: row.priority,
    }));
  }

  async waiting(zoneId: ZoneId | null, citizenId: CitizenId): Promise<number> {
    const { rows } = await this.#run<{ readonly waiting: number }>({
      name: 'waiting',
      text: WAITING_SQL,
      values: [zoneId, citizenId],
    });
    return rows[0]?.waiting ?? 0;
  }

  async dutyPhones(zoneId: ZoneId | null, at: Instant): Promise<readonly Party[]> {
    const values = [zoneId, timestampText(at)];
    const { rows } = await this.#run<PhoneRow>({ name: 'duty-phones', text: DUTY_PHONES_SQL, values });
    const parties = new Map<OperatorId, Party>();
    for (const { role, id, press_to_accept: mustAccept } of rows) {
      if (parties.has(id)) continue;
      parties.set(id, { role, operatorId: id, ...(mustAccept ? { acceptance: 'press-1' } : {}) });
    }
    return [...parties.values()];
  }

  /** Throws at once on a write that cannot be sent: the COMMIT may follow before the answer, and must not then. */
  apply(write: SessionWrite): ReturnType<SessionTx['apply']> {
    const { statement, head } = prepareWrite(write, this.#headBefore(write), this.#fence());
    // Set before the answer, so that writes sent together continue one chain.
    this.#heads.set(write.after.id, head);
    return this.#run<WrittenRow>(statement).then(({ rows }) => {
      const [row] = rows;
      if (!row) throw new Error('a write returned no row');
      return { seq: head.seq, feed: feedRows(write, head.seq, row) };
    });
  }

  async claimIdempotencyKey(
    citizenId: CitizenId,
    key: string,
    bodyHash: string,
    sessionId: SessionId,
  ): ReturnType<SessionTx['claimIdempotencyKey']> {
    const keyHash = createHash('sha256').update(key).digest();
    const values = [citizenId, keyHash, bodyHash, sessionId];
    const { rows } = await this.#run<ClaimRow>({ name: 'claim-key', text: CLAIM_KEY_SQL, values });
    const [row] = rows;
    if (!row) throw new Error('a claim returned no row');
    if (row.fresh) return { seen: 'fresh' };
    return { seen: row.body_hash === bodyHash ? 'same' : 'other-body', sessionId: row.session_id };
  }

  async #load(name: string, text: string, key: string): Promise<StoredSession | null> {
    const { rows } = await this.#run<LoadedRow>({ name, text, values: [key] });
    const [row] = rows;
    if (!row) return null;
    this.#heads.set(row.state.id, { seq: row.seq, hash: row.chain_head });
    return { session: row.state, seq: row.seq };
  }

  #headBefore({ before, after }: SessionWrite): ChainHead {
    if (before === null) return { seq: 0, hash: genesisHash(after.id) };
    const head = this.#heads.get(after.id);
    if (head?.seq !== before.seq)
      throw new Error('a session was written that this transaction has not loaded as it is');
    return head;
  }
}

interface OperatorRow {
  readonly id: OperatorId;
  readonly capacity: number;
  readonly priority: number;
  readonly aor: AddressOfRecord | null;
  readonly load: number;
  readonly idle_since: Instant;
}

interface PhoneRow {
  readonly role: 'operator' | 'supervisor';
  readonly id: OperatorId;
  readonly press_to_accept: boolean;
}

interface ClaimRow {
  readonly body_hash: string;
  readonly session_id: SessionId;
  readonly fresh: boolean;
}

interface WrittenRow extends PositionColumns {
  readonly feed_seqs: readonly number[];
}

/** As every reader of the feed will see them. A position that this write brings is newer than the one known before. */
function feedRows(write: SessionWrite, sessionSeq: number, row: WrittenRow): readonly FeedRow[] {
  const brought = write.events.findLast((one) => one.personal?.location)?.personal?.location;
  return write.feed.map((draft, index) => ({
    seq: row.feed_seqs[index] ?? 0,
    sessionId: write.after.id,
    sessionSeq,
    type: draft.type,
    at: toMicrosecond(write.at),
    zoneId: write.after.zoneId,
    detail: draft.detail,
    session: write.after,
    location: brought ?? locationOf(row),
  }));
}
