/**
 * The engine with its trunks (ports/telephony.ts): a leg to a telephone becomes a line, whose tries go by the trunks as
 * domain/line decides. Everything else passes through; what the engine says of a try is told of its leg.
 */
import { parseChannelId } from '../../domain/ids.ts';
import type { AddressOfRecord, BridgeId, LegId } from '../../domain/ids.ts';
import type { TryEnd } from '../../domain/trunk/failover.ts';
import { routesOf } from '../../domain/trunk/routes.ts';
import type { Route } from '../../domain/trunk/routes.ts';
import { trunkDial } from '../../domain/trunk/trunk-dial.ts';
import type {
  AppDial,
  HangupReason,
  PbxEvent,
  PbxResult,
  PbxSnapshot,
  Voice,
} from '../../ports/pbx-driver.ts';
import type { LineDial, Telephony } from '../../ports/telephony.ts';
import { LineBook } from './line-book.ts';
import type { PhoneLinesPorts } from './line-ports.ts';
import { inLegs, isTelephone, tryChannels } from './line-snapshot.ts';
import { TrunkLoad } from './trunk-load.ts';

const OK = { ok: true, value: undefined } as const;

export class PhoneLines implements Telephony {
  readonly #ports: PhoneLinesPorts;
  readonly #listeners: ((event: PbxEvent) => void)[] = [];
  readonly #book: LineBook;
  readonly #load: TrunkLoad;

  constructor(ports: PhoneLinesPorts) {
    this.#ports = ports;
    this.#load = new TrunkLoad(ports.clock, (trunk) => this.#book.liveOn(trunk));
    this.#book = new LineBook({ ...ports, load: this.#load }, (event) => this.#emit(event));
    ports.pbx.onEvent((event) => this.#heard(event));
  }

  get attached(): boolean {
    return this.#ports.pbx.attached;
  }

  start(deadlineMs: number): Promise<void> {
    return this.#ports.pbx.start(deadlineMs);
  }

  async stop(): Promise<void> {
    this.#book.stop();
    await this.#ports.pbx.stop();
  }

  onEvent(listener: (event: PbxEvent) => void): void {
    this.#listeners.push(listener);
  }

  dialPhone(dial: LineDial): Promise<PbxResult> {
    if (this.#book.isOpen(dial.legId)) {
      this.#book.complete(dial, this.#routesFor(dial));
      return Promise.resolve(OK);
    }
    const routes = this.#routesFor(dial);
    if (routes.length === 0)
      return Promise.resolve({ ok: false, code: 'ERR_PBX_NOT_FOUND', detail: 'there is no trunk for it' });
    return this.#book.begin(dial, routes);
  }

  dialApp(dial: AppDial): Promise<PbxResult> {
    return this.#ports.pbx.dialApp(dial);
  }

  responded(legId: LegId): Promise<PbxResult<boolean>> {
    return this.#ports.pbx.responded(this.#book.channelOf(legId));
  }

  hangup(legId: LegId, reason: HangupReason): Promise<PbxResult> {
    return this.#book.isOpen(legId)
      ? this.#book.hangUp(legId, reason)
      : this.#ports.pbx.hangup(legId, reason);
  }

  join(bridgeId: BridgeId, legId: LegId, voice: Voice): Promise<PbxResult> {
    return this.#ports.pbx.join(bridgeId, this.#book.channelOf(legId), voice);
  }

  closeBridge(bridgeId: BridgeId): Promise<PbxResult> {
    return this.#ports.pbx.closeBridge(bridgeId);
  }

  startHoldingPrompt(legId: LegId): Promise<PbxResult> {
    return this.#ports.pbx.startHoldingPrompt(this.#book.channelOf(legId));
  }

  startAcceptancePrompt(legId: LegId): Promise<PbxResult> {
    return this.#ports.pbx.startAcceptancePrompt(this.#book.channelOf(legId));
  }

  watchMedia(legId: LegId): void {
    this.#ports.pbx.watchMedia(this.#book.channelOf(legId));
  }

  hearsTone(legId: LegId, hz: number, withinMs: number): Promise<PbxResult<boolean>> {
    return this.#ports.pbx.hearsTone(this.#book.channelOf(legId), hz, withinMs);
  }

  provisionEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#ports.pbx.provisionEndpoint(aor);
  }

  removeEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#ports.pbx.removeEndpoint(aor);
  }

  async list(): Promise<PbxResult<PbxSnapshot>> {
    const snapshot = await this.#ports.pbx.list();
    return snapshot.ok ? { ok: true, value: this.#inLegs(snapshot.value) } : snapshot;
  }

  #inLegs(snapshot: PbxSnapshot): PbxSnapshot {
    return inLegs(snapshot, (legId, number) => this.#book.has(legId) && this.#book.isGivenUp(legId, number));
  }

  /** Trunks that cannot call this number, or not from this caller's, are no routes: that is no fault of theirs. */
  #routesFor({ trunk: only, purpose, number, callerId }: LineDial): readonly Route[] {
    const { trunks, health } = this.#ports;
    const usable = trunks().filter(
      (trunk) => (only === null || trunk.name === only) && trunkDial(trunk, number, callerId).ok,
    );
    return routesOf(
      usable,
      (name) => health.stateOf(name),
      (trunk) => this.#load.isFull(trunk, purpose),
    );
  }

  #heard(event: PbxEvent): void {
    switch (event.type) {
      case 'leg.ringing':
      case 'leg.progress':
      case 'leg.answered':
      case 'leg.ended':
      case 'leg.carrier-reference':
      case 'leg.key-pressed':
        this.#heardOfLeg(event);
        return;
      case 'media.first-packet':
      case 'media.streaming':
      case 'media.lost':
      case 'media.back':
      case 'media.sound': {
        const channel = parseChannelId(event.legId);
        this.#emit(channel ? { ...event, legId: channel.legId } : event);
        return;
      }
      case 'leg.bridged':
        this.#emit({ ...event, legIds: event.legIds.map((id) => parseChannelId(id)?.legId ?? id) });
        return;
      case 'engine.back':
        this.#book.adopt(tryChannels(event.snapshot));
        this.#emit({ ...event, snapshot: this.#inLegs(event.snapshot) });
        return;
      case 'trunk.up':
      case 'trunk.down':
        this.#ports.health.qualified(event.trunk, event.type === 'trunk.up', event.at);
        this.#emit(event);
        return;
      default:
        this.#emit(event);
    }
  }

  #heardOfLeg(
    event: Extract<
      PbxEvent,
      {
        type:
          | 'leg.ringing'
          | 'leg.progress'
          | 'leg.answered'
          | 'leg.ended'
          | 'leg.carrier-reference'
          | 'leg.key-pressed';
      }
    >,
  ): void {
    const channel = parseChannelId(event.legId);
    if (channel === null || !isTelephone(channel.legId)) {
      this.#emit(event);
      return;
    }
    const { legId, try: number } = channel;
    if (event.type === 'leg.carrier-reference') {
      this.#emit({ ...event, legId, try: number });
      return;
    }
    if (event.type === 'leg.key-pressed') {
      if (this.#book.speaksFor(legId, number)) this.#emit({ ...event, legId });
      return;
    }
    const isKnown =
      event.type === 'leg.ended'
        ? this.#book.ended(legId, number, endOf(event))
        : this.#book.heard(legId, number, plain(event.type));
    // Of a leg that no line is about: told as it is, and its owner knows what to do with it.
    if (!isKnown) this.#emit({ ...event, legId });
  }

  #emit(event: PbxEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function plain(type: 'leg.ringing' | 'leg.progress' | 'leg.answered'): 'ringing' | 'progress' | 'answered' {
  switch (type) {
    case 'leg.ringing':
      return 'ringing';
    case 'leg.progress':
      return 'progress';
    case 'leg.answered':
      return 'answered';
  }
}

function endOf({ outcome, sipStatus, q850 }: Extract<PbxEvent, { type: 'leg.ended' }>): TryEnd {
  return { outcome, sipStatus, q850 };
}
