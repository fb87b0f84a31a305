/** Signed heads over the log of sessions, and the place outside the database where they are kept as well. */
import type { Instant } from '../domain/ids.ts';

/** Hashes in hex. */
export interface AuditHead {
  /** 1, 2, 3, … without a gap. */
  readonly number: number;
  /** Microseconds since 1970. */
  readonly at: number;
  /** Hash of the head before it. */
  readonly previous: string;
  /** How many leaves it was made over. */
  readonly leaves: number;
  /** Of the Merkle tree over them. */
  readonly root: string;
  readonly keyId: string;
  readonly hash: string;
  /** Base64. */
  readonly signature: string;
}

/** Errors throw `StoreError`. */
export interface AuditLog {
  /** Makes a head over what has changed since the last one. `null`: nothing has, or another node is about it. */
  seal(at: Instant): Promise<AuditHead | null>;
  /** Heads after this number in order, at most `limit`. */
  heads(after: number, limit: number): Promise<readonly AuditHead[]>;
}

/** Where heads go that nobody who rules the database can reach: a file on another mount, a log host, a notary. */
export interface HeadAnchor {
  /** Number of the last head that it keeps; 0 for none. */
  last(): Promise<number>;
  /** Durable when it resolves. */
  append(head: AuditHead): Promise<void>;
}
