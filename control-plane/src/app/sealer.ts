/**
 * Has heads made: from time to time over what has changed, and soon after a session has come to rest. Each goes to the
 * anchor as well; what the anchor missed is caught up from the store, so that a crash in between loses none.
 */
import type { Instant } from '../domain/ids.ts';
import type { AuditLog, HeadAnchor } from '../ports/audit-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Metrics } from '../ports/log.ts';

/** Sessions that end together come under one head. */
const NUDGE_MS = 1000;
const CATCH_UP = 100;
/** Heads in one round: after a long pause the rest waits for the next. */
const MAX_HEADS = 50;

export interface SealerPorts {
  readonly audit: AuditLog;
  /** `null`: heads stay in the database and in the log lines. */
  readonly anchor: HeadAnchor | null;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Sealer {
  readonly #ports: SealerPorts;
  #cancel: () => void = () => undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #round: Promise<void> | null = null;
  #stopped = false;

  constructor(ports: SealerPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#next(0);
  }

  /** A session has come to rest. */
  nudge(): void {
    const { clock } = this.#ports;
    if (!this.#stopped && this.#round === null && clock.now() + NUDGE_MS < this.#dueAt) this.#next(NUDGE_MS);
  }

  /** Makes a last head, so that what happened until now is under one. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#round;
    await this.#run();
  }

  #next(afterMs: number): void {
    const { clock } = this.#ports;
    this.#cancel();
    this.#dueAt = clock.now() + afterMs;
    this.#cancel = clock.at(this.#dueAt as Instant, () => {
      this.#round = this.#run().finally(() => {
        this.#round = null;
        if (!this.#stopped) this.#next(this.#ports.intervalMs);
      });
    });
  }

  async #run(): Promise<void> {
    const { log, metrics } = this.#ports;
    try {
      await this.#seal();
      await this.#anchor();
    } catch (error) {
      metrics.count('hamrahi_audit_failures_total');
      log.error('a head could not be made or anchored; it is tried again', { error: String(error) });
    }
  }

  async #seal(): Promise<void> {
    const { audit, clock, log, metrics } = this.#ports;
    for (let made = 0; made < MAX_HEADS; made += 1) {
      const head = await audit.seal(clock.now());
      if (head === null) return;
      metrics.gauge('hamrahi_audit_head', head.number);
      // The log goes to another host as a rule: one more anchor, for nothing.
      log.info('audit head', { number: head.number, hash: head.hash, leaves: head.leaves });
    }
  }

  async #anchor(): Promise<void> {
    const { audit, anchor, log, metrics } = this.#ports;
    if (!anchor) return;
    for (;;) {
      const last = await anchor.last();
      const heads = await audit.heads(last - 1, CATCH_UP);
      const isAhead = last > 0 && heads[0]?.number !== last;
      metrics.gauge('hamrahi_audit_anchor_ahead', isAhead ? 1 : 0);
      if (isAhead) {
        log.error('the anchor knows heads that the database does not: the database was rolled back', {
          last,
        });
        return;
      }
      const missing = heads.filter((head) => head.number > last);
      for (const head of missing) await anchor.append(head);
      if (missing.length < CATCH_UP - 1) return;
    }
  }
}
