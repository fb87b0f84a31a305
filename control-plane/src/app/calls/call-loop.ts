/**
 * The loop of calls, as that of sessions: event → lock, reduce, write, commit → perform. Events of one call run in order,
 * calls side by side. Calls need the store: while it is away, what is asked is refused, and what happens is offered again
 * in bounded memory; calls that run go on meanwhile.
 */
import type { Call } from '../../domain/call/call.ts';
import type { CallCommand, CallOrder } from '../../domain/call/command.ts';
import type { CallVerdict } from '../../domain/call/call-draft.ts';
import type { CallEvent, CallTimer } from '../../domain/call/event.ts';
import { reduceCall } from '../../domain/call/reduce-call.ts';
import type { CallId, Instant, LegId } from '../../domain/ids.ts';
import type { CallStore, CallTx, CallWrite } from '../../ports/call-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Failpoints } from '../../ports/failpoints.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { StoreError } from '../../ports/session-store.ts';
import { KeyedQueue } from '../keyed-queue.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { untilTaken } from '../until-taken.ts';
import type { CallPerformer } from './call-performer.ts';
import { callWriteOf } from './call-write-of.ts';
import type { CallFound, CallStep } from './call-write-of.ts';
import { FactBatches } from './fact-batches.ts';
import type { Fact } from './fact-batches.ts';
import { owedOrders } from './reconcile-calls.ts';

const REQUEST_DEADLINE_MS = 5000;
const FACT_DEADLINE_MS = 60_000;
const MAX_TIMERS = 100_000;
/** Facts that wait for the store; what comes beyond is found again by a comparison with the engine. */
const MAX_WAITING = 5000;

export interface CallOutcome {
  readonly verdict: CallVerdict;
  readonly before: Call | null;
  readonly after: Call;
  readonly seq: number;
}

/** What a transaction has before it. */
interface Turn {
  readonly found: CallFound;
  readonly facts: readonly Fact[];
}

interface Decided {
  readonly verdict: CallVerdict;
  readonly after: Call;
  readonly steps: readonly CallStep[];
  /** Of what was ignored, too: a stranger is hung up. */
  readonly commands: readonly CallCommand[];
}

export interface CallLoopPorts {
  readonly store: Pick<CallStore, 'transact' | 'timers'>;
  readonly wheel: TimerWheel<CallId, CallTimer>;
  readonly performer: () => CallPerformer;
  /** A fact was given up: only the engine knows it now. */
  readonly missed: () => void;
  /** Something for webhooks was committed. */
  readonly outboxWritten: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
}

export class CallLoop {
  readonly #ports: CallLoopPorts;
  readonly #queue = new KeyedQueue<CallId>();
  readonly #watchers = new Set<(outcome: CallOutcome) => void>();
  readonly #batches: FactBatches;
  #waiting = 0;

  constructor(ports: CallLoopPorts) {
    this.#ports = ports;
    this.#batches = new FactBatches(ports.clock, (callId, take) => this.#decideTogether(callId, take));
  }

  /** Told of every applied change after its commit, before its orders run. */
  watch(watcher: (outcome: CallOutcome) => void): void {
    this.#watchers.add(watcher);
  }

  /** Something has happened to a call. Resolves once that is decided, or nobody knows such a call. */
  async happened(callId: CallId, event: CallEvent, at: Instant, isStale?: () => boolean): Promise<void> {
    const { metrics, missed } = this.#ports;
    // A deadline is known to nobody else, and there are no more of them than timers.
    const isLimited = event.type !== 'timer.due';
    if (isLimited && this.#waiting >= MAX_WAITING) {
      metrics.count('hamrahi_calls_events_dropped_total', { type: event.type });
      missed();
      return;
    }
    if (isLimited) this.#waiting += 1;
    try {
      await this.#batches.add(callId, { event, at, ...(isStale ? { isStale } : {}) });
    } catch (error) {
      if (error instanceof StoreError) missed();
      throw error;
    } finally {
      if (isLimited) this.#waiting -= 1;
    }
  }

