/**
 * The ledger of what sessions achieved: their milestones and the verdicts on them, kept when their events are gone.
 * Written once a session is over, from its events. Errors throw `StoreError`.
 */
import type { Instant, SessionId } from '../domain/ids.ts';
import type { Milestone, NumberedMilestone } from '../domain/session/timeline.ts';
import type { Verdict } from '../domain/session/verdict.ts';

export interface LedgerEntry {
  readonly milestones: readonly Milestone[];
  readonly verdicts: readonly Verdict[];
}

export interface Ledger {
  /** Sessions that are over and at rest and have no entry, oldest end first. None is ever left out. */
  unjudged(now: Instant, limit: number): Promise<readonly SessionId[]>;
  /** Writes the entry whole. `false`: somebody else had entered it; then nothing has changed. */
  enter(
    sessionId: SessionId,
    milestones: readonly NumberedMilestone[],
    verdicts: readonly Verdict[],
    at: Instant,
  ): Promise<boolean>;
  /** `null`: not entered yet. */
  find(sessionId: SessionId): Promise<LedgerEntry | null>;
}
