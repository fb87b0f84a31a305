/** What this node knows of its open sessions without asking the database: to route contacts, presence and clean-up. */
import type { AddressOfRecord, SessionId } from '../domain/ids.ts';
import { isLive } from '../domain/session/session.ts';
import type { Session } from '../domain/session/session.ts';

export class OpenSessions {
  readonly #sessions = new Map<SessionId, Session>();
  readonly #byAor = new Map<AddressOfRecord, SessionId>();

  /** Returns what was known of it before. */
  note(session: Session): Session | null {
    const before = this.#sessions.get(session.id) ?? null;
    if (before && before.aor !== session.aor && this.#byAor.get(before.aor) === session.id)
      this.#byAor.delete(before.aor);
    if (session.phase === 'arming' || isLive(session)) {
      this.#sessions.set(session.id, session);
      this.#byAor.set(session.aor, session.id);
    } else {
      this.#sessions.delete(session.id);
      if (this.#byAor.get(session.aor) === session.id) this.#byAor.delete(session.aor);
    }
    return before;
  }

  /** The open session of this device. */
  ofDevice(aor: AddressOfRecord): SessionId | null {
    return this.#byAor.get(aor) ?? null;
  }

  /** Whether the open session of this device takes its contact for present. */
  knowsContact(aor: AddressOfRecord): boolean {
    const id = this.#byAor.get(aor);
    const session = id === undefined ? undefined : this.#sessions.get(id);
    return session !== undefined && isLive(session) && session.stream.contactOnline;
  }

  /** Live sessions that nobody has taken, oldest first. */
  queued(): readonly SessionId[] {
    return [...this.#sessions.values()]
      .filter(isLive)
      .filter((session) => session.assignment?.state !== 'assigned')
      .toSorted((a, b) => a.activatedAt - b.activatedAt)
      .map((session) => session.id);
  }

  /** Whether her app's leg is up: packets may flow. */
  hasAnsweredCitizen(id: SessionId): boolean {
    const session = this.#sessions.get(id);
    if (!session || !isLive(session)) return false;
    return session.legs.some((leg) => leg.kind === 'citizen-app' && leg.state === 'answered');
  }

  get size(): number {
    return this.#sessions.size;
  }
}
