/** The deadlines of this node's sessions, fired from memory to the millisecond. The rows behind them are the store's. */
import type { Instant, SessionId } from '../domain/ids.ts';
import type { TimerName } from '../domain/session/event.ts';
import type { Clock } from '../ports/clock.ts';

interface Entry {
  readonly dueAt: Instant;
  readonly cancel: () => void;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #fire: (sessionId: SessionId, timer: TimerName, dueAt: Instant) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onDue(fire: (sessionId: SessionId, timer: TimerName, dueAt: Instant) => void): void {
    this.#fire = fire;
  }

  set(sessionId: SessionId, timer: TimerName, dueAt: Instant): void {
    const key = `${sessionId} ${timer}`;
    this.#entries.get(key)?.cancel();
    const cancel = this.#clock.at(dueAt, () => {
      this.#fire(sessionId, timer, dueAt);
    });
    this.#entries.set(key, { dueAt, cancel });
  }

  clear(sessionId: SessionId, timer: TimerName): void {
    const key = `${sessionId} ${timer}`;
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  /** Every timer of a session that is none any more. */
  forget(sessionId: SessionId): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(`${sessionId} `)) continue;
      entry.cancel();
      this.#entries.delete(key);
    }
  }

  /** Whether the timer that fired is still the one that is meant: not cleared, not set anew, meanwhile. */
  isCurrent(sessionId: SessionId, timer: TimerName, dueAt: Instant): boolean {
    return this.#entries.get(`${sessionId} ${timer}`)?.dueAt === dueAt;
  }

  get size(): number {
    return this.#entries.size;
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.cancel();
    this.#entries.clear();
  }
}
