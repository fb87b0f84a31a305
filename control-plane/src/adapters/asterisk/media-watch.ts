/**
 * Do a leg's packets reach us? Its RTP counter is read: often until the stream is confirmed, then now and then to
 * notice its loss, often again until it is back. One timer serves all legs; a leg has one reading under way at most.
 */
import type { Instant, LegId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PbxEvent } from '../../ports/pbx-driver.ts';

export interface MediaWatchOptions {
  readonly clock: Clock;
  readonly emit: (event: PbxEvent) => void;
  /** Packets received on the leg so far; null when they cannot be told now. */
  readonly readPackets: (legId: LegId) => Promise<number | null>;
  /** Between two readings that confirm a stream. */
  readonly confirmEveryMs: number;
  /** Between two readings of a confirmed stream. */
  readonly watchEveryMs: number;
  /** A confirmed stream is lost when nothing has come for so long. */
  readonly lostAfterMs: number;
}

interface Watched {
  readonly legId: LegId;
  nextAt: number;
  reading: boolean;
  packets: number;
  /** Readings in a row in which the counter had grown. */
  growths: number;
  lastGrowthAt: Instant;
  state: 'waiting' | 'streaming' | 'lost';
}

const GROWTHS_TO_CONFIRM = 2;
const PACKETS_TO_CONFIRM = 5;

export class MediaWatch {
  readonly #options: MediaWatchOptions;
  readonly #watched = new Map<LegId, Watched>();
  #running = true;
  #cancelTimer: () => void = () => undefined;
  #timerAt = Infinity;

  constructor(options: MediaWatchOptions) {
    this.#options = options;
  }

  /** From the answer on: before it there is nothing to count. Repeatable. */
  start(legId: LegId): void {
    if (this.#watched.has(legId)) return;
    const now = this.#options.clock.now();
    this.#watched.set(legId, {
      legId,
      nextAt: now,
      reading: false,
      packets: 0,
      growths: 0,
      lastGrowthAt: now,
      state: 'waiting',
    });
    this.#arm();
  }

  stop(legId: LegId): void {
    this.#watched.delete(legId);
  }

  /** The engine is lost: nothing can be read, and nothing is to be concluded from that. */
  pause(): void {
    this.#running = false;
    this.#disarm();
  }

  /** Readings start anew, spread over one interval. The time without engine is no silence. */
  resume(): void {
    this.#running = true;
    const now = this.#options.clock.now();
    let index = 0;
    for (const leg of this.#watched.values()) {
      leg.nextAt = now + (index / this.#watched.size) * this.#options.confirmEveryMs;
      leg.lastGrowthAt = now;
      index += 1;
    }
    this.#arm();
  }

  clear(): void {
    this.#watched.clear();
    this.#disarm();
  }

  #arm(): void {
    if (!this.#running) return;
    let next = Infinity;
    for (const leg of this.#watched.values()) if (!leg.reading) next = Math.min(next, leg.nextAt);
    if (next === Infinity || next >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = next;
    this.#cancelTimer = this.#options.clock.at(next as Instant, () => {
      this.#timerAt = Infinity;
      this.#readDue();
      this.#arm();
    });
  }

  #disarm(): void {
    this.#cancelTimer();
    this.#timerAt = Infinity;
  }

  #readDue(): void {
    const now = this.#options.clock.now();
    for (const leg of this.#watched.values())
      if (!leg.reading && leg.nextAt <= now) void this.#read(leg, now);
  }

  async #read(leg: Watched, startedAt: Instant): Promise<void> {
    leg.reading = true;
    const packets = await this.#options.readPackets(leg.legId);
    leg.reading = false;
    if (this.#watched.get(leg.legId) !== leg || !this.#running) return;
    const now = this.#options.clock.now();
    if (packets !== null) this.#judge(leg, packets, now);
    // a slow engine is read less often, never twice at once
    leg.nextAt = Math.max(startedAt + this.#intervalMs(leg, startedAt), now);
    this.#arm();
  }

  #intervalMs(leg: Watched, from: Instant): number {
    const { confirmEveryMs, watchEveryMs, lostAfterMs } = this.#options;
    if (leg.state !== 'streaming') return confirmEveryMs;
    const untilLost = leg.lastGrowthAt + lostAfterMs - from;
    return Math.max(confirmEveryMs, Math.min(watchEveryMs, untilLost));
  }

  #judge(leg: Watched, packets: number, at: Instant): void {
    const { emit, lostAfterMs } = this.#options;
    const { legId } = leg;
    // a counter that falls belongs to a new stream (the client negotiated anew): it grew from nought
    const grew = packets > 0 && packets !== leg.packets;
    if (leg.state === 'waiting' && leg.packets === 0 && grew) emit({ type: 'media.first-packet', legId, at });
    leg.packets = packets;
    leg.growths = grew ? leg.growths + 1 : 0;
    if (grew) leg.lastGrowthAt = at;
    const flows = leg.growths >= GROWTHS_TO_CONFIRM && packets >= PACKETS_TO_CONFIRM;
    if (leg.state === 'waiting' && flows) {
      leg.state = 'streaming';
      emit({ type: 'media.streaming', legId, at, packets });
    } else if (leg.state === 'lost' && flows) {
      leg.state = 'streaming';
      emit({ type: 'media.back', legId, at });
    } else if (leg.state === 'streaming' && at - leg.lastGrowthAt >= lostAfterMs) {
      leg.state = 'lost';
      emit({ type: 'media.lost', legId, at, silentForMs: at - leg.lastGrowthAt });
    }
  }
}
