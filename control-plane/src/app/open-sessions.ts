/** What this node knows of its open sessions without asking the database: to route contacts, presence and clean-up. */
import type { AddressOfRecord, CitizenId, OperatorId, SessionId, ZoneId } from '../domain/ids.ts';
import { isLive } from '../domain/session/session.ts';
import type { Live, Session } from '../domain/session/session.ts';

export class OpenSessions {
  readonly #sessions = new Map<SessionId, Session>();
  readonly #byAor = new Map<AddressOfRecord, SessionId>();
  readonly #byCitizen = new Map<CitizenId, SessionId>();

  /** Returns what was known of it before. */
  note(session: Session): Session | null {
    const before = this.#sessions.get(session.id) ?? null;
    for (const aor of before ? devicesOf(before) : [])
      if (this.#byAor.get(aor) === session.id) this.#byAor.delete(aor);
    if (session.phase === 'arming' || isLive(session)) {
      this.#sessions.set(session.id, session);
      this.#byCitizen.set(session.citizenId, session.id);
      for (const aor of devicesOf(session)) this.#byAor.set(aor, session.id);
    } else {
      this.#sessions.delete(session.id);
      if (this.#byCitizen.get(session.citizenId) === session.id) this.#byCitizen.delete(session.citizenId);
    }
    return before;
  }

  /** It is no session any more, and never ended. */
  forget(id: SessionId): void {
    this.#sessions.delete(id);
    for (const [aor, owner] of this.#byAor) if (owner === id) this.#byAor.delete(aor);
    for (const [citizenId, own] of this.#byCitizen) if (own === id) this.#byCitizen.delete(citizenId);
  }

  /** Hers: the warm-up or the SOS that is open. The database has the last word. */
  ofCitizen(citizenId: CitizenId): Session | null {
    const id = this.#byCitizen.get(citizenId);
    return id === undefined ? null : (this.#sessions.get(id) ?? null);
  }

  /** The open session in which this device takes part. */
  ofDevice(aor: AddressOfRecord): SessionId | null {
    return this.#byAor.get(aor) ?? null;
  }

  /** Whether the open session of this device takes its contact for present. */
  knowsContact(aor: AddressOfRecord): boolean {
    const id = this.#byAor.get(aor);
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session === undefined || !isLive(session)) return false;
    return session.devices.some((device) => device.aor === aor && device.online);
  }

  /** Live sessions that nobody has taken, by zone, oldest first. */
  queued(): ReadonlyMap<ZoneId | null, readonly SessionId[]> {
    const waiting = [...this.#sessions.values()]
      .filter(isLive)
      .filter((session) => session.assignment?.state !== 'assigned')
      .toSorted((a, b) => a.activatedAt - b.activatedAt);
    const byZone = new Map<ZoneId | null, SessionId[]>();
    for (const { id, zoneId } of waiting) byZone.set(zoneId, [...(byZone.get(zoneId) ?? []), id]);
    return byZone;
  }

  /** Sessions whose panel is gone, and whose operator may come back. */
  waitingFor(operatorId: OperatorId): readonly SessionId[] {
    return [...this.#sessions.values()]
      .filter(isLive)
      .filter((session) => session.reoffer?.operatorId === operatorId)
      .map((session) => session.id);
  }

  *live(): Iterable<Live> {
    for (const session of this.#sessions.values()) if (isLive(session)) yield session;
  }

  get hasLive(): boolean {
    return this.live()[Symbol.iterator]().next().done === false;
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

function devicesOf(session: Session): readonly AddressOfRecord[] {
  return isLive(session) ? session.devices.map((device) => device.aor) : [session.aor];
}
