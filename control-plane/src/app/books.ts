/**
 * Keeps the ledger. Until a session is over its events are the truth and everything is computed from them; then an
 * entry is made, which stays when the events go. What is not entered yet is found by a look at the sessions, not by
 * memory: a process that dies loses none.
 */
import type { Instant, SessionId } from '../domain/ids.ts';
import { judge } from '../domain/session/judge.ts';
import type { Session } from '../domain/session/session.ts';
import { milestonesOf } from '../domain/session/timeline.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ledger, LedgerEntry } from '../ports/ledger.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { SessionStore } from '../ports/session-store.ts';

const EVERY_MS = 10_000;
const STEP_SESSIONS = 100;
/** More than any session has. */
const MAX_EVENTS = 100_000;

export interface BooksPorts {
  readonly store: Pick<SessionStore, 'find' | 'events'>;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Books {
  readonly #ports: BooksPorts;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #round: Promise<unknown> = Promise.resolve();

  constructor(ports: BooksPorts) {
    this.#ports = ports;
  }

  /** Milestones and verdicts as they are now; from the ledger when the events are gone. */
  async of(session: Session): Promise<LedgerEntry> {
    const events = await this.#ports.store.events(session.id, MAX_EVENTS);
    if (events.length === 0) return (await this.#ports.ledger.find(session.id)) ?? NOTHING;
    const milestones = milestonesOf(events);
    return { milestones, verdicts: judge(judged(session), milestones) };
  }

  /** Enters every session that is over, now. Returns how many. */
  async settle(): Promise<number> {
    const { ledger, clock } = this.#ports;
    let total = 0;
    for (;;) {
      const ids = await ledger.unjudged(clock.now(), STEP_SESSIONS);
      for (const id of ids) await this.#enter(id);
      total += ids.length;
      if (ids.length < STEP_SESSIONS || this.#stopped) return total;
    }
  }

  /** Enters what is over, now and every ten seconds. */
  start(): void {
    const { clock, log } = this.#ports;
    const next = (): void => {
      if (this.#stopped) return;
      this.#round = this.settle()
        .catch((error: unknown) => {
          log.warn('the ledger could not be written; it is tried again', { error: String(error) });
        })
        .finally(() => {
          if (!this.#stopped) this.#cancel = clock.at((clock.now() + EVERY_MS) as Instant, next);
        });
    };
    next();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#round;
  }

  async #enter(id: SessionId): Promise<void> {
    const { store, ledger, clock, metrics } = this.#ports;
    const stored = await store.find(id);
    if (!stored) return;
    const milestones = milestonesOf(await store.events(id, MAX_EVENTS));
    const verdicts = judge(judged(stored.session), milestones);
    if (!(await ledger.enter(id, milestones, verdicts, clock.now()))) return;
    for (const { id: requirement, ok, valueMs } of verdicts) {
      const result = ok === null ? 'not-applicable' : ok ? 'ok' : 'breach';
      metrics.count('hamrahi_sos_verdicts_total', { requirement, result });
      if (valueMs !== null) metrics.observe('hamrahi_sos_requirement_ms', valueMs, { requirement });
    }
  }
}

const NOTHING: LedgerEntry = { milestones: [], verdicts: [] };

function judged(session: Session) {
  const { policy, phase } = session;
  return { policy, phase, standingLegs: 'legs' in session ? session.legs.length : 0 };
}
