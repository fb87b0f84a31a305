/** Bridges: who is in which, who is heard in it, and by what technology Asterisk carries the voice. */
import { parseChannelId, type BridgeId, type Instant, type LegId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PbxEvent, PbxResult, Voice } from '../../ports/pbx-driver.ts';
import { isBridgeId } from './engine-inventory.ts';
import { ari, type AriEvent } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import { withoutValue, type AriResult } from './ari-result.ts';
import type { LegRecord } from './leg-record.ts';
import type { LegTable } from './leg-table.ts';

/**
 * Media pass through Asterisk, which sends each leg one stream of its own with sequence numbers that go on. In
 * bridge_native_rtp a leg would get its peer's packets under the peer's numbers: after a prompt, or when the next
 * operator follows, the numbers may fall, and receivers drop what looks late (Asterisk's own transcoding does, and
 * carriers run Asterisk): one hears nothing, in about half of the calls.
 */
const BRIDGE_TYPE = 'mixing,proxy_media';
/** Asterisk names the technology anew some moments after a leg came in, and sends no event when it does. */
const SETTLE_EVERY_MS = 20;
const MAX_SETTLE_READINGS = 10;
/** From a bridge's end until Asterisk has said of each leg that it is out: a millisecond or two. */
const OUT_WITHIN_MS = 300;

export class BridgeDesk {
  readonly #client: AriClient;
  readonly #clock: Clock;
  readonly #legs: LegTable;
  readonly #emit: (event: PbxEvent) => void;
  /** Bridges that the engine has, each with the number of its latest arrival. */
  readonly #arrivals = new Map<BridgeId, number>();
  /** Told when a leg has left: whoever waits until all are out of a bridge looks again. */
  readonly #leaving = new Set<() => void>();

  constructor(client: AriClient, clock: Clock, legs: LegTable, emit: (event: PbxEvent) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#legs = legs;
    this.#emit = emit;
  }

  /** What the engine says after (re)attaching stands in place of all that was known. */
  reset(bridgeIds: readonly BridgeId[]): void {
    this.#arrivals.clear();
    for (const bridgeId of bridgeIds) this.#arrivals.set(bridgeId, 0);
  }

  /** The leg must take orders and hear no prompt. The mute comes first, and without it nothing is joined. */
  async join(leg: LegRecord, bridgeId: BridgeId, voice: Voice): Promise<PbxResult> {
    const created = await this.#create(bridgeId);
    if (!created.ok) return withoutValue(created);
    const muted = await this.#setVoice(leg, voice);
    if (!muted.ok) return withoutValue(muted);
    // adding a leg again would take it out and in, with a gap in the voice
    if (leg.bridgeId === bridgeId) return { ok: true, value: undefined };
    const added = await this.#add(leg, bridgeId);
    if (added.ok) leg.bridgeId = bridgeId;
    return withoutValue(added);
  }

  /** After the connection was lost: who may not be heard, or may not hear, is told to Asterisk once more. */
  async assertVoice(leg: LegRecord, voice: Voice): Promise<void> {
    if (voice !== 'both') await this.#setVoice(leg, voice);
  }

  async close(bridgeId: BridgeId): Promise<PbxResult> {
    this.#arrivals.delete(bridgeId);
    const result = await this.#client.request(ari.bridges.destroy, { bridgeId });
    if (!result.ok && result.code !== 'ERR_PBX_NOT_FOUND') return withoutValue(result);
    await this.#untilEmpty(bridgeId, result.ok ? OUT_WITHIN_MS : 0);
    return { ok: true, value: undefined };
  }

