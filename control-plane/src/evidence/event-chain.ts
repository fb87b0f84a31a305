/**
 * The hash chain over one session's events: who alters, removes or reorders one afterwards breaks it.
 *
 *   hash(n) = sha256(hash(n-1) ‖ canonical([n, type, microseconds, event, hex(personalHash) or null]))
 *   hash(0) = sha256("hamrahi/session/" ‖ session id), so that no chain passes for another session's
 *   personalHash = sha256(salt ‖ canonical(personal facts))
 *
 * Personal facts stand beside the chain: with its row (and the salt) gone, the hash left in the chain tells nothing,
 * and the chain is as whole as before.
 */
import { createHash } from 'node:crypto';
import type { Instant, SessionId } from '../domain/ids.ts';
import type { ChainVerdict } from '../ports/record-keeping.ts';
import type { PersonalFacts } from '../ports/session-store.ts';
import { canonicalJson } from './canonical-json.ts';
import { microsecondsOf } from './microseconds.ts';

export interface ChainedFacts {
  readonly seq: number;
  readonly type: string;
  readonly at: Instant;
  readonly event: unknown;
  readonly personalHash: Buffer | null;
}

export interface ChainRow extends ChainedFacts {
  readonly hash: Buffer;
  /** What stands beside the event; `null`: there never was anything, or it has been erased. */
  readonly personal: { readonly salt: Buffer; readonly facts: PersonalFacts } | null;
}

export function genesisHash(sessionId: SessionId): Buffer {
  return createHash('sha256').update(`hamrahi/session/${sessionId}`).digest();
}

export function chainHash(previous: Buffer, facts: ChainedFacts): Buffer {
  const { seq, type, at, event, personalHash } = facts;
  const text = canonicalJson([seq, type, microsecondsOf(at), event, personalHash?.toString('hex') ?? null]);
  return createHash('sha256').update(previous).update(text).digest();
}

export function personalHash(salt: Buffer, facts: PersonalFacts): Buffer {
  return createHash('sha256').update(salt).update(canonicalJson(facts)).digest();
}

/** Rows in the order of their numbers; `head` as the session row keeps it, which tells whether the end was cut off. */
export function verifyChain(
  sessionId: SessionId,
  rows: readonly ChainRow[],
  head: { readonly seq: number; readonly hash: Buffer },
): ChainVerdict {
  let previous = genesisHash(sessionId);
  let expectedSeq = 1;
  for (const row of rows) {
    if (row.seq !== expectedSeq) return { whole: false, brokenAt: expectedSeq, why: 'missing' };
    if (!chainHash(previous, row).equals(row.hash))
      return { whole: false, brokenAt: row.seq, why: 'altered' };
    if (row.personal && !personalMatches(row.personal, row.personalHash))
      return { whole: false, brokenAt: row.seq, why: 'personal-altered' };
    previous = row.hash;
    expectedSeq += 1;
  }
  const isCutOff = head.seq !== rows.length || !head.hash.equals(previous);
  if (isCutOff) return { whole: false, brokenAt: rows.length + 1, why: 'cut-off' };
  return { whole: true, events: rows.length };
}

function personalMatches(personal: NonNullable<ChainRow['personal']>, expected: Buffer | null): boolean {
  return expected !== null && personalHash(personal.salt, personal.facts).equals(expected);
}
