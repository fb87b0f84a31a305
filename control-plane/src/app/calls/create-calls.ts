/** The calls of a node, put together: loop, timers, engine events, comparison. `main` gives it its adapters. */
import { isLiveCall } from '../../domain/call/call.ts';
import type { CallTimer } from '../../domain/call/event.ts';
import type { CallId, Instant, LegId } from '../../domain/ids.ts';
import type { NumberPolicy } from '../../domain/numbering/number-policy.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallStore } from '../../ports/call-store.ts';
import type { Calls } from '../../ports/calls.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Failpoints } from '../../ports/failpoints.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { NumberingPlans } from '../../ports/numbering-plans.ts';
import type { PbxEvent, PbxSnapshot } from '../../ports/pbx-driver.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { Telephony } from '../../ports/telephony.ts';
import { TimerWheel } from '../timer-wheel.ts';
import { untilTaken } from '../until-taken.ts';
import { CallDesk } from './call-desk.ts';
import { callEventOf } from './call-events.ts';
import { keepCallHouse } from './call-housekeeping.ts';
import { CallLoop } from './call-loop.ts';
import { CallNumbers } from './call-numbers.ts';
import { CallPerformer } from './call-performer.ts';
import { CallReconciler } from './call-reconciler.ts';
import { NumberJudge } from './number-judge.ts';

const MAX_TIMERS = 100_000;
const DUE_AGAIN_MS = 1000;
const COMPARE_AGAIN_MS = 1000;

export interface CallSettings {
  readonly ratePerS: number;
  /** 0: nobody places calls. */
  readonly maxOpen: number;
  readonly numbers: NumberPolicy;
  /** How long numbers and metadata of calls that are over are kept; `null`: for good. */
  readonly personalKeptMs: number | null;
}

export interface CallsPorts {
  readonly store: CallStore;
  readonly telephony: Telephony;
  readonly plans: NumberingPlans;
  readonly settings: CallSettings;
  /** One of the trunks has it. */
  readonly ownsCallerId: (number: PhoneNumber) => boolean;
  readonly isStoreAway: () => boolean;
  /** A leg of a synthetic call, which the engine has and no call. Absent: there are none. */
  readonly isSynthetic?: (legId: LegId) => boolean;
  /** Something for webhooks was committed. */
  readonly outboxWritten?: () => void;
  readonly newId: () => CallId;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
}

export interface CallService {
  readonly calls: Calls;
  /** Once the engine is attached. Waits for nobody: calls never hold up the start of an SOS. */
  start(): void;
  stop(): Promise<void>;
}

/** Hears the engine from now on; what it tells is kept in the calls' own rows, so that nothing need be known before. */
export function createCalls(ports: CallsPorts): CallService {
  const { store, telephony, clock, log, metrics, settings } = ports;
  const failpoints = ports.failpoints && { failpoints: ports.failpoints };
  const wheel = new TimerWheel<CallId, CallTimer>(clock);
  const numbers = new CallNumbers(store);
  const open = new Set<CallId>();
  let isStopped = false;
  let compared: Promise<void> = Promise.resolve();
  let cancelComparison: (() => void) | null = null;
  let stopHousekeeping = (): void => undefined;

  const loop: CallLoop = new CallLoop({
    store,
    wheel,
    performer: () => performer,
    missed: compareSoon,
    outboxWritten: ports.outboxWritten ?? (() => undefined),
    clock,
    log,
    metrics,
    ...failpoints,
  });
  const performer = new CallPerformer({
    telephony,
    numbers,
    clock,
    log,
    metrics,
    ...failpoints,
    told: (callId, event) => background(loop.happened(callId, event, clock.now()), event.type),
  });
  const reconciler = new CallReconciler({
    telephony,
    store,
    loop,
    performer,
    isSynthetic: ports.isSynthetic ?? (() => false),
    clock,
    log,
    metrics,
    ...failpoints,
  });
  const desk = new CallDesk({
    store,
    loop,
    numbers,
    judge: new NumberJudge(ports.plans, settings.numbers),
    ownsCallerId: ports.ownsCallerId,
    open,
    maxOpen: settings.maxOpen,
    ratePerS: settings.ratePerS,
    newId: ports.newId,
    isEngineThere: () => telephony.attached,
    isStoreAway: ports.isStoreAway,
    clock,
  });

  function background(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => {
      const code = error instanceof StoreError ? error.code : null;
      metrics.count('hamrahi_calls_background_failures_total', { what });
      log.error('Work on a call failed.', { what, code, error: String(error) });
    });
  }

  function compare(snapshot: Pick<PbxSnapshot, 'legs' | 'bridges'>, at: Instant): void {
    compared = reconciler.compare(snapshot, at);
    background(compared, 'compare');
  }

  /** Something that happened is known to the engine alone: it is asked, as soon as the store takes the answers. */
  function compareSoon(): void {
    if (cancelComparison !== null || isStopped) return;
    cancelComparison = clock.at((clock.now() + COMPARE_AGAIN_MS) as Instant, () => {
      cancelComparison = null;
      background(compareNow(), 'compare');
    });
  }

  async function compareNow(): Promise<void> {
    const at = clock.now();
    const engine = await telephony.list();
    // Else it will tell what it has once it is attached again.
    if (engine.ok) await reconciler.compare(engine.value, at);
  }

  telephony.onEvent((event: PbxEvent) => {
    if (event.type === 'engine.back') compare(event.snapshot, event.at);
    const meant = callEventOf(event);
    if (meant) background(loop.happened(meant.callId, meant.event, event.at), event.type);
  });
  loop.watch(({ after }) => {
    if (isLiveCall(after)) open.add(after.id);
    else open.delete(after.id);
    if (!isLiveCall(after) && after.legs.length === 0) {
      numbers.forget(after.id);
      wheel.forget(after.id);
    }
    metrics.gauge('hamrahi_calls_open', open.size);
  });
  wheel.onDue((callId, timer, dueAt) => {
    ports.failpoints?.passed('timer-fired', `timer.${timer}`);
    const stale = (): boolean => !wheel.isCurrent(callId, timer, dueAt);
    const work = loop
      .happened(callId, { type: 'timer.due', timer }, clock.now(), stale)
      .catch((error: unknown) => {
        // No deadline is ever given up: what the store did not take in time is due again.
        if (!stale() && !isStopped) wheel.set(callId, timer, (clock.now() + DUE_AGAIN_MS) as Instant);
        throw error;
      });
    background(work, `timer ${timer}`);
  });

  async function load(): Promise<void> {
    // What the engine has was compared first: it is queued before the first overdue timer.
    await compared.catch(() => undefined);
    const { result } = await untilTaken({ clock, log, metrics }, Number.POSITIVE_INFINITY, () =>
      Promise.all([store.listUnfinished(MAX_TIMERS), store.timers(MAX_TIMERS)]),
    );
    const [calls, timers] = result;
    if (isStopped) return;
    for (const { call } of calls) if (isLiveCall(call)) open.add(call.id);
    metrics.gauge('hamrahi_calls_open', open.size);
    // What was set meanwhile is newer than what was read.
    for (const { callId, timer, dueAt } of timers)
      if (!wheel.has(callId, timer)) wheel.set(callId, timer, dueAt);
  }

  return {
    calls: desk,
    start: () => {
      background(load(), 'load');
      stopHousekeeping = keepCallHouse(store, clock, log, settings.personalKeptMs);
    },
    stop: async () => {
      isStopped = true;
      stopHousekeeping();
      cancelComparison?.();
      wheel.stop();
      await loop.idle();
      await performer.idle();
    },
  };
}
