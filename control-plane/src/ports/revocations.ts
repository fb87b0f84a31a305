/** Tokens and people that are shut out before their tokens expire. Every node knows within a second or two. */
import type { CitizenId, Instant } from '../domain/ids.ts';
import type { Caller } from './gateway.ts';

/** One token by its id (`jti`), or every token of one person that was issued before `at`. */
export type Revoked =
  | { readonly kind: 'token'; readonly tokenId: string; readonly at: Instant }
  | {
      readonly kind: 'subject';
      readonly role: Caller['role'];
      readonly subject: string;
      readonly at: Instant;
    };

export type RevocationOrder = Revoked & {
  /** Kept until then: past the end of every token that it shuts out. */
  readonly until: Instant;
  /** `role:subject` of whoever ordered it. */
  readonly by: string;
};

/** Lines that are in force. */
export interface RevocationRoom {
  /** Of this kind, whoever ordered them. */
  readonly inAll: number;
  /** Of this kind, by this one person. */
  readonly byOne: number;
}

/**
 * Far more than can be stolen. Tokens and persons are counted apart, and what one supervisor orders by itself: whoever
 * has a supervisor's token fills the list for nobody else. An admin can revoke a person as long as there is any room.
 */
export function roomFor({ kind, by }: RevocationOrder): RevocationRoom {
  const inAll = kind === 'token' ? 10_000 : 20_000;
  return { inAll, byOne: kind === 'subject' && by.startsWith('admin:') ? inAll : 1_000 };
}

export const MAX_REVOCATIONS = 30_000;

/** Everything that is revoked now. */
export interface RevocationState {
  /** Changes whenever the list of revocations does. */
  readonly mark: string;
  /** `null`: the same as when `mark` was read last. */
  readonly revoked: readonly Revoked[] | null;
  /** Ids of operators whom the directory calls inactive. */
  readonly inactive: readonly string[];
}

/** Errors throw `StoreError`. */
export interface RevocationStore {
  /** Written again under a later time it counts from then. `false`: there is no room for it (`roomFor`). */
  add(order: RevocationOrder): Promise<boolean>;
  read(knownMark: string | null, now: Instant): Promise<RevocationState>;
  /** Whether an SOS of hers runs: activated and not ended. */
  hasOpenSos(citizenId: CitizenId): Promise<boolean>;
}

/** What HTTP, feed and edge ask. */
export interface Revocations {
  /** From memory. A caller whose token tells no time of issue counts as older than every revocation. */
  isRevoked(caller: Caller): boolean;
  /** As `isRevoked`, but for a citizen whose SOS runs: nothing takes her voice away until it has ended. */
  refuses(caller: Caller): Promise<boolean>;
  /** In force on this node when it resolves. `false`: there is no room for it. */
  revoke(order: RevocationOrder): Promise<boolean>;
  /** Called after each look at the list, once a second; returns how to end it. */
  watch(listener: () => void): () => void;
}
