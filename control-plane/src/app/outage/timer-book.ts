/** The deadlines of this node's open sessions, in memory: what the store's rows say, when the store cannot be asked. */
import type { Instant, SessionId } from '../../domain/ids.ts';
import type { TimerName } from '../../domain/session/event.ts';
import type { DueTimer, SessionWrite } from '../../ports/session-store.ts';

type Changes = Pick<SessionWrite, 'at' | 'timersSet' | 'timersCleared'>;

export class TimerBook {
  readonly #timers = new Map<SessionId, Map<TimerName, Instant>>();

  /** As a write has it: setting wins over clearing, and an ended session keeps only what is set now. */
  note(sessionId: SessionId, { timersSet, timersCleared }: Changes, isOpen: boolean): void {
    const own = isOpen ? this.#of(sessionId) : new Map<TimerName, Instant>();
    for (const timer of timersCleared) own.delete(timer);
    for (const { timer, dueAt } of timersSet) own.set(timer, dueAt);
    this.#keep(sessionId, own);
  }

  /** A write that nobody knows the fate of, and that was overtaken: what has been set since stands above it. */
  noteDoubtful(sessionId: SessionId, { at, timersSet, timersCleared }: Changes): void {
    const own = this.#of(sessionId);
    for (const timer of timersCleared) if ((own.get(timer) ?? Infinity) <= at) own.delete(timer);
    for (const { timer, dueAt } of timersSet) if (!own.has(timer)) own.set(timer, dueAt);
    this.#keep(sessionId, own);
  }

  /** The store's word, of these sessions. */
  replace(sessionIds: Iterable<SessionId>, timers: readonly DueTimer[]): void {
    const named = new Map([...sessionIds].map((id) => [id, new Map<TimerName, Instant>()]));
    for (const { sessionId, timer, dueAt } of timers) named.get(sessionId)?.set(timer, dueAt);
    for (const [id, own] of named) this.#keep(id, own);
  }

  forget(sessionId: SessionId): void {
    this.#timers.delete(sessionId);
  }

  /** The next due first. */
  all(): readonly DueTimer[] {
    const all = [...this.#timers].flatMap(([sessionId, own]) =>
      [...own].map(([timer, dueAt]) => ({ sessionId, timer, dueAt })),
    );
    return all.toSorted((a, b) => a.dueAt - b.dueAt);
  }

  #of(sessionId: SessionId): Map<TimerName, Instant> {
    return this.#timers.get(sessionId) ?? new Map<TimerName, Instant>();
  }

  #keep(sessionId: SessionId, own: Map<TimerName, Instant>): void {
    if (own.size > 0) this.#timers.set(sessionId, own);
    else this.#timers.delete(sessionId);
  }
}
