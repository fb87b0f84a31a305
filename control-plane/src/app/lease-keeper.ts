/**
 * This node's place among the core nodes of its database: it stands by until the lease is free or its holder silent,
 * holds it by renewing, and is fenced when somebody else has it. Why so, and what is left over: docs/adr/0017-one-lease.md.
 *
 * No clock is compared with another machine's: who waits counts how long a holder's beat stands still.
 */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  CommandPermit,
  Fence,
  LeaseCheck,
  LeaseSight,
  LeaseStore,
  LeaseVerdict,
} from '../ports/lease.ts';
import type { Log, Metrics } from '../ports/log.ts';

/** A holder that has heard nothing of its lease for this long asks before it commands. */
const LEASE_MS = 1000;
const RENEW_EVERY_MS = 300;
const LOOK_EVERY_MS = 150;
/** With the looks before and after it: taken over within two seconds of the holder's last sign of life. */
const SILENCE_MS = 1700;
/** For an answer, by our own clock: what is known of the lease is renewed before it has grown too old to command by. */
const ANSWER_MS = 600;
/** That nobody can be asked is believed for this long. */
const OUT_OF_REACH_MS = 2000;
/** A question that took longer than its deadline allows was asked by a process that did not run meanwhile: it tells nothing. */
const PLAUSIBLE_MS = 1100;
/** Wall and monotonic clock may differ by this much since the last renewal: more, and the machine was asleep or its clock set. */
const CLOCKS_AGREE_MS = 250;

export type LeaseState = 'standby' | 'active' | 'fenced' | 'stopped';

export interface LeaseKeeperPorts {
  readonly store: LeaseStore;
  readonly node: string;
  readonly lease: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Sign {
  readonly verdict: LeaseVerdict;
  readonly at: Instant;
  readonly wallAt: Instant;
}

/** Epochs begin at 0: under this one nothing is ever written. */
const NO_EPOCH = -1;

export class LeaseKeeper implements CommandPermit, LeaseCheck {
  readonly #ports: LeaseKeeperPorts;
  readonly #fenced = Promise.withResolvers<undefined>();
  #state: LeaseState = 'standby';
  #epoch = NO_EPOCH;
  #sign: Sign | null = null;
  #asking: Promise<LeaseVerdict | 'unknown'> | null = null;
  #wake: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(ports: LeaseKeeperPorts) {
    this.#ports = ports;
    ports.metrics.gauge('hamrahi_core_lease_held', 0);
  }

  get state(): LeaseState {
    return this.#state;
  }

  /** Resolves when another node turns out to hold what this one held. */
  get fenced(): Promise<undefined> {
    return this.#fenced.promise;
  }

