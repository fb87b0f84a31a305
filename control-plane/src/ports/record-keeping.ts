/** What happens to records afterwards: how long they stay, what is erased, and whether they are still as written. */
import type { CitizenId, Instant, SessionId } from '../domain/ids.ts';

export type ChainVerdict =
  | { readonly whole: true; readonly events: number }
  | {
      readonly whole: false;
      /** The number of the first event that is not as it was written, or is missing. */
      readonly brokenAt: number;
      readonly why: 'missing' | 'altered' | 'personal-altered' | 'cut-off';
    };

/** Repeating any of it is harmless. Errors throw `StoreError`. */
export interface RecordKeeping {
  /** Feed rows from before `at`; a panel that resumes from there gets a snapshot. Returns how many went. */
  dropFeedBefore(at: Instant): Promise<number>;
  /** Tickets, idempotency keys and revocations past their life, and contacts that have been offline for a day. */
  dropExpired(now: Instant): Promise<number>;
  /** Positions and claims of all her ended sessions, for good. Her events stay, and their chains stay whole. */
  erasePersonal(citizenId: CitizenId): Promise<number>;
  /** Reads a session's events and tells whether they are as they were written; `null`: no such session. */
  verify(sessionId: SessionId): Promise<ChainVerdict | null>;
}
