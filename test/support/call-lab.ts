/**
 * The calls of a node on a store, an engine and a clock in memory, over real lines. The test plays the phones and winds the
 * clock on. A process can be killed and another started on the same store and the same engine.
 */
import { worldPlans } from '../../control-plane/src/adapters/numbering/world-plans.ts';
import { createCalls } from '../../control-plane/src/app/calls/create-calls.ts';
import type { CallService, CallSettings } from '../../control-plane/src/app/calls/create-calls.ts';
import type { CallView } from '../../control-plane/src/contracts/call-api.ts';
import { ownsCallerId } from '../../control-plane/src/domain/trunk/caller-id.ts';
import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';
import { parseCallLegId } from '../../control-plane/src/domain/ids.ts';
import type { CallId, LegId } from '../../control-plane/src/domain/ids.ts';
import type { CallRequest, CallsResult } from '../../control-plane/src/ports/calls.ts';
import type { CallStore } from '../../control-plane/src/ports/call-store.ts';
import type { Clock } from '../../control-plane/src/ports/clock.ts';
import type { Caller } from '../../control-plane/src/ports/gateway.ts';
import type { PbxDriver } from '../../control-plane/src/ports/pbx-driver.ts';
import { StoreError } from '../../control-plane/src/ports/session-store.ts';
import { PhoneLines } from '../../control-plane/src/app/lines/phone-lines.ts';
import { FakePbx } from './fake-pbx.ts';
import { keptLog } from './kept-log.ts';
import { manualClock } from './manual-clock.ts';
import type { ManualClock } from './manual-clock.ts';
import { MemoryCallStore } from './memory-call-store.ts';
import { silentMetrics } from './silent-metrics.ts';
import { CARRIER_TRUNK } from './trunk-sample.ts';

export const DISPATCH: Caller = { role: 'backend', subject: 'dispatch', tokenId: 't1' };
export const OTHER_BACKEND: Caller = { role: 'backend', subject: 'billing', tokenId: 't2' };
export const ADMIN: Caller = { role: 'admin', subject: 'root', tokenId: 't3' };

export const CALLEE = '+919810012300';
export const SECOND = '+917000012400';
export const THIRD = '+919900012600';

interface Life {
  alive: boolean;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export class CallLab {
  readonly clock: ManualClock = manualClock();
  readonly memory = new MemoryCallStore(() => this.clock.now());
  readonly pbx: FakePbx = new FakePbx({ clock: this.clock, trunks: ['carrier'] });
  readonly log = keptLog();
  trunk: Trunk = CARRIER_TRUNK;
  settings: CallSettings = {
    ratePerS: 100,
    maxOpen: 50,
    numbers: { countries: ['IN'], numbers: [] },
    personalKeptMs: null,
  };
  /** What is told of the store: nobody waits for it. */
  isStoreAway = false;
  /** What the store does: `doubtful` commits the next transaction, and says that nobody knows. */
  mood: 'up' | 'down' | 'doubtful' = 'up';
  /** Legs of synthetic calls that are under way. */
  readonly synthetic = new Set<LegId>();
  #service: CallService | null = null;
  #life: Life = { alive: false };
  #ids = 0;

  get service(): CallService {
    if (!this.#service) throw new Error('nothing runs');
    return this.#service;
  }

  get calls(): CallService['calls'] {
    return this.service.calls;
  }

  /** Starts the calls of a node, as a new process would. */
  async boot(): Promise<void> {
    const life: Life = { alive: true };
    this.#life = life;
    const clock = this.#clockOf(life);
    const telephony = new PhoneLines({
      pbx: this.#pbxOf(life),
      trunks: () => [this.trunk],
      health: {
        report: () => undefined,
        qualified: () => undefined,
        engineLost: () => undefined,
        stateOf: () => 'up',
        p95PostDialDelayMs: () => null,
      },
      alerts: { raise: () => undefined, resolve: () => undefined },
      clock,
      log: this.log,
      metrics: silentMetrics,
    });
    this.#service = createCalls({
      store: this.#storeOf(life),
      telephony,
      plans: worldPlans,
      settings: this.settings,
      ownsCallerId: (number) => ownsCallerId(this.trunk, number),
      isStoreAway: () => this.isStoreAway,
      isSynthetic: (legId) => this.synthetic.has(legId),
      newId: () => this.#nextId(),
      clock,
      log: this.log,
      metrics: silentMetrics,
    });
    await telephony.start(1000);
    this.#service.start();
    await this.forward(0);
  }

  /** kill -9. */
  kill(): void {
    this.#life.alive = false;
    this.#service = null;
  }

  forward(byMs: number): Promise<void> {
    return this.clock.advance(byMs);
  }

