/** The legs whose channels live, and what Asterisk's events make of them. */
import { parseChannelId, type BridgeId, type Instant, type LegId } from '../../domain/ids.ts';
import type { LegState } from '../../domain/session/leg.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { PbxEvent } from '../../ports/pbx-driver.ts';
import type { AriEvent, Channel, Dial } from './ari.gen.ts';
import { legEnding } from './leg-ending.ts';
import { newLegRecord, type LegOrigin, type LegRecord } from './leg-record.ts';

export class LegTable {
  readonly #records = new Map<LegId, LegRecord>();
  readonly #emit: (event: PbxEvent) => void;
  readonly #onGone: (legId: LegId) => void;

  /** `onGone`: once per leg, when its channel has ended or the engine turned out to have lost it. */
  constructor(emit: (event: PbxEvent) => void, onGone: (legId: LegId) => void) {
    this.#emit = emit;
    this.#onGone = onGone;
  }

  get(legId: LegId): LegRecord | undefined {
    return this.#records.get(legId);
  }

  of(channel: Channel | undefined): LegRecord | undefined {
    return channel === undefined ? undefined : this.#records.get(channel.id as LegId);
  }

  inBridge(bridgeId: BridgeId): LegId[] {
    return [...this.#records.values()].filter((leg) => leg.bridgeId === bridgeId).map(({ legId }) => legId);
  }

  add(legId: LegId, trunk: Trunk | null, origin: LegOrigin): LegRecord {
    const record = newLegRecord(legId, trunk, origin);
    this.#records.set(legId, record);
    return record;
  }

  /**
   * As the engine says after (re)attaching; told as a whole, not as events. Orders to the leg that wait go on waiting,
   * until it is in the application. What one hears that was answered meanwhile nobody knows: perhaps a prompt.
   */
  adopt(
    legId: LegId,
    trunk: Trunk | null,
    state: LegState,
    bridgeId: BridgeId | null,
    isAttended = true,
  ): LegRecord {
    const origin = { from: 'engine', state, bridgeId } as const;
    const known = this.#records.get(legId) ?? this.add(legId, trunk, origin);
    if (known.state !== 'answered' && state === 'answered') known.voice = null;
    known.state = state;
    known.bridgeId = bridgeId;
    if (state === 'answered' && isAttended) known.setControllable(true);
    return known;
  }

  /** The dial order was carried out: what has happened meanwhile is told. */
  dialled(record: LegRecord): void {
    const held = record.held ?? [];
    record.held = null;
    for (const event of held) this.#emit(event);
    if (held.some(({ type }) => type === 'leg.ended')) this.drop(record.legId);
  }

  /** Forgets a leg without a word: its dial order failed, or the engine no longer has it. */
  drop(legId: LegId): void {
    const record = this.#records.get(legId);
    if (record === undefined) return;
    this.#records.delete(legId);
    record.setControllable(false);
    this.#onGone(legId);
  }

  /** Forgets every leg that is not in `living`. */
  keepOnly(living: ReadonlySet<string>): void {
    for (const legId of [...this.#records.keys()]) if (!living.has(legId)) this.drop(legId);
  }

  /** Doubled and late events change nothing. */
  apply(event: AriEvent, at: Instant): void {
    switch (event.type) {
      case 'ChannelStateChange':
        this.observe(this.of(event.channel), event.channel.state, at);
        break;
      case 'Dial':
        this.#dialed(this.of(event.peer), event, at);
        break;
      case 'StasisStart':
        this.#entered(event.channel, at);
        break;
      case 'ChannelHangupRequest': {
        const record = this.of(event.channel);
        if (record !== undefined && event.soft !== true) record.remoteEnded = true;
        break;
      }
      case 'ChannelDestroyed': {
        const record = this.of(event.channel);
        if (record === undefined) break;
        this.#tell(record, { type: 'leg.ended', legId: record.legId, at, ...legEnding(record, event) });
        if (record.held === null) this.drop(record.legId);
        break;
      }
      case 'ChannelDtmfReceived': {
        const record = this.of(event.channel);
        const { digit } = event;
        if (record !== undefined)
          this.#tell(record, { type: 'leg.key-pressed', legId: record.legId, at, key: digit });
        break;
      }
      case 'ChannelTalkingStarted':
      case 'ChannelTalkingFinished': {
        const record = this.of(event.channel);
        const talking = event.type === 'ChannelTalkingStarted';
        if (record !== undefined)
          this.#tell(record, { type: 'media.sound', legId: record.legId, at, talking });
        break;
      }
      default:
        break;
    }
  }

  /** A channel's state, by an event or by asking. */
  observe(record: LegRecord | undefined, state: Channel['state'], at: Instant): void {
    if (record === undefined) return;
    if (state === 'Ringing') this.#ringing(record, at);
    else if (state === 'Up') this.#answered(record, at);
  }

  #dialed(
    record: LegRecord | undefined,
    { dialstatus: status, forward = '' }: Pick<Dial, 'dialstatus' | 'forward'>,
    at: Instant,
  ): void {
    if (record === undefined || record.state === 'answered') return;
    if (forward !== '') record.sentOn = true;
    if (status === 'RINGING') {
      this.#ringing(record, at);
    } else if (status === 'PROGRESS' && !record.progressed) {
      record.progressed = true;
      this.#tell(record, { type: 'leg.progress', legId: record.legId, at });
    }
  }

  /** StasisStart: from here on the channel takes orders. One of ours that we do not know is adopted. */
  #entered(channel: Channel, at: Instant): void {
    if (parseChannelId(channel.id) === null) return;
    const origin = { from: 'engine', state: 'dialing', bridgeId: null } as const;
    const record = this.of(channel) ?? this.add(channel.id as LegId, null, origin);
    this.#answered(record, at);
    record.setControllable(true);
  }

  #ringing(record: LegRecord, at: Instant): void {
    record.rang = true;
    if (record.state !== 'dialing') return;
    record.state = 'ringing';
    this.#tell(record, { type: 'leg.ringing', legId: record.legId, at });
  }

  #answered(record: LegRecord, at: Instant): void {
    if (record.state === 'answered') return;
    record.state = 'answered';
    this.#tell(record, { type: 'leg.answered', legId: record.legId, at });
  }

  #tell(record: LegRecord, event: PbxEvent): void {
    if (record.held === null) this.#emit(event);
    else record.held.push(event);
  }
}
