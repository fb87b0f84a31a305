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

export type Erasure =
  | {
      readonly ok: true;
      /** Number of the entry in the log that tells of it. */
      readonly record: number;
      /** Sessions whose personal rows went, and how many rows. */
      readonly sessions: number;
      readonly rows: number;
      /** Her entry in the directory (number and devices) was there, and went. */
      readonly profile: boolean;
    }
  | { readonly ok: false; readonly code: 'ERR_RECORDS_SESSION_OPEN' };

/** Repeating any of it is harmless. Errors throw `StoreError`. */
export interface RecordKeeping {
  /** Feed rows from before `at`; a panel that resumes from there gets a snapshot. Returns how many went. */
  dropFeedBefore(at: Instant): Promise<number>;
  /** Tickets and idempotency keys past their life, contacts offline for a day, alerts resolved for over a year. */
  dropExpired(now: Instant): Promise<number>;
  /** Personal rows of sessions that ended before `at`; recorded in the log. */
  dropPersonalBefore(at: Instant, now: Instant): Promise<number>;
  /** Events of sessions that ended before `at`, are in the ledger and under a head; recorded in the log. */
  dropEventsBefore(at: Instant, now: Instant): Promise<number>;
  /** Entries in the ledger of sessions that ended before `at`. Returns how many rows went. */
  dropLedgerBefore(at: Instant, now: Instant): Promise<number>;
  /**
   * Everything personal of her, for good: number, devices, positions, claims, salts. Her events stay, and their chains
   * stay whole. `by`: who did it, for the log. Refused while she has an open session.
   */
  erase(citizenId: CitizenId, by: string, at: Instant): Promise<Erasure>;
  /** Reads a session's events and tells whether they are as they were written; `null`: no such session. */
  verify(sessionId: SessionId): Promise<ChainVerdict | null>;
}
