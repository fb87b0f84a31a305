/**
 * Signed heads: from time to time one head is made over everything that has changed since the one before. Heads form a
 * chain, so that a whole session cannot be taken out of the past, and neither can a head.
 *
 *   leaf = "session", id, number and hash of its last event, hash of its record once it is at rest
 *        | "record", number and hash of an entry about the log itself (an erasure, a retention)
 *   hash = sha256(canonical(["hamrahi/head/1", number, microseconds, previous hash, count, Merkle root, key id]))
 *   signature = Ed25519 of that canonical text
 */
import { createHash } from 'node:crypto';
import type { AuditHead } from '../ports/audit-log.ts';
import type { AuditSigner, AuditVerifier } from './audit-key.ts';
import { canonicalJson } from './canonical-json.ts';
import { leafHash, merkleRoot } from './merkle.ts';

export type AuditLeaf =
  | {
      readonly kind: 'session';
      readonly sessionId: string;
      readonly seq: number;
      /** Of the chain at `seq`; hex, as every hash here. */
      readonly hash: string;
      /** Of the session's row and call records; `null` while it is not at rest. */
      readonly recordHash: string | null;
    }
  | { readonly kind: 'record'; readonly number: number; readonly hash: string };

/** What stands before the first head. */
export const FIRST_PREVIOUS = createHash('sha256').update('hamrahi/heads/1').digest('hex');

export function leafText(leaf: AuditLeaf): string {
  return leaf.kind === 'session'
    ? canonicalJson(['session', leaf.sessionId, leaf.seq, leaf.hash, leaf.recordHash])
    : canonicalJson(['record', leaf.number, leaf.hash]);
}

export function leafHashOf(leaf: AuditLeaf): Buffer {
  return leafHash(leafText(leaf));
}

export function signHead(
  signer: AuditSigner,
  number: number,
  at: number,
  previous: string,
  leaves: readonly AuditLeaf[],
): AuditHead {
  const root = merkleRoot(leaves.map(leafHashOf)).toString('hex');
  const facts = { number, at, previous, leaves: leaves.length, root, keyId: signer.keyId };
  const text = headText(facts);
  return { ...facts, hash: sha256(text), signature: signer.sign(text).toString('base64') };
}

/** What is wrong with a head by itself; `null`: nothing. */
export function headFault(head: AuditHead, verifier: AuditVerifier): string | null {
  const text = headText(head);
  if (sha256(text) !== head.hash) return 'was altered';
  if (head.keyId !== verifier.keyId) return `was signed with another key (${head.keyId})`;
  if (!verifier.verify(text, Buffer.from(head.signature, 'base64'))) return 'has no valid signature';
  return null;
}

/** An entry about the log itself: numbered without a gap, sealed by the next head. */
export interface AuditRecord {
  readonly number: number;
  readonly at: number;
  readonly kind: 'erasure' | 'retention';
  readonly detail: Readonly<Record<string, string | number | null>>;
}

export function recordHash({ number, at, kind, detail }: AuditRecord): string {
  return sha256(canonicalJson(['hamrahi/record/1', number, at, kind, detail]));
}

function headText({
  number,
  at,
  previous,
  leaves,
  root,
  keyId,
}: Omit<AuditHead, 'hash' | 'signature'>): string {
  return canonicalJson(['hamrahi/head/1', number, at, previous, leaves, root, keyId]);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