  /** Under what this node writes now; when it holds nothing, everything that it writes is refused. */
  get fence(): Fence {
    return { lease: this.#ports.lease, node: this.#ports.node, epoch: this.#epoch };
  }

  /** Stands by until the lease is this node's: `true`; `false` when it was stopped before. */
  async acquire(): Promise<boolean> {
    let seen: (LeaseSight & { readonly since: Instant }) | null = null;
    let told: string | null = null;
    while (this.#state === 'standby') {
      const sight = await this.#look();
      const now = this.#ports.clock.now();
      // Whoever could not look has seen no silence: a database that was away took the holder's renewals with it.
      if (sight === null) seen = null;
      else if (isFree(sight) || (isSame(sight, seen) && now - seen.since >= SILENCE_MS)) {
        if (await this.#take(sight)) return true;
      } else {
        if (!isSame(sight, seen)) seen = { ...sight, since: now };
        if (told !== sight.holder) this.#ports.log.info('standing by', { holder: sight.holder });
        told = sight.holder;
      }
      await this.#pause(LOOK_EVERY_MS);
    }
    return false;
  }

  mayCommand(): boolean | Promise<boolean> {
    if (this.#state !== 'active') return false;
    if (this.#isFresh()) return true;
    this.#ports.metrics.count('hamrahi_core_lease_checks_total');
    return this.verify().then((verdict) => verdict !== 'fenced' && this.#state === 'active');
  }

  /** Asks now. An answer to what was asked before, perhaps before this process was stopped for a while, is not enough. */
  async verify(): Promise<LeaseVerdict> {
    if (this.#asking) await this.#asking;
    const verdict = await this.#ask();
    if (verdict !== 'unknown') return verdict;
    const again = await this.#ask();
    return again === 'unknown' ? 'out-of-reach' : again;
  }

  /** The store refused a write: somebody else has taken over. */
  lose(): void {
    if (this.#state !== 'active') return;
    this.#state = 'fenced';
    this.#epoch = NO_EPOCH;
    this.#cancelTimer();
    this.#ports.metrics.gauge('hamrahi_core_lease_held', 0);
    this.#ports.metrics.count('hamrahi_core_fenced_total');
    this.#ports.log.error('Another node has taken over; this one commands no more.', {
      code: 'ERR_NODE_FENCED',
    });
    this.#fenced.resolve(undefined);
  }

  /** Gives the lease back, so that who waits takes it at once. Never rejects. */
  async stop(): Promise<void> {
    const epoch = this.#epoch;
    const isHolder = this.#state === 'active';
    if (this.#state !== 'fenced') this.#state = 'stopped';
    this.#cancelTimer();
    this.#wake();
    this.#epoch = NO_EPOCH;
    this.#ports.metrics.gauge('hamrahi_core_lease_held', 0);
    if (!isHolder) return;
    await this.#asking;
    await this.#within(this.#ports.store.giveBack(epoch)).catch((error: unknown) => {
      this.#ports.log.warn('the lease could not be given back', { reason: String(error) });
    });
  }

  async #look(): Promise<LeaseSight | null> {
    try {
      return await this.#within(this.#ports.store.look());
    } catch (error) {
      this.#ports.log.warn('the lease cannot be looked at', { reason: String(error) });
      return null;
    }
  }

  async #take(seen: LeaseSight): Promise<boolean> {
    const { clock, log, metrics } = this.#ports;
    const sign: Sign = { verdict: 'held', at: clock.now(), wallAt: clock.wall() };
    try {
      const epoch = await this.#within(this.#ports.store.take(seen));
      if (epoch === null || this.#state !== 'standby') return false;
      this.#epoch = epoch;
      this.#sign = sign;
      this.#state = 'active';
      metrics.gauge('hamrahi_core_lease_held', 1);
      log.info('this node is active', { epoch, before: seen.holder });
      this.#renewLater();
      return true;
    } catch (error) {
      log.warn('the lease could not be taken', { reason: String(error) });
      return false;
    }
  }

  #renewLater(): void {
    const { clock } = this.#ports;
    this.#cancelTimer = clock.at((clock.now() + RENEW_EVERY_MS) as Instant, () => {
      void this.#ask().then(() => {
        if (this.#state === 'active') this.#renewLater();
      });
    });
  }

  #ask(): Promise<LeaseVerdict | 'unknown'> {
    this.#asking ??= this.#renew().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #renew(): Promise<LeaseVerdict | 'unknown'> {
    if (this.#state !== 'active') return 'fenced';
    const { clock, store, log } = this.#ports;
    const at = clock.now();
    const wallAt = clock.wall();
    try {
      if (await this.#within(store.renew(this.#epoch))) {
        if (this.#sign?.verdict === 'out-of-reach') log.info('the lease is in reach again, and still ours');
        this.#sign = { verdict: 'held', at, wallAt };
        return 'held';
      }
    } catch (error) {
      return this.#missed(Math.max(clock.now() - at, clock.wall() - wallAt), error);
    }
    this.lose();
    return 'fenced';
  }

  #missed(tookMs: number, error: unknown): LeaseVerdict | 'unknown' {
    const { clock, log, metrics } = this.#ports;
    metrics.count('hamrahi_core_lease_renewals_missed_total');
    if (tookMs > PLAUSIBLE_MS) return 'unknown';
    if (this.#sign?.verdict !== 'out-of-reach')
      log.error('The lease cannot be renewed; nobody else is known to hold it.', {
        code: 'ERR_NODE_LEASE_OUT_OF_REACH',
        reason: String(error),
      });
    this.#sign = { verdict: 'out-of-reach', at: clock.now(), wallAt: clock.wall() };
    return 'out-of-reach';
  }

  #isFresh(): boolean {
    const sign = this.#sign;
    if (!sign) return false;
    const { clock } = this.#ports;
    const ageMs = clock.now() - sign.at;
    const clocksAgree = Math.abs(clock.wall() - sign.wallAt - ageMs) < CLOCKS_AGREE_MS;
    return clocksAgree && ageMs < (sign.verdict === 'held' ? LEASE_MS : OUT_OF_REACH_MS);
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const { clock } = this.#ports;
    const late = Promise.withResolvers<never>();
    const cancel = clock.at((clock.now() + ANSWER_MS) as Instant, () => late.reject(new Error('no answer')));
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      cancel();
    }
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#cancelTimer = clock.at((clock.now() + ms) as Instant, resolve);
    });
  }
}

function isFree(sight: LeaseSight): boolean {
  return sight.holder === null || sight.predecessorGone;
}

function isSame<Seen extends LeaseSight>(sight: LeaseSight, seen: Seen | null): seen is Seen {
  return seen !== null && seen.epoch === sight.epoch && seen.beat === sight.beat;
}
