/**
 * The one loop: event → lock, reduce, write, commit → perform. Events of one session run in order, sessions side by
 * side. Results of commands come back as events.
 */
import type { Instant, SessionId } from '../domain/ids.ts';
import type { PbxCommand } from '../domain/session/command.ts';
import type { Verdict } from '../domain/session/draft.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import type { Session } from '../domain/session/session.ts';
import { standingOrders } from '../domain/session/standing-orders.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type {
  FeedRow,
  PersonalFacts,
  SessionStore,
  SessionTx,
  SessionWrite,
} from '../ports/session-store.ts';
import { decide } from './decide.ts';
import type { Found } from './decide.ts';
import type { FeedDispatcher } from './feed-dispatcher.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Performer } from './perform.ts';
import { logLeg } from './session-log.ts';
import type { TimerWheel } from './timer-wheel.ts';
import { untilTaken } from './until-taken.ts';

/** A request waits for its answer; a fact of the engine or a timer must not be lost. */
const REQUEST_DEADLINE_MS = 5000;
const FACT_DEADLINE_MS = 60_000;
const MAX_TIMERS = 100_000;

export interface Outcome {
  readonly verdict: Verdict;
  readonly before: Session | null;
  readonly after: Session;
  readonly seq: number;
  /** What was written down, in order; nothing unless applied. */
  readonly events: SessionWrite['events'];
}

export interface LoopPorts {
  readonly store: SessionStore;
  readonly wheel: TimerWheel;
  readonly feed: FeedDispatcher;
  readonly performer: () => Performer;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
}

type Committed = {
  readonly outcome: Outcome;
  readonly orders: readonly PbxCommand[];
  readonly write: SessionWrite | null;
  readonly feed: readonly FeedRow[];
};

export class SessionLoop {
  readonly #ports: LoopPorts;
  readonly #queue = new KeyedQueue<string>();
  readonly #watchers = new Set<(outcome: Outcome) => void>();

  constructor(ports: LoopPorts) {
    this.#ports = ports;
  }

  /** Told of every applied change after its commit, before its commands run; after a commit in doubt, once more. */
  watch(watcher: (outcome: Outcome) => void): void {
    this.#watchers.add(watcher);
  }

  /** An event of a known session. `null`: no such session. `isStale` is asked once it is this event's turn. */
  handle(
    sessionId: SessionId,
    event: SessionEvent,
    at: Instant,
    isStale?: () => boolean,
    personal: PersonalFacts | null = null,
  ): Promise<Outcome | null> {
    return this.#queue.run(sessionId, async () => {
      if (isStale?.() === true) return null;
      return this.#persist(FACT_DEADLINE_MS, () =>
        this.#run(at, async (tx) => {
          const before = await tx.load(sessionId);
          return before ? { before, event, personal } : null;
        }),
      );
    });
  }

  /** An arming or activation: which session it means is found inside the transaction, under `key`'s lock. */
  handleNew(key: string, at: Instant, find: (tx: SessionTx) => Promise<Found>): Promise<Outcome | null> {
    // Counted from now, not from its turn: what waits behind a slow store does not wait for each before it again.
    const giveUpAt = this.#ports.clock.now() + REQUEST_DEADLINE_MS;
    return this.#queue.run(key, () =>
      this.#persist(Math.max(0, giveUpAt - this.#ports.clock.now()), () => this.#run(at, find)),
    );
  }

  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  /**
   * A fact that the store would not take is offered again until the deadline; what follows it in its session waits, so
   * that the order stays. After a commit in doubt, its commands and timers are made good for.
   */
  async #persist(deadlineMs: number, work: () => Promise<Outcome | null>): Promise<Outcome | null> {
    const { result, inDoubt } = await untilTaken(this.#ports, deadlineMs, work);
    if (inDoubt && result) await this.makeGood(result);
    return result;
  }

  /** After a commit in doubt: tells who watches it, and gives the session's standing orders and timers again. */
  async makeGood(outcome: Outcome): Promise<void> {
    this.moved(outcome);
    this.#ports.performer().perform(outcome.after.id, standingOrders(outcome.after));
    await this.timersAgain(outcome.after.id);
  }

  /** A session is not as it was thought to be: tells who watches it, and the panels. */
  moved(outcome: Outcome): void {
    const { feed, log } = this.#ports;
    if (outcome.verdict !== 'applied') for (const watcher of this.#watchers) watcher(outcome);
    // Not waited for: while the store is away, panels hear of it at its return.
    feed.catchUpToHead().catch((error: unknown) => {
      log.debug('The head of the feed could not be read.', { error: String(error) });
    });
  }

  /** Sets the session's timers as they are kept. */
  async timersAgain(id: SessionId): Promise<void> {
    const { store, wheel } = this.#ports;
    const { result } = await untilTaken(this.#ports, FACT_DEADLINE_MS, () => store.timers(null, MAX_TIMERS));
    for (const { sessionId, timer, dueAt } of result) if (sessionId === id) wheel.set(id, timer, dueAt);
  }

  async #run(at: Instant, find: (tx: SessionTx) => Promise<Found | null>): Promise<Outcome | null> {
    const committed = await this.#ports.store.transact(async (tx) => {
      const found = await find(tx);
      if (!found) return null;
      const decided = await decide(tx, found, at);
      if (!decided) return null;
      this.#ports.failpoints?.passed('decided', nameOf(found.event));
      // Not waited for: the commit travels with it.
      const written = decided.write ? tx.apply(decided.write) : null;
      written?.catch(() => undefined);
      this.#ports.metrics.count('hamrahi_core_events_total', {
        type: found.event.type,
        verdict: decided.verdict,
      });
      return { found, decided, written };
    });
    if (!committed) return null;
    const { found, decided, written } = committed;
    const { seq, feed } = (await written) ?? { seq: found.before?.seq ?? 0, feed: [] };
    const before = found.before?.session ?? null;
    this.#ports.failpoints?.passed('committed', nameOf(found.event));
    const events = decided.write?.events ?? [];
    const outcome = { verdict: decided.verdict, before, after: decided.after, seq, events };
    this.#afterCommit({ outcome, orders: decided.orders, write: decided.write, feed });
    return outcome;
  }

  #afterCommit({ outcome, orders, write, feed }: Committed): void {
    const { id } = outcome.after;
    // First: a command asks what is open now (an endpoint goes only when no session needs it).
    if (outcome.verdict === 'applied') for (const watcher of this.#watchers) watcher(outcome);
    this.#ports.performer().perform(id, orders);
    for (const { legId, change } of write?.legs ?? []) logLeg(this.#ports.log, legId, change);
    for (const { timer, dueAt } of write?.timersSet ?? []) this.#ports.wheel.set(id, timer, dueAt);
    for (const timer of write?.timersCleared ?? []) this.#ports.wheel.clear(id, timer);
    this.#ports.feed.committed(feed);
  }
}

/** For failpoints: a timer by its own name. */
function nameOf(event: SessionEvent): string {
  return event.type === 'timer.due' ? `timer.${event.timer}` : event.type;
}
