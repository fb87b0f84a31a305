/** What the app can do inside one transaction about a call. Calls made together travel together and are performed in order. */
import { createHash } from 'node:crypto';
import type { Call } from '../../domain/call/call.ts';
import type { CallId } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallTx, CallWrite, ClaimedCallKey, StoredCall } from '../../ports/call-store.ts';
import type { Fence } from '../../ports/lease.ts';
import { prepareCallWrite } from './call-write.ts';
import { IDEMPOTENCY_KEY_LIFE } from './idempotency-sql.ts';
import { storedNumbers } from './stored-phone.ts';
import type { RunStatement } from './transact.ts';

/** NO KEY: it keeps out every other writer of the call, and nobody else. */
const LOAD_SQL = 'SELECT body, seq::float8 AS seq FROM calls WHERE id = $1::uuid FOR NO KEY UPDATE';
const NUMBERS_SQL = 'SELECT numbers FROM call_personal WHERE call_id = $1::uuid';

/** As CLAIM_KEY_SQL does for activations: a claim past its life is taken over. */
const CLAIM_CALL_KEY_SQL = `
INSERT INTO call_keys AS k (caller, key_hash, body_hash, call_id, claimed_at)
VALUES ($1, $2, $3, $4::uuid, statement_timestamp())
ON CONFLICT (caller, key_hash) DO UPDATE SET
  (body_hash, call_id, claimed_at) = (
    SELECT n.body_hash, n.call_id, n.claimed_at FROM (VALUES
      (true, excluded.body_hash, excluded.call_id, excluded.claimed_at),
      (false, k.body_hash, k.call_id, k.claimed_at)
    ) AS n (is_new, body_hash, call_id, claimed_at)
    WHERE n.is_new = (k.claimed_at <= statement_timestamp() - interval '${IDEMPOTENCY_KEY_LIFE}')
  )
RETURNING body_hash, call_id, claimed_at = statement_timestamp() AS fresh`;

interface ClaimRow {
  readonly body_hash: string;
  readonly call_id: CallId;
  readonly fresh: boolean;
}

export class CallTransaction implements CallTx {
  readonly #run: RunStatement;
  readonly #fence: () => Fence;

  constructor(run: RunStatement, fence: () => Fence) {
    this.#run = run;
    this.#fence = fence;
  }

  async load(callId: CallId): Promise<StoredCall | null> {
    const { rows } = await this.#run<{ readonly body: Call; readonly seq: number }>({
      name: 'call-load',
      text: LOAD_SQL,
      values: [callId],
    });
    const [row] = rows;
    return row ? { call: row.body, seq: row.seq } : null;
  }

  async numbers(callId: CallId): Promise<readonly PhoneNumber[]> {
    const { rows } = await this.#run<{ readonly numbers: string[] }>({
      name: 'call-numbers',
      text: NUMBERS_SQL,
      values: [callId],
    });
    return storedNumbers(rows[0]?.numbers ?? []);
  }

  async claimKey(caller: string, key: string, bodyHash: string, callId: CallId): Promise<ClaimedCallKey> {
    const keyHash = createHash('sha256').update(key).digest();
    const { rows } = await this.#run<ClaimRow>({
      name: 'call-claim-key',
      text: CLAIM_CALL_KEY_SQL,
      values: [caller, keyHash, bodyHash, callId],
    });
    const [row] = rows;
    if (!row) throw new Error('a claim returned no row');
    if (row.fresh) return { seen: 'fresh' };
    return { seen: row.body_hash === bodyHash ? 'same' : 'other-body', callId: row.call_id };
  }

  async apply(write: CallWrite): Promise<number> {
    const { statement, seq } = prepareCallWrite(write, this.#fence());
    await this.#run(statement);
    return seq;
  }
}