  request(change: Partial<CallRequest> = {}): CallRequest {
    this.#ids += 1;
    return {
      to: CALLEE,
      bridgeTo: [],
      bridgeWhen: 'answered',
      ringTimeoutS: 30,
      maxDurationS: 3600,
      callerId: null,
      purpose: 'call',
      metadata: {},
      idempotencyKey: `key ${String(this.#ids)}`,
      bodyHash: 'body',
      receivedAt: this.clock.now(),
      ...change,
    };
  }

  async create(change: Partial<CallRequest> = {}, caller: Caller = DISPATCH): Promise<CallView> {
    const result = await this.settled(this.calls.create(caller, this.request(change)));
    if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
    return result.value.call;
  }

  /** The answer of a use case, with everything that follows from it at once. */
  async settled<T>(work: Promise<T>): Promise<T> {
    await this.forward(0);
    const result = await work;
    // What is only written down comes a moment later.
    await this.forward(25);
    return result;
  }

  async view(id: string, caller: Caller = DISPATCH): Promise<CallView> {
    const result = await this.settled(this.calls.view(caller, id as CallId));
    if (!result.ok) throw new Error(result.code);
    return result.value;
  }

  /** `answered/joined`; of a call that is over, why. */
  async state(id: string): Promise<string> {
    const { state, talk, reason } = await this.view(id);
    return `${state}/${reason ?? talk}`;
  }

  /** The newest leg of a kind that the engine has. */
  leg(kind: 'to' | 'other'): LegId {
    const meant = kind === 'to' ? 'call-to' : 'call-bridge-to';
    const found = this.pbx.legIds.filter((legId) => parseCallLegId(legId)?.kind === meant).at(-1);
    if (!found) throw new Error(`the engine has no ${kind} leg`);
    return found;
  }

  async rings(kind: 'to' | 'other'): Promise<void> {
    this.pbx.ring(this.leg(kind));
    await this.forward(0);
  }

  async answers(kind: 'to' | 'other'): Promise<void> {
    this.pbx.answer(this.leg(kind));
    await this.forward(0);
  }

  async hangsUp(kind: 'to' | 'other'): Promise<void> {
    this.pbx.end(this.leg(kind), 'completed', null, 16);
    await this.forward(0);
  }

  /** A call whose two parties hear each other. */
  async joined(): Promise<CallView> {
    const call = await this.create({ bridgeTo: [SECOND] });
    await this.answers('to');
    await this.answers('other');
    return call;
  }

  /** Orders to the engine that begin so. */
  ordered(words: string): string[] {
    return this.pbx.orders.filter((order) => order.startsWith(words));
  }

  /** What webhooks are told: type and leg. */
  get told(): string[] {
    return this.memory.outbox.map(({ type, data }) => `${data['leg'] as string} ${type}`);
  }

  failure(result: CallsResult<unknown>): string {
    return result.ok ? 'ok' : result.code;
  }

  #nextId(): CallId {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}` as CallId;
  }

  #clockOf(life: Life): Clock {
    return {
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      at: (at, callback) =>
        this.clock.at(at, () => {
          if (life.alive) callback();
        }),
    };
  }

  #pbxOf(life: Life): PbxDriver {
    const { pbx } = this;
    return new Proxy(pbx, {
      get: (target, name) => {
        if (name === 'attached') return pbx.attached;
        if (name === 'onEvent')
          return (listener: Parameters<PbxDriver['onEvent']>[0]) =>
            pbx.onEvent((event) => {
              if (life.alive) listener(event);
            });
        const order = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => (life.alive ? order.apply(target, args) : never());
      },
    });
  }

  #storeOf(life: Life): CallStore {
    const { memory } = this;
    const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
      if (!life.alive) return never();
      if (this.mood === 'down') throw new StoreError('ERR_STORE_UNAVAILABLE', 'the test took it down');
      const result = await work();
      return hasDied(life) ? never() : result;
    };
    return {
      transact: (work) =>
        guarded(async () => {
          const result = await memory.transact(work);
          if (this.mood !== 'doubtful') return result;
          this.mood = 'up';
          throw new StoreError('ERR_STORE_UNKNOWN_OUTCOME', 'the test keeps the outcome to itself');
        }),
      find: (id) => guarded(() => memory.find(id)),
      list: (filter) => guarded(() => memory.list(filter)),
      listUnfinished: (limit) => guarded(() => memory.listUnfinished(limit)),
      timers: (limit) => guarded(() => memory.timers(limit)),
      records: (filter) => guarded(() => memory.records(filter)),
      dropPersonalBefore: (at) => guarded(() => memory.dropPersonalBefore(at)),
      dropExpiredKeys: (now) => guarded(() => memory.dropExpiredKeys(now)),
    };
  }
}

function hasDied({ alive }: Life): boolean {
  return !alive;
}

export async function startCallLab(change: Partial<CallLab> = {}): Promise<CallLab> {
  const lab = Object.assign(new CallLab(), change);
  await lab.boot();
  return lab;
}
