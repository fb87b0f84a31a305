/** What the store that endures is made of, and whom it tells. */
import type { SessionId } from '../../domain/ids.ts';
import type { PbxCommand } from '../../domain/session/command.ts';
import type { Session } from '../../domain/session/session.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Journal } from '../../ports/journal.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';
import type { FeedRow, SessionStore } from '../../ports/session-store.ts';
import type { DutyBook } from './duty-book.ts';

/** A session as the store has it now, which is not what this node thought; and what follows from that. */
export interface Diverged {
  readonly before: Session | null;
  readonly after: Session;
  readonly seq: number;
  readonly orders: readonly PbxCommand[];
}

export interface Surprises {
  /** A session was decided anew: it is not what this node thought. */
  readonly diverged: (diverged: Diverged) => void;
  /** People should look at this session: its journal did not fit the record. */
  readonly doubtful: (sessionId: SessionId) => void;
  /** The store will never have this session: its journal was set aside. */
  readonly forgotten: (session: Session) => void;
}

export interface EndurancePorts {
  readonly store: SessionStore;
  readonly journal: Journal;
  readonly duty: DutyBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly alerts?: OpsAlerts;
  /** What an earlier life journaled longer ago than this begins no session. */
  readonly journalMaxAgeMs: number;
  /** Told to the store beside the journal when it is back, before anybody asks it again. */
  readonly makeUp: () => Promise<void>;
  /** Rows that the replay wrote, in the order of their numbers. */
  readonly onReplayed: (feed: readonly FeedRow[]) => void;
  readonly onBack: () => void;
  readonly surprises: Surprises;
}
