/**
 * A whole core on a store, an engine and a clock in memory. The test plays the world (phones, apps, panels, outages)
 * and winds the clock on. A process can be killed and another started on the same store and the same engine.
 */
import { CARRIER_TRUNK } from './trunk-sample.ts';
import { createCore } from '../../control-plane/src/app/core.ts';
import type { Core, CorePorts } from '../../control-plane/src/app/core.ts';
import type { Activated } from '../../control-plane/src/contracts/sos-api.ts';
import { citizenAor, operatorAor, parseLegId } from '../../control-plane/src/domain/ids.ts';
import type {
  AddressOfRecord,
  CitizenId,
  ClientId,
  DeviceId,
  Instant,
  LegId,
  LegKind,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import { DEFAULT_POLICY } from '../../control-plane/src/domain/session/policy.ts';
import { isLive } from '../../control-plane/src/domain/session/session.ts';
import type { Live, Session } from '../../control-plane/src/domain/session/session.ts';
import type { Clock } from '../../control-plane/src/ports/clock.ts';
import type { Citizen } from '../../control-plane/src/ports/directory.ts';
import type { ActivateRequest, Caller, Gateway } from '../../control-plane/src/ports/gateway.ts';
import type { Journal } from '../../control-plane/src/ports/journal.ts';
import type { LeaseVerdict } from '../../control-plane/src/ports/lease.ts';
import type { PbxDriver } from '../../control-plane/src/ports/pbx-driver.ts';
import type { RecordKeeping } from '../../control-plane/src/ports/record-keeping.ts';
import { StoreError } from '../../control-plane/src/ports/session-store.ts';
import type { SessionStore } from '../../control-plane/src/ports/session-store.ts';
import { FakePbx } from './fake-pbx.ts';
import { manualClock } from './manual-clock.ts';
import type { ManualClock } from './manual-clock.ts';
import { MemoryJournal } from './memory-journal.ts';
import { memoryStore } from './memory-store.ts';
import { silentLog } from './silent-log.ts';
import { silentMetrics } from './silent-metrics.ts';

export const ZONE = 'central' as ZoneId;
export const PRIYA = 'priya' as CitizenId;
export const MEERA = 'meera' as CitizenId;
export const PHONE = 'phone1' as DeviceId;
export const PRIYA_AOR = citizenAor(PRIYA, PHONE);
export const AKRAM = 'akram' as OperatorId;
export const BINA = 'bina' as OperatorId;
export const CHIEF = 'chief' as OperatorId;
export const PLACE = { latitude: 28.6139, longitude: 77.209 };
export const BACKEND: Caller = { role: 'backend', subject: 'backend', tokenId: null };

export function asCitizen(citizenId: CitizenId): Caller {
  return { role: 'citizen', subject: citizenId, tokenId: null };
}

export function asOperator(operatorId: OperatorId): Caller {
  return { role: 'operator', subject: operatorId, tokenId: null };
}

export function panelOf(operatorId: OperatorId): AddressOfRecord {
  return operatorAor(operatorId, 'panel1' as ClientId);
}

export function citizenOf(id: CitizenId, change: Partial<Citizen> = {}): Citizen {
  const phone = PhoneNumber.parse('+919810000001');
  return { id, phone, phoneVerified: true, homeZone: ZONE, silent: false, devices: [PHONE], ...change };
}

/**
 * What the store does with what comes. `silent`: takes it and never answers. `read-only`: refuses every write.
 * `slow`: takes 300 ms for each answer. `doubtful`: commits the next transaction, and says that nobody knows. `mute`: commits it, and says nothing.
 */
export type StoreMood = 'up' | 'down' | 'silent' | 'slow' | 'read-only' | 'doubtful' | 'mute';

const SLOW_MS = 300;
const RECORDS: RecordKeeping = {
  dropFeedBefore: () => Promise.resolve(0),
  dropExpired: () => Promise.resolve(0),
  dropPersonalBefore: () => Promise.resolve(0),
  dropEventsBefore: () => Promise.resolve(0),
  dropLedgerBefore: () => Promise.resolve(0),
  erase: () => Promise.resolve({ ok: true, record: 1, sessions: 0, rows: 0, profile: false }),
  verify: () => Promise.resolve(null),
};

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** A killed process hears nothing and does nothing any more. */
interface Life {
  alive: boolean;
}

export class CoreLab {
  readonly clock: ManualClock = manualClock();
  readonly memory = memoryStore(() => this.clock.now());
  /** The disk of the node: it outlives its process. */
  readonly journal = new MemoryJournal();
  readonly pbx: FakePbx = new FakePbx({ clock: this.clock, trunks: ['carrier'] });
  /** Sockets that the core closed. */
  readonly closed: AddressOfRecord[] = [];
  mood: StoreMood = 'up';
  /** Whoever is on call, and who watches the trunks; nobody unless a test says so. */
  onCall: Pick<CorePorts, 'alerts' | 'trunkHealth'> = {};
  /** What a node learns when it asks whether it still holds its lease. */
  lease: LeaseVerdict = 'held';
  /** Awaited inside each transaction that is about to end: what happens meanwhile is a race. */
  beforeCommit: () => Promise<void> = () => Promise.resolve();
  #core: Core | null = null;
  #life: Life = { alive: false };
  #sessions = 0;

  get core(): Core {
    if (!this.#core) throw new Error('No core runs.');
    return this.#core;
  }

  get isRunning(): boolean {
    return this.#core !== null;
  }

  get gateway(): Gateway {
    return this.core.gateway;
  }

  /** Starts a core, as a new process would. */
  async boot(): Promise<void> {
    const life: Life = { alive: true };
    this.#life = life;
    this.#core = createCore({
      store: this.#storeOf(life),
      presence: this.#moody(this.memory.presence, life),
      records: RECORDS,
      ledger: this.memory.ledger,
      revocations: this.memory.revocations,
      directory: this.#moody(this.memory.directory, life),
      tickets: this.#moody(this.memory.tickets, life),
      journal: this.#journalOf(life),
      pbx: this.#pbxOf(life),
      lease: { verify: () => Promise.resolve(this.lease) },
      sockets: { close: (aor) => this.closed.push(aor) },
      clock: this.#clockOf(life),
      ids: { sessionId: () => this.#nextId() },
      log: silentLog,
      metrics: silentMetrics,
      policy: DEFAULT_POLICY,
      trunks: () => [CARRIER_TRUNK],
      sipDomain: 'example.org',
      ...this.onCall,
    });
    const started = this.#core.start();
    await this.clock.advance(0);
    await started;
  }

  /** kill -9. */
  kill(): void {
    this.#life.alive = false;
    this.#core = null;
  }

  /** Lets everything that is due happen while the clock goes on. */
  /** False: every panel that reported has died without a word. */
  panelsLive = true;

  forward(byMs: number): Promise<void> {
    return this.clock.advance(byMs);
  }

  async fillDirectory(): Promise<void> {
    const { directory } = this.memory;
    await directory.putZone({ id: ZONE, name: 'Central', polygon: null });
    for (const id of [PRIYA, MEERA]) await directory.putCitizen(citizenOf(id));
    for (const [index, id] of [AKRAM, BINA, CHIEF].entries()) {
      const dutyPhone = PhoneNumber.parse(`+91981000010${String(index)}`);
      await directory.putOperator({ id, name: id, dutyPhone, capacity: 1, active: true });
    }
    const entry = (operatorId: OperatorId, duty: 'operator' | 'supervisor', priority: number) =>
      ({ zoneId: ZONE, operatorId, duty, priority, pressToAccept: false, from: null, until: null }) as const;
    await directory.putRoster(ZONE, [
      entry(AKRAM, 'operator', 1),
      entry(BINA, 'operator', 2),
      entry(CHIEF, 'supervisor', 3),
    ]);
  }

  /** A device reaches the edge and registers. */
  async connect(aor: AddressOfRecord): Promise<void> {
    await this.gateway.deviceAdmitted(aor);
    this.pbx.register(aor);
    await this.forward(0);
  }

  async beginShift(operatorId: OperatorId): Promise<void> {
    const aor = panelOf(operatorId);
    await this.connect(aor);
    await this.gateway.shift(operatorId, aor, true);
    await this.forward(0);
  }

  request(change: Partial<ActivateRequest> = {}): ActivateRequest {
    return {
      citizenId: PRIYA,
      deviceId: PHONE,
      location: PLACE,
      clientTime: undefined,
      bodyMalformed: false,
      idempotencyKey: null,
      bodyHash: '',
      receivedAt: this.clock.now(),
      ...change,
    };
  }

  async activate(change: Partial<ActivateRequest> = {}): Promise<Activated & { readonly id: SessionId }> {
    const result = await this.gateway.activate(this.request(change));
    await this.forward(0);
    if (!result.ok) throw new Error(result.code);
    return { ...result.value, id: result.value.id as SessionId };
  }

  /** What the store holds of a session; the first one unless its id is given. */
  async session(id: SessionId = sessionIdOf(1)): Promise<Session> {
    const stored = await this.memory.store.find(id);
    if (!stored) throw new Error('No such session.');
    return stored.session;
  }

  async live(id: SessionId = sessionIdOf(1)): Promise<Live> {
    const session = await this.session(id);
    if (!isLive(session)) throw new Error(`The session is ${session.phase}.`);
    return session;
  }

  async eventTypes(id: SessionId = sessionIdOf(1)): Promise<string[]> {
    return (await this.memory.store.events(id, 1000)).map(({ event }) => event.type);
  }

  /** Legs that the engine has, by kind; `id` narrows them to one session. */
  legs(kind: LegKind, id?: SessionId): LegId[] {
    return this.pbx.legIds.filter((legId) => {
      const leg = parseLegId(legId);
      return leg?.kind === kind && (id === undefined || leg.sessionId === id);
    });
  }

  /** The newest leg of a kind in the engine. */
  leg(kind: LegKind, id?: SessionId): LegId {
    const found = this.legs(kind, id).at(-1);
    if (!found) throw new Error(`The engine has no ${kind} leg.`);
    return found;
  }

  async answer(kind: LegKind, id?: SessionId): Promise<void> {
    this.pbx.answer(this.leg(kind, id));
    await this.forward(0);
  }

  /** Her packets come, on the newest leg that was answered. */
  async packets(id?: SessionId): Promise<void> {
    const answered = this.legs('citizen-app', id).filter(
      (legId) => this.pbx.leg(legId)?.state === 'answered',
    );
    for (const legId of answered.slice(-1)) this.pbx.startPackets(legId);
    await this.forward(0);
  }

  async heard(operatorId: OperatorId = AKRAM, id: SessionId = sessionIdOf(1)): Promise<void> {
    const legId = this.leg('operator-app', id);
    await this.gateway.heard(operatorId, id, legId, 12);
    await this.forward(0);
    this.#sayAgain(operatorId, id, legId);
  }

  /** A panel reports each second, for as long as it lives. */
  #sayAgain(operatorId: OperatorId, id: SessionId, legId: LegId): void {
    this.clock.at((this.clock.now() + 1000) as Instant, () => {
      if (!this.panelsLive) return;
      if (this.isRunning) void this.gateway.heard(operatorId, id, legId, 62);
      this.#sayAgain(operatorId, id, legId);
    });
  }

  /** On shift, registered, activated, answered, streaming, heard. */
  async becomeActive(): Promise<void> {
    await this.beginShift(AKRAM);
    await this.connect(PRIYA_AOR);
    await this.activate();
    await this.answer('citizen-app');
    await this.answer('operator-app');
    await this.packets();
    await this.heard();
  }

  /** How often the engine was told to do this: the beginning of an order in words. */
  ordered(words: string): string[] {
    return this.pbx.orders.filter((order) => order.startsWith(words));
  }

  #nextId(): SessionId {
    this.#sessions += 1;
    return sessionIdOf(this.#sessions);
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

  #journalOf(life: Life): Journal {
    const { journal } = this;
    return {
      read: () => journal.read(),
      append: (entry) => (life.alive ? journal.append(entry) : never()),
      clear: () => (life.alive ? journal.clear() : never()),
      setAside: (entries) => (life.alive ? journal.setAside(entries) : never()),
    };
  }

  #pbxOf(life: Life): PbxDriver {
    const { pbx } = this;
    const living = <T>(order: () => Promise<T>): Promise<T> => (life.alive ? order() : never());
    return {
      start: () => pbx.start(),
      stop: () => pbx.stop(),
      get attached() {
        return pbx.attached;
      },
      onEvent: (listener) =>
        pbx.onEvent((event) => {
          if (life.alive) listener(event);
        }),
      provisionEndpoint: (aor) => living(() => pbx.provisionEndpoint(aor)),
      removeEndpoint: (aor) => living(() => pbx.removeEndpoint(aor)),
      dialApp: (dial) => living(() => pbx.dialApp(dial)),
      dialPhone: (dial) => living(() => pbx.dialPhone(dial)),
      responded: (legId) => pbx.responded(legId),
      hangup: (legId, reason) => living(() => pbx.hangup(legId, reason)),
      join: (bridgeId, legId, voice) => living(() => pbx.join(bridgeId, legId, voice)),
      closeBridge: (bridgeId) => living(() => pbx.closeBridge(bridgeId)),
      startHoldingPrompt: (legId) => living(() => pbx.startHoldingPrompt(legId)),
      startAcceptancePrompt: (legId) => living(() => pbx.startAcceptancePrompt(legId)),
      watchMedia: (legId) => {
        if (life.alive) pbx.watchMedia(legId);
      },
      hearsTone: (legId, hz, withinMs) => living(() => pbx.hearsTone(legId, hz, withinMs)),
      list: () => pbx.list(),
    };
  }

  async #guarded<T>(life: Life, work: () => Promise<T>): Promise<T> {
    if (!life.alive || this.mood === 'silent') return never();
    if (this.mood === 'down') throw new StoreError('ERR_STORE_UNAVAILABLE', 'the test took it down');
    if (this.mood === 'slow')
      await new Promise<void>((resolve) => this.clock.at((this.clock.now() + SLOW_MS) as Instant, resolve));
    const result = await work();
    return hasDied(life) ? never() : result;
  }

  /** Everything else that lives in the database shares its fate. */
  #moody<Port extends object>(port: Port, life: Life): Port {
    return new Proxy(port, {
      get:
        (target, name) =>
        (...args: readonly unknown[]) =>
          this.#guarded(life, () => (Reflect.get(target, name) as Call)(...args)),
    });
  }

  #storeOf(life: Life): SessionStore {
    const { store } = this.memory;
    const guarded = <T>(work: () => Promise<T>): Promise<T> => this.#guarded(life, work);
    return {
      transact: (work) =>
        guarded(async () => {
          const result = await store.transact(async (tx) => {
            const done = await work(tx);
            await this.beforeCommit();
            if (this.mood === 'read-only')
              throw new StoreError('ERR_STORE_UNAVAILABLE', 'the test lets nobody write');
            return done;
          });
          const { mood } = this;
          if (mood !== 'doubtful' && mood !== 'mute') return result;
          this.mood = 'up';
          if (mood === 'mute') return never();
          throw new StoreError('ERR_STORE_UNKNOWN_OUTCOME', 'the test keeps the outcome to itself');
        }),
      find: (id) => guarded(() => store.find(id)),
      listOpen: (limit) => guarded(() => store.listOpen(limit)),
      list: (filter) => guarded(() => store.list(filter)),
      location: (id) => guarded(() => store.location(id)),
      timers: (until, limit) => guarded(() => store.timers(until, limit)),
      events: (id, limit) => guarded(() => store.events(id, limit)),
      feedAfter: (seq, limit) => guarded(() => store.feedAfter(seq, limit)),
      feedHead: () => guarded(() => store.feedHead()),
      feedFloor: () => guarded(() => store.feedFloor()),
      ping: () => Promise.resolve(this.mood !== 'down' && this.mood !== 'silent'),
      renew: () => undefined,
    };
  }
}

function hasDied(life: Life): boolean {
  return !life.alive;
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** The id of the n-th session of a lab. */
export function sessionIdOf(n: number): SessionId {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as SessionId;
}

export function instant(at: number): Instant {
  return at as Instant;
}

/** A core that runs, with its directory filled: nobody on shift, nobody connected. */
export async function startCoreLab(): Promise<CoreLab> {
  const lab = new CoreLab();
  await lab.fillDirectory();
  await lab.boot();
  return lab;
}
