/**
 * Asterisk as the gateway's engine. A leg is a channel whose id is the leg's; a bridge is a mixing bridge by the
 * session's id for it. Nothing is kept here that Asterisk cannot be asked for again: after each (re)attaching its
 * channels, bridges and endpoints are listed and told as `engine.back`, before anything that came meanwhile.
 */
import {
  parseAor,
  parseChannelId,
  type AddressOfRecord,
  type BridgeId,
  type LegId,
} from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommandPermit } from '../../ports/lease.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type {
  AppDial,
  HangupReason,
  PbxDriver,
  PbxEvent,
  PbxResult,
  PbxSnapshot,
  PhoneDial,
  Voice,
} from '../../ports/pbx-driver.ts';
import type { TrunkLookup } from '../../ports/trunks.ts';
import { ari, type AriEvent, type Channel } from './ari.gen.ts';
import { AriConnection, UNUSED_EVENTS } from './ari-connection.ts';
import { withoutValue } from './ari-result.ts';
import { BridgeDesk } from './bridge-desk.ts';
import { ContactBoard } from './contact-board.ts';
import { appDialOrder, phoneDialOrder } from './dial-order.ts';
import { EndpointProvisioner, type EndpointFields } from './endpoint-provisioner.ts';
import { endpointOf, readInventory, type EngineInventory } from './engine-inventory.ts';
import { HoldingPrompt } from './holding-prompt.ts';
import { LegTable } from './leg-table.ts';
import { LegDialer } from './leg-dialer.ts';
import type { LegRecord } from './leg-record.ts';
import { MediaWatch } from './media-watch.ts';
import { ToneEar } from './tone-ear.ts';
import { outgoingEndpoint } from './trunk-endpoint.ts';
import { TrunkProvisioner, type TrunkAccounts } from './trunk-provisioner.ts';

export interface AsteriskDriverOptions {
  /** `http://host:port/ari`. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  /** The Stasis application: one per control-plane node. */
  readonly app: string;
  /** Trunks by name; their names are those of the endpoints in pjsip.conf. */
  readonly trunks: TrunkLookup;
  /** Passwords and registrations of trunks. Absent: no trunk has any. */
  readonly accounts?: TrunkAccounts;
  /** What a client's endpoint is made of. */
  readonly endpointFields: (aor: AddressOfRecord) => EndpointFields;
  /** Class of musiconhold.conf; default `holding`. */
  readonly holdingPrompt?: string;
  /** Likewise; default `acceptance`. */
  readonly acceptancePrompt?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Asked before each command. Absent: everything is permitted. */
  readonly permit?: CommandPermit;
  /** Default 2000. */
  readonly requestTimeoutMs?: number;
  /** Default 4000. */
  readonly mediaLostAfterMs?: number;
}

/** Q.850 causes by which the far end learns why; 26 makes a phone note no missed call (RFC 3326, "completed elsewhere"). */
const Q850_OF: Readonly<Record<HangupReason, string>> = {
  normal: '16',
  'no-answer': '19',
  cancelled: '16',
  'stream-won': '26',
  'phone-won': '26',
  'session-ended': '16',
};
/** 480 to a call that is not answered yet. */
const REFUSE_Q850 = '19';
/** From Up to StasisStart it is less than a millisecond. */
const CONTROLLABLE_WITHIN_MS = 1_000;
const MAX_HELD_EVENTS = 20_000;
const CONFIRM_MEDIA_EVERY_MS = 100;
const WATCH_MEDIA_EVERY_MS = 1_000;

export class AsteriskDriver implements PbxDriver {
  readonly #options: AsteriskDriverOptions;
  readonly #connection: AriConnection;
  readonly #legs: LegTable;
  readonly #dialer: LegDialer;
  readonly #bridges: BridgeDesk;
  readonly #contacts: ContactBoard;
  readonly #endpoints: EndpointProvisioner;
  readonly #prompt: HoldingPrompt;
  readonly #media: MediaWatch;
  readonly #ear: ToneEar;
  readonly #accounts: TrunkProvisioner | null;
  readonly #listeners: ((event: PbxEvent) => void)[] = [];
  readonly #watchWanted = new Set<LegId>();
  #attached = false;
  /** Events that came while the inventory was read. */
  #heldEvents: AriEvent[] | null = null;
  #attaching = Promise.withResolvers<undefined>();

