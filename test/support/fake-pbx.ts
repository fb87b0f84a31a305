/**
 * An engine in memory, for tests of what stands above the port. The test plays the world: it lets phones ring,
 * answer and hang up, contacts come and go, packets flow and cease, and the engine be lost. It keeps the same
 * promises as the real drivers (test/contract/pbx-driver.contract.ts).
 */
import type { AddressOfRecord, BridgeId, Instant, LegId } from '../../control-plane/src/domain/ids.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';
import type { Clock } from '../../control-plane/src/ports/clock.ts';
import type {
  AppDial,
  HangupReason,
  LegSnapshot,
  PbxDriver,
  PbxErrorCode,
  PbxEvent,
  PbxResult,
  PbxSnapshot,
  PhoneDial,
  Voice,
} from '../../control-plane/src/ports/pbx-driver.ts';

export interface FakeLeg {
  readonly dial: AppDial | PhoneDial;
  state: LegSnapshot['state'];
  bridgeId: BridgeId | null;
  voice: Voice | null;
  holding: boolean;
  watched: boolean;
  media: 'none' | 'flowing' | 'lost';
  /** What the far end plays once it is answered. */
  toneHz: number | null;
}

export interface FakePbxOptions {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  readonly trunks?: readonly string[];
  /** What two phones in one bridge are carried by. */
  readonly technology?: string;
}

const OK = { ok: true, value: undefined } as const;

export class FakePbx implements PbxDriver {
  readonly #options: FakePbxOptions;
  readonly #listeners: ((event: PbxEvent) => void)[] = [];
  readonly #legs = new Map<LegId, FakeLeg>();
  readonly #bridges = new Set<BridgeId>();
  readonly #contacts = new Set<AddressOfRecord>();
  #attached = false;
  #failures: PbxErrorCode[] = [];
  /** Endpoints that stand. */
  readonly endpoints = new Set<AddressOfRecord>();
  /** Every order, in words: `dial <leg>`, `hangup <leg> <reason>`, `join <bridge> <leg> <voice>`… */
  readonly orders: string[] = [];
  /** Calls to which the far end has not said a word, not even 100. */
  readonly silent = new Set<LegId>();
  /** Called for each new leg: what the far end does. Nothing, unless a test sets it. */
  onDial: (legId: LegId, dial: AppDial | PhoneDial) => void = () => undefined;

  constructor(options: FakePbxOptions) {
    this.#options = options;
  }

  // ---- the world, played by the test ----

  leg(legId: LegId): FakeLeg | undefined {
    return this.#legs.get(legId);
  }

