/** What trunks carry now, and how many calls a second they may be given; a part of both is kept for SOS calls. */
import { TokenBucket } from '../../domain/rate/token-bucket.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CallPurpose } from '../../ports/trunk-health.ts';

interface Rates {
  readonly key: string;
  /** All calls; a burst of one second's worth. */
  readonly all: TokenBucket;
  /** Calls that are no SOS: what is left when the reserve's share is taken off. */
  readonly others: TokenBucket;
}

export class TrunkLoad {
  readonly #clock: Pick<Clock, 'now'>;
  /** Channels that live now, by trunk. Derived from the lines, never kept beside them. */
  readonly #liveOn: (trunk: string) => number;
  readonly #rates = new Map<string, Rates>();

  constructor(clock: Pick<Clock, 'now'>, liveOn: (trunk: string) => number) {
    this.#clock = clock;
    this.#liveOn = liveOn;
  }

  /** No channel is left that this purpose may have. `ending`: channels of it that are counted and have just ended. */
  isFull({ name, capacity }: Trunk, purpose: CallPurpose, ending = 0): boolean {
    const room = purpose === 'sos' ? capacity.channels : capacity.channels - capacity.sosReserve;
    return this.#liveOn(name) - ending >= room;
  }

  /** Whether a call of this purpose may be placed by it now: there is a channel, and this second has room. An SOS always may. */
  hasRoom(trunk: Trunk, purpose: CallPurpose, ending = 0): boolean {
    if (purpose === 'sos') return true;
    const now = this.#clock.now();
    const { all, others } = this.#ratesOf(trunk, now);
    return !this.isFull(trunk, purpose, ending) && others.has(now) && all.has(now);
  }

  /** Counts one call that is placed. */
  take(trunk: Trunk, purpose: CallPurpose): void {
    const now = this.#clock.now();
    const { all, others } = this.#ratesOf(trunk, now);
    all.take(now);
    if (purpose !== 'sos') others.take(now);
  }

  #ratesOf({ name, capacity }: Trunk, now: number): Rates {
    const { channels, sosReserve, callsPerSecond } = capacity;
    const key = `${channels} ${sosReserve} ${callsPerSecond}`;
    const known = this.#rates.get(name);
    if (known?.key === key) return known;
    const share = channels === 0 ? 0 : 1 - sosReserve / channels;
    const forOthers = callsPerSecond * share;
    const fresh: Rates = {
      key,
      all: new TokenBucket(callsPerSecond, Math.max(1, callsPerSecond), now),
      others: new TokenBucket(forOthers, Math.max(1, forOthers), now),
    };
    this.#rates.set(name, fresh);
    return fresh;
  }
}