  constructor(options: AsteriskDriverOptions) {
    this.#options = options;
    const { clock, log, metrics } = options;
    const emit = (event: PbxEvent): void => this.#emit(event);
    this.#connection = new AriConnection(options, {
      onConnected: () => void this.#attach(),
      onLost: () => this.#detached(),
      onReplaced: () => {
        this.#detached();
        emit({ type: 'engine.replaced', at: clock.now() });
      },
      onEvent: (event) => this.#received(event),
    });
    this.#legs = new LegTable(emit, (legId) => this.#gone(legId));
    this.#dialer = new LegDialer(this.#connection, clock, this.#legs, emit);
    this.#bridges = new BridgeDesk(this.#connection, clock, this.#legs, emit);
    this.#contacts = new ContactBoard(options.trunks, emit);
    this.#endpoints = new EndpointProvisioner({
      ...{ client: this.#connection, fieldsOf: options.endpointFields, clock, log, metrics },
      wasGhost: (aor) => this.#contacts.removed(aor, clock.now()),
    });
    this.#prompt = new HoldingPrompt(this.#connection);
    this.#ear = new ToneEar(this.#connection, clock);
    const { accounts } = options;
    this.#accounts = accounts ? new TrunkProvisioner(this.#connection, { ...options, ...accounts }) : null;
    accounts?.trunks.onChange(() => {
      if (this.#attached) this.#contacts.tellTrunks(clock.now());
    });
    this.#media = new MediaWatch({
      clock,
      emit,
      readPackets: (legId) => this.#readPackets(legId),
      confirmEveryMs: CONFIRM_MEDIA_EVERY_MS,
      watchEveryMs: WATCH_MEDIA_EVERY_MS,
      lostAfterMs: options.mediaLostAfterMs ?? 4_000,
    });
  }

  get attached(): boolean {
    return this.#attached;
  }

  /** `replaced`: another connection commands the application; nothing is sent until start() takes it back. */
  get state(): 'stopped' | 'connecting' | 'connected' | 'replaced' {
    return this.#connection.state;
  }

  onEvent(listener: (event: PbxEvent) => void): void {
    this.#listeners.push(listener);
  }

  async start(deadlineMs: number): Promise<void> {
    const { clock, app } = this.#options;
    this.#connection.start();
    const deadline = Promise.withResolvers<never>();
    const cancel = clock.at(this.#in(deadlineMs), () => {
      deadline.reject(
        Object.assign(new Error(`Asterisk did not accept the application ${app} within ${deadlineMs} ms`), {
          code: 'ERR_PBX_TIMEOUT',
        }),
      );
    });
    try {
      await Promise.race([this.#attaching.promise, deadline.promise]);
    } finally {
      cancel();
    }
  }

  async stop(): Promise<void> {
    this.#attached = false;
    this.#media.clear();
    this.#accounts?.stop();
    this.#endpoints.stop();
    await this.#connection.stop();
  }

  provisionEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    return this.#endpoints.provision(aor);
  }

  async removeEndpoint(aor: AddressOfRecord): Promise<PbxResult> {
    const result = await this.#endpoints.remove(aor);
    if (result.ok) this.#contacts.removed(aor, this.#options.clock.now());
    return result;
  }

  async dialApp(dial: AppDial): Promise<PbxResult> {
    if (!this.#attached) return this.#notAttached();
    return this.#dialer.dial(appDialOrder(dial, this.#options.app), dial.legId, null);
  }

  async dialPhone(dial: PhoneDial): Promise<PbxResult> {
    if (!this.#attached) return this.#notAttached();
    const trunk = this.#options.trunks.get(dial.trunk);
    if (trunk === undefined)
      return { ok: false, code: 'ERR_PBX_NOT_FOUND', detail: `no trunk ${dial.trunk}` };
    const order = phoneDialOrder(dial, trunk, this.#endpointFor(trunk.name), this.#options.app);
    if (!order.ok) return { ok: false, code: 'ERR_PBX_REFUSED', detail: order.code };
    return this.#dialer.dial(order.value, dial.legId, trunk);
  }

  /** An engine whose pjsip.conf is older has one endpoint a trunk: calls go on, and a 302 is followed as it always was. */
  #endpointFor(trunk: string): string {
    const endpoint = outgoingEndpoint(trunk);
    return this.#contacts.knows(endpoint) ? endpoint : trunk;
  }

  /** Asterisk notes each response to a call's INVITE for HANGUPCAUSE, 100 Trying among them, and has no event for that one. */
  async responded(legId: LegId): Promise<PbxResult<boolean>> {
    const variable = 'HANGUPCAUSE_KEYS()';
    const result = await this.#connection.request(ari.channels.getChannelVar, { channelId: legId, variable });
    if (result.ok) return { ok: true, value: result.value.value !== '' };
    if (result.code === 'ERR_PBX_NOT_FOUND') return { ok: true, value: true };
    return { ok: false, code: result.code, detail: result.detail };
  }

  async hangup(legId: LegId, reason: HangupReason): Promise<PbxResult> {
    const leg = this.#legs.get(legId);
    if (leg !== undefined) leg.hangup ??= reason;
    const order = { channelId: legId, reason_code: Q850_OF[reason] };
    const result = await this.#connection.request(ari.channels.hangup, order);
    if (!result.ok && result.code === 'ERR_PBX_NOT_FOUND') return { ok: true, value: undefined };
    return withoutValue(result);
  }

  join(bridgeId: BridgeId, legId: LegId, voice: Voice): Promise<PbxResult> {
    return this.#order(legId, async (leg) => {
      const stopped = await this.#prompt.stop(leg);
      return stopped.ok ? this.#bridges.join(leg, bridgeId, voice) : stopped;
    });
  }

  closeBridge(bridgeId: BridgeId): Promise<PbxResult> {
    return this.#bridges.close(bridgeId);
  }

  startHoldingPrompt(legId: LegId): Promise<PbxResult> {
    const mohClass = this.#options.holdingPrompt ?? 'holding';
    return this.#order(legId, (leg) => this.#prompt.start(leg, mohClass));
  }

  startAcceptancePrompt(legId: LegId): Promise<PbxResult> {
    const mohClass = this.#options.acceptancePrompt ?? 'acceptance';
    return this.#order(legId, (leg) => this.#prompt.start(leg, mohClass));
  }

  watchMedia(legId: LegId): void {
    const leg = this.#legs.get(legId);
    if (leg === undefined) return;
    this.#watchWanted.add(legId);
    if (leg.state === 'answered' && leg.held === null) this.#media.start(legId);
  }

  async hearsTone(legId: LegId, hz: number, withinMs: number): Promise<PbxResult<boolean>> {
    const listening = await this.#order(legId, () => this.#ear.listen(legId, hz));
    return listening.ok ? this.#ear.hears(legId, withinMs) : listening;
  }

  async list(): Promise<PbxResult<PbxSnapshot>> {
    const inventory = await readInventory(this.#connection, this.#options.app);
    return inventory.ok ? { ok: true, value: this.#snapshot(inventory.value) } : inventory;
  }

  /** Orders to one leg follow one another, and wait until its channel takes them. */
  #order(legId: LegId, order: (leg: LegRecord) => Promise<PbxResult>): Promise<PbxResult> {
    if (!this.#attached) return Promise.resolve(this.#notAttached());
    const leg = this.#legs.get(legId);
    if (leg === undefined) return Promise.resolve(noSuchLeg(legId));
    const result = leg.lastOrder.then(async (): Promise<PbxResult> => {
      const expired = Promise.withResolvers<'expired'>();
      const cancel = this.#options.clock.at(this.#in(CONTROLLABLE_WITHIN_MS), () =>
        expired.resolve('expired'),
      );
      const controllable = await Promise.race([leg.controllable, expired.promise]);
      cancel();
      if (controllable === 'expired') {
        return { ok: false, code: 'ERR_PBX_CONFLICT', detail: `leg ${legId} is not answered` };
      }
      return controllable ? order(leg) : noSuchLeg(legId);
    });
    leg.lastOrder = result;
    return result;
  }

  /** The engine's inventory first, then what came meanwhile, then what comes. */
  async #attach(): Promise<void> {
    this.#heldEvents = [];
    const { app, clock, log } = this.#options;
    const events = UNUSED_EVENTS.map((type) => ({ type }));
    const [filtered, subscribed, inventory] = await Promise.all([
      this.#connection.request(ari.applications.filter, {
        applicationName: app,
        filter: { disallowed: events },
      }),
      this.#connection.request(ari.applications.subscribe, {
        applicationName: app,
        // Every channel: a dialled one is in the application only once it is answered.
        eventSource: ['endpoint:PJSIP', 'channel:'],
      }),
      readInventory(this.#connection, app),
      this.#accounts?.attached(),
    ]);
    const failure = [filtered, subscribed, inventory].find((result) => !result.ok);
    const present = inventory.ok ? inventory.value.endpoints.map(({ resource }) => resource) : [];
    const restored = failure ?? (await this.#endpoints.restore(new Set(present)));
    if (!inventory.ok || !restored.ok) {
      log.warn('attaching to asterisk failed', { code: restored.ok ? null : restored.code });
      this.#connection.restart();
      return;
    }
    this.#adopt(inventory.value);
    this.#tellOlderEndpoints(present);
    this.#attached = true;
    this.#emit({ type: 'engine.back', at: clock.now(), snapshot: this.#snapshot(inventory.value) });
    this.#contacts.tellTrunks(clock.now());
    for (const channel of inventory.value.strangers) this.#refuse(channel);
    const held = this.#heldEvents;
    this.#heldEvents = null;
    for (const event of held) this.#received(event);
    this.#media.resume();
    this.#attaching.resolve(undefined);
  }

  #tellOlderEndpoints(present: readonly string[]): void {
    for (const trunk of present)
      if (this.#options.trunks.has(trunk) && !this.#contacts.knows(outgoingEndpoint(trunk)))
        this.#options.log.warn('the engine’s pjsip.conf is older: it dials on where this carrier says so', {
          trunk,
        });
  }

  #adopt({ legs, unattended, bridges, endpoints }: EngineInventory): void {
    const living = legs.filter(({ legId }) => !this.#dialer.isCondemned(legId));
    this.#legs.keepOnly(new Set(living.map(({ legId }) => legId)));
    for (const { legId, state, bridgeId, trunk: name } of living) {
      const trunk = this.#options.trunks.get(name ?? '') ?? null;
      const leg = this.#legs.adopt(legId, trunk, state, bridgeId, !unattended.has(legId));
      const { voice } = leg;
      if (voice !== null) leg.lastOrder = leg.lastOrder.then(() => this.#bridges.assertVoice(leg, voice));
      if (state === 'answered' && this.#watchWanted.has(legId)) this.#media.start(legId);
    }
    this.#bridges.reset(bridges.map(({ bridgeId }) => bridgeId));
    this.#contacts.reset(endpoints);
    this.#endpoints.adopt(this.#contacts.contacts.filter((aor) => parseAor(aor) !== null));
    for (const { legId } of legs) if (this.#dialer.isCondemned(legId)) this.#dialer.end(legId, REFUSE_Q850);
  }

  #detached(): void {
    this.#heldEvents = null;
    this.#media.pause();
    this.#accounts?.detached();
    if (!this.#attached) return;
    this.#attached = false;
    this.#attaching = Promise.withResolvers();
    this.#emit({ type: 'engine.lost', at: this.#options.clock.now() });
  }

  #received(event: AriEvent): void {
    if (this.#heldEvents !== null) {
      this.#heldEvents.push(event);
      if (this.#heldEvents.length > MAX_HELD_EVENTS) this.#connection.restart();
      return;
    }
    if (!this.#attached) return;
    const at = this.#options.clock.now();
    if (event.type === 'StasisStart' && parseChannelId(event.channel.id) === null)
      this.#refuse(event.channel);
    // An app that answers 302 has Asterisk dial on by itself; of a carrier's that comes to nothing (trunk-endpoint.ts).
    if (event.type === 'Dial' && event.dialstatus === '' && parseChannelId(event.peer.id) === null)
      this.#refuse(event.peer);
    if (this.#dialer.swallows(event)) return;
    this.#bridges.apply(event, at);
    this.#contacts.apply(event, at);
    this.#legs.apply(event, at);
  }

  /** Told to all listeners, one event at a time. */
  #emit(event: PbxEvent): void {
    if (event.type === 'leg.answered' && this.#watchWanted.has(event.legId)) this.#media.start(event.legId);
    for (const listener of this.#listeners) listener(event);
  }

  #gone(legId: LegId): void {
    this.#watchWanted.delete(legId);
    this.#media.stop(legId);
    this.#prompt.forget(legId);
  }

  #refuse(channel: Channel): void {
    const from = endpointOf(channel);
    const source = this.#options.trunks.has(from) ? 'trunk' : 'client';
    this.#options.log.warn('unexpected call refused', { source, from });
    this.#options.metrics.count('hamrahi_pbx_unexpected_calls_total', { source });
    this.#dialer.end(channel.id, REFUSE_Q850);
    this.#emit({ type: 'call.unexpected', source, from, at: this.#options.clock.now() });
  }

  async #readPackets(legId: LegId): Promise<number | null> {
    const result = await this.#connection.request(ari.channels.rtpstatistics, { channelId: legId });
    return result.ok ? result.value.rxcount : null;
  }

  #snapshot({ legs, bridges }: EngineInventory): PbxSnapshot {
    const living = legs.filter(({ legId }) => !this.#dialer.isCondemned(legId));
    return { legs: living, bridges, contacts: this.#contacts.contacts };
  }

  #notAttached(): PbxResult & { ok: false } {
    const code = this.#connection.state === 'replaced' ? 'ERR_PBX_REPLACED' : 'ERR_PBX_DISCONNECTED';
    return { ok: false, code, detail: 'Asterisk is not attached' };
  }

  #in(delayMs: number): ReturnType<Clock['now']> {
    return (this.#options.clock.now() + delayMs) as ReturnType<Clock['now']>;
  }
}

function noSuchLeg(legId: LegId): PbxResult & { ok: false } {
  return { ok: false, code: 'ERR_PBX_NOT_FOUND', detail: `no leg ${legId}` };
}
