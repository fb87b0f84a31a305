/** The panel feed's source: committed rows as they come, and the state to begin from. */
import type { Location } from '../contracts/common.ts';
import type { SessionView } from '../contracts/session-view.ts';
import type { OperatorId, ZoneId } from '../domain/ids.ts';
import { isOnDuty } from '../domain/rights/roster-rights.ts';
import type { Session } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/directory.ts';
import type { FeedSource } from '../ports/gateway.ts';
import { StoreError } from '../ports/session-store.ts';
import type { FeedRow, SessionStore } from '../ports/session-store.ts';
import type { FeedDispatcher } from './feed-dispatcher.ts';
import { viewOf } from './session-view.ts';

const MAX_SNAPSHOT = 1000;

export interface FeedSourcePorts {
  readonly store: SessionStore;
  readonly feed: FeedDispatcher;
  readonly directory: Directory;
  readonly clock: Clock;
  /** Of synthetic sessions: who sees everything does not see these. */
  readonly syntheticZone?: ZoneId | null;
}

export class SessionFeedSource implements FeedSource {
  readonly #ports: FeedSourcePorts;

  constructor(ports: FeedSourcePorts) {
    this.#ports = ports;
  }

  subscribe(listener: (row: FeedRow) => void): () => void {
    return this.#ports.feed.subscribe(listener);
  }

  /** `seq` is read before the sessions: what changes meanwhile comes again as an event, never not at all. */
  async snapshot(
    zones: readonly ZoneId[] | null,
    operatorId: OperatorId | null = null,
  ): Promise<{ readonly seq: number; readonly sessions: readonly SessionView[] }> {
    const { store, syntheticZone: except = null } = this.#ports;
    const seq = await this.#head();
    const filter = { open: true, zones, operatorId, except, before: null, limit: MAX_SNAPSHOT };
    const stored = await store.list(filter);
    const sessions = await Promise.all(
      stored
        .filter(({ session }) => session.phase !== 'arming')
        .map(async ({ session, seq: sessionSeq }) =>
          viewOf(session, sessionSeq, await store.location(session.id)),
        ),
    );
    return { seq, sessions };
  }

  async after(
    seq: number,
    limit: number,
  ): Promise<{ readonly rows: readonly FeedRow[]; readonly tooOld: boolean }> {
    const { store } = this.#ports;
    try {
      const [floor, head] = await Promise.all([store.feedFloor(), store.feedHead()]);
      if (seq < floor || seq > head || head - seq > limit) return { rows: [], tooOld: true };
      return { rows: await store.feedAfter(seq, limit), tooOld: false };
    } catch (error) {
      // The store is away: a snapshot from memory shows at least what stands.
      if (error instanceof StoreError) return { rows: [], tooOld: true };
      throw error;
    }
  }

  /** What was told last may be lower than the head, never higher: a resume from there repeats, and misses nothing. */
  async #head(): Promise<number> {
    try {
      return await this.#ports.store.feedHead();
    } catch (error) {
      if (error instanceof StoreError) return this.#ports.feed.last;
      throw error;
    }
  }

  viewOf(session: Session, sessionSeq: number, location: Location | null): SessionView {
    return viewOf(session, sessionSeq, location);
  }

  async zonesOf(operatorId: OperatorId, duty?: 'operator' | 'supervisor'): Promise<readonly ZoneId[]> {
    const { directory } = this.#ports;
    const [entries, operator] = await Promise.all([directory.roster(null), directory.operator(operatorId)]);
    if (operator?.active !== true) return [];
    const now = this.#ports.clock.now();
    const valid = entries.filter(
      (entry) =>
        entry.operatorId === operatorId &&
        (duty === undefined || entry.duty === duty) &&
        isOnDuty(entry, now),
    );
    return [...new Set(valid.map((entry) => entry.zoneId))];
  }
}
