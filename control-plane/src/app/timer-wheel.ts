/** The deadlines of this node's sessions, fired from memory to the millisecond. The rows behind them are the store's. */
import type { Instant, SessionId } from '../domain/ids.ts';
import type { TimerName } from '../domain/session/event.ts';
import type { Clock } from '../ports/clock.ts';

interface Entry {
  readonly dueAt: Instant;
  readonly cancel: () => void;
}

/** Of sessions, unless it is told otherwise. */
export class TimerWheel<Id extends string = SessionId, Name extends string = TimerName> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #fire: (ownerId: Id, timer: Name, dueAt: Instant) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onDue(fire: (ownerId: Id, timer: Name, dueAt: Instant) => void): void {
    this.#fire = fire;
  }

  set(ownerId: Id, timer: Name, dueAt: Instant): void {
    const key = `${ownerId} ${timer}`;
    this.#entries.get(key)?.cancel();
    const cancel = this.#clock.at(dueAt, () => {
      this.#fire(ownerId, timer, dueAt);
    });
    this.#entries.set(key, { dueAt, cancel });
  }

  clear(ownerId: Id, timer: Name): void {
    const key = `${ownerId} ${timer}`;
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  /** Every timer of a session (or call) that is none any more. */
  forget(ownerId: Id): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(`${ownerId} `)) continue;
      entry.cancel();
      this.#entries.delete(key);
    }
  }

  /** Whether the timer that fired is still the one that is meant: not cleared, not set anew, meanwhile. */
  isCurrent(ownerId: Id, timer: Name, dueAt: Instant): boolean {
    return this.#entries.get(`${ownerId} ${timer}`)?.dueAt === dueAt;
  }

  has(ownerId: Id, timer: Name): boolean {
    return this.#entries.has(`${ownerId} ${timer}`);
  }

  get size(): number {
    return this.#entries.size;
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.cancel();
    this.#entries.clear();
  }
}