  /** A leg that counts as bridged would be played no prompt, and joined to nothing. */
  async #untilEmpty(bridgeId: BridgeId, withinMs: number): Promise<void> {
    const isEmpty = (): boolean => this.#legs.inBridge(bridgeId).length === 0;
    if (withinMs > 0 && !isEmpty())
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          cancel();
          this.#leaving.delete(look);
          resolve();
        };
        const look = (): void => {
          if (isEmpty()) finish();
        };
        const cancel = this.#clock.at((this.#clock.now() + withinMs) as Instant, finish);
        this.#leaving.add(look);
      });
    for (const legId of this.#legs.inBridge(bridgeId)) {
      const leg = this.#legs.get(legId);
      if (leg) leg.bridgeId = null;
    }
  }

  apply(event: AriEvent, at: Instant): void {
    switch (event.type) {
      case 'ChannelEnteredBridge': {
        const leg = this.#legs.of(event.channel);
        const bridgeId = event.bridge.id as BridgeId;
        if (!isBridgeId(bridgeId)) break;
        if (leg !== undefined) leg.bridgeId = bridgeId;
        const arrival = (this.#arrivals.get(bridgeId) ?? 0) + 1;
        this.#arrivals.set(bridgeId, arrival);
        if (event.bridge.channels.length > 1) void this.#tellWhenSettled(bridgeId, arrival, at);
        break;
      }
      case 'ChannelLeftBridge': {
        const leg = this.#legs.of(event.channel);
        if (leg?.bridgeId === event.bridge.id) leg.bridgeId = null;
        for (const look of [...this.#leaving]) look();
        break;
      }
      case 'BridgeDestroyed':
        this.#arrivals.delete(event.bridge.id as BridgeId);
        break;
      default:
        break;
    }
  }

  async #create(bridgeId: BridgeId): Promise<AriResult<unknown>> {
    if (this.#arrivals.has(bridgeId)) return { ok: true, value: null };
    const result = await this.#client.request(ari.bridges.createWithId, { bridgeId, type: BRIDGE_TYPE });
    if (!result.ok && result.code !== 'ERR_PBX_CONFLICT') return result;
    if (!this.#arrivals.has(bridgeId)) this.#arrivals.set(bridgeId, 0);
    return { ok: true, value: null };
  }

  /** Mutes are set again at every join; what is known to be unmuted needs no order. */
  async #setVoice(leg: LegRecord, voice: Voice): Promise<AriResult<unknown>> {
    const before = leg.voice;
    leg.voice = null;
    const results = await Promise.all([
      this.#setDirection(leg.legId, 'in', voice === 'listens', before === 'both' || before === 'speaks'),
      this.#setDirection(leg.legId, 'out', voice === 'speaks', before === 'both' || before === 'listens'),
    ]);
    const failure = results.find((result) => !result.ok);
    if (failure !== undefined) return failure;
    leg.voice = voice;
    return { ok: true, value: null };
  }

  /** `in`: what comes from the leg; `out`: what goes to it. */
  #setDirection(
    channelId: LegId,
    direction: 'in' | 'out',
    mute: boolean,
    isOpen: boolean,
  ): Promise<AriResult<unknown>> {
    if (mute) return this.#client.request(ari.channels.mute, { channelId, direction });
    if (isOpen) return Promise.resolve({ ok: true, value: null });
    return this.#client.request(ari.channels.unmute, { channelId, direction });
  }

  async #add(leg: LegRecord, bridgeId: BridgeId): Promise<AriResult<unknown>> {
    const order = { bridgeId, channel: [leg.legId] };
    const added = await this.#client.request(ari.bridges.addChannel, order);
    if (added.ok) return added;
    if (this.#legs.get(leg.legId) !== leg) return { ...added, code: 'ERR_PBX_NOT_FOUND' };
    if (added.code !== 'ERR_PBX_NOT_FOUND') return added;
    // the bridge was taken away behind our back
    this.#arrivals.delete(bridgeId);
    const created = await this.#create(bridgeId);
    return created.ok ? this.#client.request(ari.bridges.addChannel, order) : created;
  }

  /** Reads until two readings agree; a further arrival starts anew, a bridge that is gone ends it. */
  async #tellWhenSettled(bridgeId: BridgeId, arrival: number, at: Instant): Promise<void> {
    let last = '';
    for (let reading = 0; reading < MAX_SETTLE_READINGS; reading += 1) {
      const result = await this.#client.request(ari.bridges.get, { bridgeId });
      if (!result.ok || this.#arrivals.get(bridgeId) !== arrival) return;
      const { technology, channels } = result.value;
      const legIds = channels.filter((id) => parseChannelId(id) !== null) as LegId[];
      if (legIds.length < 2) return;
      if (technology === last || reading === MAX_SETTLE_READINGS - 1) {
        this.#emit({ type: 'leg.bridged', bridgeId, legIds, technology, at });
        return;
      }
      last = technology;
      await new Promise<void>((resolve) => {
        this.#clock.at((this.#clock.now() + SETTLE_EVERY_MS) as Instant, resolve);
      });
    }
  }
}
