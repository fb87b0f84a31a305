/**
 * The sessions of this node as they stand, in memory: what a decision needs when the store cannot be asked. Filled at
 * the start, and by every write and reading since.
 */
import type { Location } from '../../contracts/common.ts';
import type { CitizenId, Instant, OperatorId, SessionId, ZoneId } from '../../domain/ids.ts';
import { isLive } from '../../domain/session/session.ts';
import type { Session } from '../../domain/session/session.ts';
import type { StoredSession } from '../../ports/session-store.ts';
import { TimerBook } from './timer-book.ts';

/** Ended sessions go on hearing of their last legs. */
const ENDED_KEPT = 1000;

export class SessionBook {
  readonly timers = new TimerBook();
  readonly #sessions = new Map<SessionId, StoredSession>();
  readonly #openOf = new Map<CitizenId, SessionId>();
  readonly #locations = new Map<SessionId, Location>();
  /** Oldest first. */
  readonly #ended = new Set<SessionId>();
  readonly #lastEndOf = new Map<OperatorId, Instant>();

  /** A session as it was written or read. What is older than what is known changes nothing. */
  note(stored: StoredSession): void {
    const known = this.#sessions.get(stored.session.id);
    if (!known || stored.seq > known.seq) this.replace(stored);
  }

  /** The store's word stands above what was thought here. */
  replace(stored: StoredSession): void {
    const { session } = stored;
    const { id, citizenId } = session;
    this.#sessions.set(id, stored);
    if (isOpen(session)) {
      this.#openOf.set(citizenId, id);
      return;
    }
    if (this.#openOf.get(citizenId) === id) this.#openOf.delete(citizenId);
    const operatorId = operatorOf(session);
    if (operatorId !== null && 'endedAt' in session) this.#lastEndOf.set(operatorId, session.endedAt);
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_KEPT && oldest !== undefined) this.forget(oldest);
  }

  forget(id: SessionId): void {
    const known = this.#sessions.get(id);
    if (known && this.#openOf.get(known.session.citizenId) === id)
      this.#openOf.delete(known.session.citizenId);
    this.#sessions.delete(id);
    this.timers.forget(id);
    this.#locations.delete(id);
    this.#ended.delete(id);
  }

  noteLocation(id: SessionId, location: Location): void {
    this.#locations.set(id, location);
  }

  get(id: SessionId): StoredSession | null {
    return this.#sessions.get(id) ?? null;
  }

  openOf(citizenId: CitizenId): StoredSession | null {
    const id = this.#openOf.get(citizenId);
    return id === undefined ? null : this.get(id);
  }

  location(id: SessionId): Location | null {
    return this.#locations.get(id) ?? null;
  }

  /** Open and arming sessions, oldest first. */
  open(): readonly StoredSession[] {
    return [...this.#openOf.values()]
      .flatMap((id) => this.#sessions.get(id) ?? [])
      .toSorted((a, b) => a.session.createdAt - b.session.createdAt);
  }

  /** The same, and ended ones whose legs still go down. */
  unfinished(): readonly StoredSession[] {
    const ending = [...this.#ended].flatMap((id) => this.#sessions.get(id) ?? []);
    return [...ending.filter(({ session }) => 'legs' in session && session.legs.length > 0), ...this.open()];
  }

  /** How many open sessions each operator has, or is to take over. */
  loads(): ReadonlyMap<OperatorId, number> {
    const loads = new Map<OperatorId, number>();
    for (const { session } of this.open()) {
      const successor = isLive(session) ? (session.handOver?.to.operatorId ?? null) : null;
      for (const operatorId of new Set([operatorOf(session), successor]))
        if (operatorId !== null) loads.set(operatorId, (loads.get(operatorId) ?? 0) + 1);
    }
    return loads;
  }

  /** As `SessionTx.waiting`. */
  waiting(zoneId: ZoneId | null, citizenId: CitizenId): number {
    return this.open().filter(
      ({ session }) =>
        isLive(session) &&
        session.assignment?.state !== 'assigned' &&
        session.zoneId === zoneId &&
        session.citizenId !== citizenId,
    ).length;
  }

  /** When this operator's last session ended; 0: none that is known. */
  lastEndOf(operatorId: OperatorId): Instant {
    return this.#lastEndOf.get(operatorId) ?? (0 as Instant);
  }
}

export function isOpen(session: Session): boolean {
  return session.phase === 'arming' || isLive(session);
}

export function operatorOf(session: Session): OperatorId | null {
  if ('operatorId' in session) return session.operatorId;
  if (!('assignment' in session) || session.assignment?.state !== 'assigned') return null;
  return session.assignment.operatorId;
}