  /** Somebody asks something of a call, or for a new one; what that means is found inside the transaction. */
  asked(
    callId: CallId,
    at: Instant,
    find: (tx: CallTx) => Promise<(CallFound & { readonly event: CallEvent }) | null>,
  ): Promise<CallOutcome | null> {
    const giveUpAt = this.#ports.clock.now() + REQUEST_DEADLINE_MS;
    return this.#queue.run(callId, () =>
      this.#persist(Math.max(0, giveUpAt - this.#ports.clock.now()), () =>
        this.#run(async (tx) => {
          const found = await find(tx);
          return found && { found, facts: [{ event: found.event, at }] };
        }),
      ),
    );
  }

  /** Orders once more what the call as it stands asks of the engine; no dial of a leg that was dialled since. */
  async again(callId: CallId, isDialledSince: (legId: LegId) => boolean): Promise<void> {
    await this.#queue.run(callId, async () => {
      const { result } = await untilTaken(this.#ports, FACT_DEADLINE_MS, () =>
        this.#ports.store.transact((tx) => tx.load(callId)),
      );
      if (result) this.#ports.performer().perform(callId, owedOrders(result.call, isDialledSince));
    });
  }

  async idle(): Promise<void> {
    this.#batches.flush();
    await this.#queue.idle();
  }

  async #decideTogether(callId: CallId, take: () => readonly Fact[]): Promise<void> {
    await this.#queue.run(callId, () => {
      const facts = take();
      return this.#persist(FACT_DEADLINE_MS, () =>
        this.#run(async (tx) => {
          const before = await tx.load(callId);
          return before && { found: { before }, facts };
        }),
      );
    });
  }

  /** After a commit in doubt, its orders and timers are made good for. */
  async #persist(deadlineMs: number, work: () => Promise<CallOutcome | null>): Promise<CallOutcome | null> {
    const { result, inDoubt } = await untilTaken(this.#ports, deadlineMs, work);
    if (!inDoubt || !result) return result;
    const { after } = result;
    if (result.verdict !== 'applied') for (const watcher of this.#watchers) watcher(result);
    this.#ports.outboxWritten();
    this.#ports.performer().perform(
      after.id,
      owedOrders(after, () => false),
    );
    await this.#timersAgain(after.id);
    return result;
  }

  async #timersAgain(id: CallId): Promise<void> {
    const { store, wheel } = this.#ports;
    const { result } = await untilTaken(this.#ports, FACT_DEADLINE_MS, () => store.timers(MAX_TIMERS));
    for (const { callId, timer, dueAt } of result) if (callId === id) wheel.set(id, timer, dueAt);
  }

  async #run(find: (tx: CallTx) => Promise<Turn | null>): Promise<CallOutcome | null> {
    const { store, failpoints } = this.#ports;
    const committed = await store.transact(async (tx) => {
      const turn = await find(tx);
      if (!turn) return null;
      const decided = this.#decide(turn);
      if (!decided) return null;
      const write = callWriteOf(turn.found, decided.steps);
      // Not waited for: the commit travels with it.
      const written = write && tx.apply(write);
      written?.catch(() => undefined);
      return { turn, decided, write, written };
    });
    if (!committed) return null;
    const { turn, decided, write, written } = committed;
    const { before } = turn.found;
    const seq = (await written) ?? before?.seq ?? 0;
    for (const { event } of turn.facts) failpoints?.passed('committed', nameOf(event));
    const { verdict, after, commands } = decided;
    const outcome = { verdict, before: before?.call ?? null, after, seq };
    this.#afterCommit(outcome, ordersOf(commands), write);
    return outcome;
  }

  /** One event after the other. `applied` when any of them was; else what became of the last. */
  #decide({ found, facts }: Turn): Decided | null {
    const { metrics, failpoints } = this.#ports;
    let call = found.before?.call ?? null;
    let verdict: CallVerdict = 'ignored';
    const steps: CallStep[] = [];
    const commands: CallCommand[] = [];
    for (const { event, at, isStale } of facts) {
      if (isStale?.() === true) continue;
      const decision = reduceCall(call, event, at);
      if (!decision) continue;
      failpoints?.passed('decided', nameOf(event));
      metrics.count('hamrahi_calls_events_total', { type: event.type, verdict: decision.verdict });
      commands.push(...decision.commands);
      if (decision.verdict === 'applied')
        steps.push({ event, at, before: call, after: decision.call, commands: decision.commands });
      verdict = steps.length > 0 ? 'applied' : decision.verdict;
      call = decision.call;
    }
    return call && { verdict, after: call, steps, commands };
  }

  #afterCommit(outcome: CallOutcome, orders: readonly CallOrder[], write: CallWrite | null): void {
    const { wheel, performer, log, outboxWritten } = this.#ports;
    const { id } = outcome.after;
    if (outcome.verdict === 'applied') for (const watcher of this.#watchers) watcher(outcome);
    performer().perform(id, orders);
    for (const { legId, change } of write?.legs ?? []) {
      if (change.state !== 'ended') continue;
      const { outcome: how, sipStatus, q850 } = change;
      log.info('leg ended', { legId, outcome: how, sipStatus, q850 });
    }
    for (const { timer, dueAt } of write?.timersSet ?? []) wheel.set(id, timer, dueAt);
    for (const timer of write?.timersCleared ?? []) wheel.clear(id, timer);
    if ((write?.outbox ?? []).length > 0) outboxWritten();
  }
}

function ordersOf(commands: readonly CallCommand[]): readonly CallOrder[] {
  return commands.filter((command): command is CallOrder => command.type.startsWith('pbx.'));
}

/** For failpoints: a timer by its own name. */
function nameOf(event: CallEvent): string {
  return event.type === 'timer.due' ? `timer.${event.timer}` : event.type;
}
