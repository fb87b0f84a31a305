/**
 * Whether the store is there. One failure or one silence is enough to say no: from then on nobody waits for it, until
 * whoever brings it back says yes. A store that answers others meanwhile is not silent but busy.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';
import { StoreError } from '../../ports/session-store.ts';
import { HeldAlert } from '../held-alert.ts';
import { within } from './within.ts';

const LATE = Symbol('late');
/** In a rush answers come every few milliseconds; the last one before a silence proves nothing. */
const ANSWERING_MS = 60;
/** A hiccup is over before anybody could look. */
const ALERT_AFTER_MS = 5000;
export const DATABASE_AWAY = {
  kind: 'database-away',
  subject: 'database',
  severity: 'critical',
  summary: 'The database is away: the gateway acts from memory and its journal. Do not restart it.',
} as const;

/** Whether the store is there, and a way to work with it that ends. */
export interface StoreWatch {
  readonly isAway: boolean;
  /** The work's result; throws `StoreError` when the store is late. One that fails or is silent to all is given up. */
  attempt<T>(work: () => Promise<T>, deadlineMs: number): Promise<T>;
}

export interface WatchPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly alerts?: OpsAlerts;
}

export class StoreState implements StoreWatch {
  readonly #ports: WatchPorts;
  readonly #onAway: () => void;
  readonly #alert: HeldAlert | null;
  #awaySince: number | null = null;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(ports: WatchPorts, onAway: () => void) {
    this.#ports = ports;
    this.#onAway = onAway;
    const { alerts, clock } = ports;
    this.#alert = alerts ? new HeldAlert(alerts, DATABASE_AWAY, clock, ALERT_AFTER_MS) : null;
  }

  get isAway(): boolean {
    return this.#awaySince !== null;
  }

  /** Milliseconds that it has been away; 0 while it is there. */
  get awayMs(): number {
    return this.#awaySince === null ? 0 : this.#ports.clock.now() - this.#awaySince;
  }

  /** The store has answered somebody. */
  heard(): void {
    this.#heardAt = this.#ports.clock.now();
  }

  /** Whether it answers somebody just now. */
  get isAnswering(): boolean {
    return this.#ports.clock.now() - this.#heardAt < ANSWERING_MS;
  }

  leave(reason: string): void {
    if (this.#awaySince !== null) return;
    const { clock, log, metrics } = this.#ports;
    this.#awaySince = clock.now();
    metrics.count('hamrahi_store_outages_total');
    metrics.gauge('hamrahi_store_away', 1);
    log.error('The database is away: decisions go to the journal and are acted on.', {
      code: 'ERR_STORE_AWAY',
      reason,
    });
    this.#alert?.begin();
    this.#onAway();
  }

  comeBack(): void {
    const { log, metrics } = this.#ports;
    const awayMs = Math.round(this.awayMs);
    this.#awaySince = null;
    metrics.gauge('hamrahi_store_away', 0);
    this.#alert?.end();
    log.info('The database is back, and has everything that the journal held.', { awayMs });
  }

  /** Nobody watches any more. */
  stop(): void {
    this.#alert?.stop();
  }

  /** Throws `StoreError` at once while it is away. */
  async attempt<T>(work: () => Promise<T>, deadlineMs: number): Promise<T> {
    if (this.isAway) throw unavailable('the database is away');
    try {
      const result = await within<T, typeof LATE>(this.#ports.clock, deadlineMs, work(), LATE);
      if (result !== LATE) {
        this.heard();
        return result;
      }
    } catch (error) {
      if (meansAway(error)) this.leave(codeOf(error));
      throw error;
    }
    if (!this.isAnswering) this.leave('no answer in time');
    throw unavailable('the database gave no answer in time');
  }
}

/** An answer that the store is away, or that nobody knows. A conflict, a fence or a bug is neither. */
export function meansAway(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === 'ERR_STORE_UNAVAILABLE' || error.code === 'ERR_STORE_UNKNOWN_OUTCOME')
  );
}

export function codeOf(error: unknown): string {
  return error instanceof StoreError ? error.code : 'unknown';
}

export function unavailable(why: string): StoreError {
  return new StoreError('ERR_STORE_UNAVAILABLE', why);
}
