/**
 * This node's own record of what it did while the store was away, on its own disk, until the store has it (decision 22).
 * It holds what the store would hold, personal data included, and is as protected.
 */
import type { CitizenId } from '../domain/ids.ts';
import type { SessionWrite } from './session-store.ts';

export interface JournalClaim {
  readonly citizenId: CitizenId;
  readonly key: string;
  readonly bodyHash: string;
}

/** One write that was acted on. It stands by itself: the session as it is afterwards is in `write.after`. */
export interface JournalEntry {
  readonly write: Omit<SessionWrite, 'before'>;
  /** Number of the session's last event before this write; `null`: it begins the session. */
  readonly baseSeq: number | null;
  /** The idempotency key of the activation. */
  readonly claim: JournalClaim | null;
}

/** `ERR_JOURNAL_FULL`: at its bound. `ERR_JOURNAL_IO`: the disk refuses. Neither is a reason not to act. */
export type JournalResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'ERR_JOURNAL_FULL' | 'ERR_JOURNAL_IO';
      readonly detail: string;
    };

export interface Journal {
  /** What an earlier life left behind, in order. `damaged`: lines that are not as they were written, and were passed over. */
  read(): Promise<{ readonly entries: readonly JournalEntry[]; readonly damaged: number }>;
  /** Ok once it is on disk for good. Entries are kept in the order of the calls. */
  append(entry: JournalEntry): Promise<JournalResult>;
  /** Everything appended so far is in the store. What is erased cannot be read again. */
  clear(): Promise<JournalResult>;
  /** Kept apart, for people to look at: the store does not take them. */
  setAside(entries: readonly JournalEntry[]): Promise<JournalResult>;
}
