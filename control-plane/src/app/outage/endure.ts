/** Everything around the store that goes on without it, put together. */
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { Clock, IdSource } from '../../ports/clock.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';
import type { Directory } from '../../ports/directory.ts';
import type { Journal } from '../../ports/journal.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { PresenceStore, SessionStore } from '../../ports/session-store.ts';
import type { TicketStore } from '../../ports/tickets.ts';
import type { FeedDispatcher } from '../feed-dispatcher.ts';
import { DutyBook } from './duty-book.ts';
import { enduringDirectory } from './enduring-directory.ts';
import { EnduringPresence } from './enduring-presence.ts';
import { EnduringStore } from './enduring-store.ts';
import { EnduringTickets } from './enduring-tickets.ts';
import type { Surprises } from './endurance-ports.ts';

const HOUR_MS = 3_600_000;
const CATCH_UP_AGAIN_MS = 1000;

export interface EndurePorts {
  readonly store: SessionStore;
  readonly presence: PresenceStore;
  readonly directory: Directory;
  readonly tickets: TicketStore;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Absent: an hour. */
  readonly journalMaxAgeMs?: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly alerts?: OpsAlerts;
}

export interface Enduring {
  readonly store: EnduringStore;
  readonly presence: PresenceStore;
  readonly directory: Directory;
  readonly tickets: TicketStore;
  /** The journal of an earlier life goes to the store, and memory is filled. Throws while the store is away, and may be called again. */
  start(maxOpen: number): Promise<void>;
  stop(): void;
}

export function endure(ports: EndurePorts, feed: FeedDispatcher, surprises: Surprises): Enduring {
  const { clock, log, metrics } = ports;
  let hasStarted = false;
  /** Found out before the start: told once the sessions are known. */
  const doubtful = new Set<SessionId>();
  const duty = new DutyBook(ports.directory, clock, log);
  /** Until it is done: what was committed and never answered reaches the panels by this alone. */
  const catchUp = (): void => {
    feed.catchUpToHead().catch((error: unknown) => {
      log.error('The head of the feed could not be read; it is read again.', { error: String(error) });
      clock.at((clock.now() + CATCH_UP_AGAIN_MS) as Instant, () => {
        if (hasStarted) catchUp();
      });
    });
  };
  const store: EnduringStore = new EnduringStore({
    ...ports,
    journalMaxAgeMs: ports.journalMaxAgeMs ?? HOUR_MS,
    duty,
    makeUp: () => presence.makeUp(),
    onReplayed: (rows) => feed.committed(rows),
    onBack: () => {
      if (hasStarted) catchUp();
    },
    // Before the start nobody knows anything yet that could differ.
    surprises: {
      diverged: (diverged) => {
        if (hasStarted) surprises.diverged(diverged);
      },
      doubtful: (sessionId) => {
        if (hasStarted) surprises.doubtful(sessionId);
        else doubtful.add(sessionId);
      },
      forgotten: (session) => {
        if (hasStarted) surprises.forgotten(session);
      },
    },
  });
  const watch = store.state;
  const presence = new EnduringPresence({ store: ports.presence, duty, watch, clock, log });
  return {
    store,
    presence,
    directory: enduringDirectory(ports.directory, duty, store.state),
    tickets: new EnduringTickets(ports.tickets, store.state, clock, ports.ids),
    start: async (maxOpen) => {
      metrics.gauge('hamrahi_store_away', 0);
      await duty.start();
      await store.start(maxOpen);
      hasStarted = true;
      for (const sessionId of doubtful) surprises.doubtful(sessionId);
    },
    stop: () => {
      hasStarted = false;
      duty.stop();
      presence.stop();
      store.stop();
    },
  };
}