  get legIds(): LegId[] {
    return [...this.#legs.keys()];
  }

  get bridgeIds(): BridgeId[] {
    return [...this.#bridges];
  }

  ring(legId: LegId): void {
    const leg = this.#legs.get(legId);
    if (leg?.state !== 'dialing') return;
    leg.state = 'ringing';
    this.emit({ type: 'leg.ringing', legId, at: this.#now() });
  }

  progress(legId: LegId): void {
    if (this.#legs.has(legId)) this.emit({ type: 'leg.progress', legId, at: this.#now() });
  }

  answer(legId: LegId): void {
    const leg = this.#legs.get(legId);
    if (leg === undefined || leg.state === 'answered') return;
    leg.state = 'answered';
    this.emit({ type: 'leg.answered', legId, at: this.#now() });
  }

  playTone(legId: LegId, hz: number | null): void {
    const leg = this.#legs.get(legId);
    if (leg !== undefined) leg.toneHz = hz;
  }

  end(legId: LegId, outcome: LegOutcome, sipStatus: number | null = null, q850: number | null = null): void {
    if (!this.#legs.delete(legId)) return;
    this.emit({ type: 'leg.ended', legId, at: this.#now(), outcome, sipStatus, q850 });
  }

  /** Packets come on a watched, answered leg, until stopPackets(). */
  startPackets(legId: LegId): void {
    const leg = this.#legs.get(legId);
    if (leg?.state !== 'answered' || !leg.watched || leg.media === 'flowing') return;
    const at = this.#now();
    if (leg.media === 'none') {
      this.emit({ type: 'media.first-packet', legId, at });
      this.emit({ type: 'media.streaming', legId, at, packets: 5 });
    } else {
      this.emit({ type: 'media.back', legId, at });
    }
    leg.media = 'flowing';
  }

  stopPackets(legId: LegId, silentForMs = 4_000): void {
    const leg = this.#legs.get(legId);
    if (leg?.media !== 'flowing') return;
    leg.media = 'lost';
    this.emit({ type: 'media.lost', legId, at: this.#now(), silentForMs });
  }

  sound(legId: LegId, talking: boolean): void {
    if (this.#legs.has(legId)) this.emit({ type: 'media.sound', legId, at: this.#now(), talking });
  }

  register(aor: AddressOfRecord): void {
    if (!this.endpoints.has(aor)) throw new Error(`${aor} has no endpoint: a REGISTER gets 401`);
    this.#contacts.add(aor);
    this.emit({ type: 'contact.online', aor, at: this.#now() });
  }

  unregister(aor: AddressOfRecord): void {
    if (this.#contacts.delete(aor)) this.emit({ type: 'contact.offline', aor, at: this.#now() });
  }

  /** The connection breaks; calls live on. */
  lose(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.emit({ type: 'engine.lost', at: this.#now() });
  }

  /** Another process commands the engine in our name, until start() takes it back. */
  replace(): void {
    this.lose();
    this.emit({ type: 'engine.replaced', at: this.#now() });
  }

  comeBack(): void {
    this.#attached = true;
    this.emit({ type: 'engine.back', at: this.#now(), snapshot: this.#snapshot() });
    for (const trunk of this.#options.trunks ?? []) this.emit({ type: 'trunk.up', trunk, at: this.#now() });
  }

  /** The engine itself dies: nothing of its calls, bridges and contacts is left. */
  crash(): void {
    this.lose();
    this.#legs.clear();
    this.#bridges.clear();
    this.#contacts.clear();
  }

  /** The next orders fail so, one each. */
  failNext(...codes: PbxErrorCode[]): void {
    this.#failures.push(...codes);
  }

  /** Any event: late, doubled or wrong ones too. */
  emit(event: PbxEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  // ---- the port ----

  get attached(): boolean {
    return this.#attached;
  }

  start(): Promise<void> {
    this.comeBack();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#attached = false;
    return Promise.resolve();
  }

  onEvent(listener: (event: PbxEvent) => void): void {
    this.#listeners.push(listener);
  }

  provisionEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#order(`provision ${aor}`, () => {
      this.endpoints.add(aor);
      return OK;
    });
  }

  removeEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#order(`remove ${aor}`, () => {
      this.endpoints.delete(aor);
      this.unregister(aor);
      return OK;
    });
  }

  dialApp(dial: AppDial): Promise<PbxResult> {
    return this.#dial(dial, () => (this.#contacts.has(dial.aor) ? null : 'ERR_PBX_NO_CONTACT'));
  }

  dialPhone(dial: PhoneDial): Promise<PbxResult> {
    return this.#dial(dial, () => (this.#options.trunks?.includes(dial.trunk) ? null : 'ERR_PBX_NOT_FOUND'));
  }

  responded(legId: LegId): Promise<PbxResult<boolean>> {
    if (!this.#attached) return Promise.resolve(failure('ERR_PBX_DISCONNECTED'));
    return Promise.resolve({ ok: true, value: !this.silent.has(legId) });
  }

  hangup(legId: LegId, reason: HangupReason): Promise<PbxResult> {
    return this.#order(`hangup ${legId} ${reason}`, () => {
      const state = this.#legs.get(legId)?.state;
      if (state === 'answered') this.end(legId, 'completed', null, 16);
      else this.end(legId, reason === 'no-answer' ? 'no-answer' : 'cancelled', null, 16);
      return OK;
    });
  }

  join(bridgeId: BridgeId, legId: LegId, voice: Voice): Promise<PbxResult> {
    return this.#order(`join ${bridgeId} ${legId} ${voice}`, () => {
      const leg = this.#legs.get(legId);
      if (leg === undefined) return failure('ERR_PBX_NOT_FOUND');
      if (leg.state !== 'answered') return failure('ERR_PBX_CONFLICT');
      this.#bridges.add(bridgeId);
      leg.voice = voice;
      leg.holding = false;
      if (leg.bridgeId === bridgeId) return OK;
      leg.bridgeId = bridgeId;
      const legIds = [...this.#legs].filter(([, other]) => other.bridgeId === bridgeId).map(([id]) => id);
      const technology = this.#options.technology ?? 'native_rtp';
      if (legIds.length > 1)
        this.emit({ type: 'leg.bridged', bridgeId, legIds, technology, at: this.#now() });
      return OK;
    });
  }

  closeBridge(bridgeId: BridgeId): Promise<PbxResult> {
    return this.#order(`close ${bridgeId}`, () => {
      this.#bridges.delete(bridgeId);
      for (const leg of this.#legs.values()) if (leg.bridgeId === bridgeId) leg.bridgeId = null;
      return OK;
    });
  }

  startAcceptancePrompt(legId: LegId): Promise<PbxResult> {
    return this.#order(`ask ${legId}`, () => {
      const leg = this.#legs.get(legId);
      if (leg === undefined) return failure('ERR_PBX_NOT_FOUND');
      return leg.state === 'answered' ? OK : failure('ERR_PBX_CONFLICT');
    });
  }

  startHoldingPrompt(legId: LegId): Promise<PbxResult> {
    return this.#order(`hold ${legId}`, () => {
      const leg = this.#legs.get(legId);
      if (leg === undefined) return failure('ERR_PBX_NOT_FOUND');
      if (leg.state !== 'answered') return failure('ERR_PBX_CONFLICT');
      leg.holding = leg.bridgeId === null;
      return OK;
    });
  }

  watchMedia(legId: LegId): void {
    this.orders.push(`watch ${legId}`);
    const leg = this.#legs.get(legId);
    if (leg !== undefined) leg.watched = true;
  }

  /** Decided at once where the tone plays, else when the time is over. */
  async hearsTone(legId: LegId, hz: number, withinMs: number): Promise<PbxResult<boolean>> {
    const asked = await this.#order(`listen ${legId} ${hz}`, () => {
      const leg = this.#legs.get(legId);
      if (leg === undefined) return failure('ERR_PBX_NOT_FOUND');
      return leg.state === 'answered' ? OK : failure('ERR_PBX_CONFLICT');
    });
    if (!asked.ok) return asked;
    if (this.#legs.get(legId)?.toneHz === hz) return { ok: true, value: true };
    const { clock } = this.#options;
    await new Promise<void>((resolve) => void clock.at((clock.now() + withinMs) as Instant, resolve));
    if (!this.#attached) return failure('ERR_PBX_DISCONNECTED');
    const leg = this.#legs.get(legId);
    return leg === undefined ? failure('ERR_PBX_NOT_FOUND') : { ok: true, value: leg.toneHz === hz };
  }

  list(): Promise<PbxResult<PbxSnapshot>> {
    const result = this.#attached
      ? ({ ok: true, value: this.#snapshot() } as const)
      : failure('ERR_PBX_DISCONNECTED');
    return Promise.resolve(result);
  }

  #dial(dial: AppDial | PhoneDial, refuse: () => PbxErrorCode | null): Promise<PbxResult> {
    const { legId } = dial;
    return this.#order(`dial ${legId}`, () => {
      if (this.#legs.has(legId)) return OK;
      const code = refuse();
      if (code !== null) return failure(code);
      this.#legs.set(legId, {
        dial,
        state: 'dialing',
        bridgeId: null,
        voice: null,
        holding: false,
        watched: false,
        media: 'none',
        toneHz: null,
      });
      if ('number' in dial) {
        this.emit({ type: 'leg.carrier-reference', legId, at: this.#now(), callId: `fake-${legId}` });
      }
      this.onDial(legId, dial);
      return OK;
    });
  }

  #order(words: string, perform: () => PbxResult): Promise<PbxResult> {
    this.orders.push(words);
    const failed = this.#failures.shift() ?? (this.#attached ? undefined : 'ERR_PBX_DISCONNECTED');
    return Promise.resolve(failed === undefined ? perform() : failure(failed));
  }

  #snapshot(): PbxSnapshot {
    const legs = [...this.#legs].map(([legId, { state, bridgeId, dial }]) => ({
      legId,
      state,
      bridgeId,
      ...('trunk' in dial ? { trunk: dial.trunk } : {}),
    }));
    const bridges = [...this.#bridges].map((bridgeId) => ({
      bridgeId,
      legIds: legs.filter((leg) => leg.bridgeId === bridgeId).map(({ legId }) => legId),
    }));
    return { legs, bridges, contacts: [...this.#contacts] };
  }

  #now(): Instant {
    return this.#options.clock.now();
  }
}

function failure(code: PbxErrorCode): {
  readonly ok: false;
  readonly code: PbxErrorCode;
  readonly detail: string;
} {
  return { ok: false, code, detail: 'the fake engine says so' };
}
