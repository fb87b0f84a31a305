/**
 * Dials legs, and sees to it that a dial order which failed leaves nothing behind: where no answer came, the
 * channel may still appear. Such a leg is condemned: nothing of it is told, and its channel is hung up.
 */
import type { LegId } from '../../domain/ids.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PbxEvent, PbxResult } from '../../ports/pbx-driver.ts';
import { ari, type AriEvent } from './ari.gen.ts';
import type { AriClient } from './ari-connection.ts';
import { isAttended } from './engine-inventory.ts';
import type { DialOrder } from './dial-order.ts';
import type { LegTable } from './leg-table.ts';
import type { LegRecord } from './leg-record.ts';

/** Legs that may be condemned at once; beyond, the oldest is left to the reconciliation. */
const MAX_CONDEMNED = 1_000;

export class LegDialer {
  readonly #client: AriClient;
  readonly #clock: Clock;
  readonly #legs: LegTable;
  readonly #emit: (event: PbxEvent) => void;
  readonly #condemned = new Set<string>();
  readonly #dialling = new Map<LegId, Promise<PbxResult>>();

  constructor(client: AriClient, clock: Clock, legs: LegTable, emit: (event: PbxEvent) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#legs = legs;
    this.#emit = emit;
  }

  isCondemned(channelId: string): boolean {
    return this.#condemned.has(channelId);
  }

  /** `trunk`: null for a client's leg. Told again while the first order is under way, both get its answer. */
  dial(order: DialOrder, legId: LegId, trunk: Trunk | null): Promise<PbxResult> {
    const underWay = this.#dialling.get(legId);
    if (underWay !== undefined) return underWay;
    if (this.#legs.get(legId) !== undefined) return Promise.resolve({ ok: true, value: undefined });
    const result = this.#dial(order, legId, trunk);
    this.#dialling.set(legId, result);
    void result.then(() => this.#dialling.delete(legId));
    return result;
  }

  async #dial(order: DialOrder, legId: LegId, trunk: Trunk | null): Promise<PbxResult> {
    this.#condemned.delete(legId);
    const leg = this.#legs.add(legId, trunk, { from: 'dial' });
    const result = await this.#client.request(ari.channels.originateWithId, order);
    if (result.ok) {
      const { protocol_id: callId } = result.value;
      if (trunk !== null && callId !== '') {
        this.#emit({ type: 'leg.carrier-reference', legId, at: this.#clock.now(), callId });
      }
      this.#legs.dialled(leg);
      return { ok: true, value: undefined };
    }
    if (result.httpStatus === 409) return this.#adoptLiving(leg);
    this.#legs.drop(legId);
    if (result.httpStatus === null) this.#condemn(legId);
    const code = result.httpStatus === 500 && trunk === null ? 'ERR_PBX_NO_CONTACT' : result.code;
    return { ok: false, code, detail: result.detail };
  }

  /** Hangs up what should not live, and says whether an event belongs to it. */
  swallows(event: AriEvent): boolean {
    const channelId = 'channel' in event ? event.channel.id : undefined;
    if (channelId === undefined || !this.#condemned.has(channelId)) return false;
    if (event.type === 'ChannelDestroyed') this.#condemned.delete(channelId);
    else if (event.type !== 'ChannelHangupRequest') this.end(channelId, '16');
    return true;
  }

  /** Without waiting; a channel that is gone is gone. */
  end(channelId: string, q850: string): void {
    void this.#client.request(ari.channels.hangup, { channelId, reason_code: q850 });
  }

  /** The channel exists: the leg was dialled before, and how far it is the engine knows. */
  async #adoptLiving(leg: LegRecord): Promise<PbxResult> {
    const { legId } = leg;
    leg.voice = null;
    const channel = await this.#client.request(ari.channels.get, { channelId: legId });
    if (!channel.ok) {
      this.#legs.drop(legId);
      return { ok: false, code: channel.code, detail: channel.detail };
    }
    if (channel.value.state === 'Up' && isAttended(channel.value)) leg.setControllable(true);
    this.#legs.dialled(leg);
    this.#legs.observe(leg, channel.value.state, this.#clock.now());
    return { ok: true, value: undefined };
  }

  #condemn(legId: LegId): void {
    this.#condemned.add(legId);
    const [oldest] = this.#condemned;
    if (this.#condemned.size > MAX_CONDEMNED && oldest !== undefined) this.#condemned.delete(oldest);
    this.end(legId, '16');
  }
}
