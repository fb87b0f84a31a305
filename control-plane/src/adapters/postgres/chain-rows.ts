/** Chained events with what stands beside them, as they are checked. */
import type { Knex } from 'knex';
import type { ChainRow } from '../../evidence/event-chain.ts';
import type { Instant } from '../../domain/ids.ts';
import { instantSql } from './instant.ts';
import { locationOf } from './stored-location.ts';
import type { PositionColumns } from './stored-location.ts';

/** By session, in the order of their numbers. */
export async function readChains(
  trx: Knex.Transaction,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ChainRow[]>> {
  const { rows } = await trx.raw<{ rows: ChainColumns[] }>(CHAINS_SQL, [[...sessionIds]]);
  const chains = new Map<string, ChainRow[]>();
  for (const row of rows) {
    const chain = chains.get(row.session_id) ?? [];
    chain.push(chainRow(row));
    chains.set(row.session_id, chain);
  }
  return chains;
}

const CHAINS_SQL = `
SELECT e.session_id, e.seq::float8 AS seq, e.type, ${instantSql('e.at')} AS at, e.event, e.personal_hash, e.hash,
  p.salt, p.latitude, p.longitude, p.accuracy_m, p.claimed
FROM session_events e
LEFT JOIN session_personal p ON p.session_id = e.session_id AND p.seq = e.seq
WHERE e.session_id = ANY (?::uuid[]) ORDER BY e.session_id, e.seq`;

interface ChainColumns extends PositionColumns {
  readonly session_id: string;
  readonly seq: number;
  readonly type: string;
  readonly at: Instant;
  readonly event: unknown;
  readonly personal_hash: Buffer | null;
  readonly hash: Buffer;
  readonly salt: Buffer | null;
  readonly claimed: Readonly<Record<string, unknown>> | null;
}

function chainRow(row: ChainColumns): ChainRow {
  const { seq, type, at, event, personal_hash: personalHash, hash, salt, claimed } = row;
  const personal = salt && { salt, facts: { location: locationOf(row), claimed } };
  return { seq, type, at, event, personalHash, hash, personal };
}
