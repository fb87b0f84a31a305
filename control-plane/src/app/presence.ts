/** Who can be reached: SIP contacts, panels on shift, endpoints; and which sessions that concerns. */
import { parseAor } from '../domain/ids.ts';
import type { AddressOfRecord, OperatorId, SessionId, ZoneId } from '../domain/ids.ts';
import { KeyedRate } from '../domain/rate/keyed-rate.ts';
import type { Live } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClientSockets } from '../ports/client-sockets.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { PbxResult } from '../ports/pbx-driver.ts';
import type { Telephony } from '../ports/telephony.ts';
import type { PresenceStore } from '../ports/session-store.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { OpenSessions } from './open-sessions.ts';
import { within } from './outage/within.ts';
import type { SessionLoop } from './session-loop.ts';

/** A device that left may come back for this long before its endpoint goes. */
const ENDPOINT_LINGER_MS = 5000;
/** So long one that waits may hold up those behind her in the queue. */
const ROUND_STEP_MS = 1000;
/** From the core's word that a device may come in until the edge tells that it did: far more than the edge takes. */
const EXPECTED_MS = 15_000;
/**
 * How often the sessions are told that a contact comes and goes. Each time is an event of theirs, and perhaps a call:
 * whoever has a token must not be able to write a session full, nor to use up its calls, by registering all the time.
 * Who can be reached is always known as it is: an activation must find the operator who registered a moment ago.
 */
const CHANGES = { perSecond: 1 / 3, burst: 10 };
const SETTLING_MS = 3000;
/** Close code of a client's socket whose session has ended. */
export const CLOSE_SESSION_ENDED = 4000;

export interface PresencePorts {
  readonly loop: SessionLoop;
  readonly open: OpenSessions;
  readonly store: PresenceStore;
  readonly pbx: Telephony;
  readonly sockets: ClientSockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Presence {
  readonly #ports: PresencePorts;
  /** Registered at the engine. */
  readonly #registered = new Set<AddressOfRecord>();
  /** Registered, but their sockets are gone for the moment. */
  readonly #lost = new Set<AddressOfRecord>();
  /** Registered and there. */
  readonly #contacts = new Set<AddressOfRecord>();
  /** At the edge now, or away from it for so short that their lane is kept. */
  readonly #here = new Set<AddressOfRecord>();
  readonly #lingering = new Map<AddressOfRecord, () => void>();
  readonly #changes = new KeyedRate(CHANGES);
  /** Those that come and go too fast: what they are in the end is told in a moment. */
  readonly #unsettled = new Map<AddressOfRecord, () => void>();
  readonly #writes = new KeyedQueue<AddressOfRecord>();
  /** Contacts of which the store is to be told, and whose turn has not come. */
  readonly #unwritten = new Set<AddressOfRecord>();
  readonly #rounds = new KeyedQueue<ZoneId | null>();
  /** Zones whose next round has not begun: it will see everything that is so by then. */
  readonly #dueRounds = new Set<ZoneId | null>();
  #offers = 0;

  constructor(ports: PresencePorts) {
    this.#ports = ports;
  }

  /** Addresses of record with a live contact, as the engine says. */
  get contacts(): ReadonlySet<AddressOfRecord> {
    return this.#contacts;
  }

  /** Whether a device is at the edge, or will be back in a moment. */
  isHere(aor: AddressOfRecord): boolean {
    return this.#here.has(aor);
  }

  /** It may come in: its endpoint exists when this resolves. If nothing more is heard of it, the endpoint goes again. */
  async expected(aor: AddressOfRecord): Promise<PbxResult> {
    if (!this.#here.has(aor)) this.#goesAfter(aor, EXPECTED_MS);
    return this.#ports.pbx.provisionEndpoint(aor);
  }

  /** Its endpoint exists when this resolves. */
  async admitted(aor: AddressOfRecord): Promise<PbxResult> {
    this.#keep(aor);
    this.#here.add(aor);
    if (this.#lost.delete(aor) && this.#registered.has(aor)) this.#effective(aor, true);
    return this.#ports.pbx.provisionEndpoint(aor);
  }

  /** Its socket went; the engine's side of it is kept for a while, and its contact with it. Nobody is there. */
  lost(aor: AddressOfRecord): void {
    this.#lost.add(aor);
    if (this.#registered.has(aor)) this.#effective(aor, false);
  }

  /** The device is gone: its endpoint follows after a while, unless it returns or a session needs it. */
  left(aor: AddressOfRecord): void {
    this.#here.delete(aor);
    this.#lost.delete(aor);
    this.#goesAfter(aor, ENDPOINT_LINGER_MS);
  }

  #goesAfter(aor: AddressOfRecord, ms: number): void {
    this.#keep(aor);
    const { clock, open } = this.#ports;
    const at = (clock.now() + ms) as ReturnType<Clock['now']>;
    const cancel = clock.at(at, () => {
      this.#lingering.delete(aor);
      if (open.ofDevice(aor) === null) this.background(this.#remove(aor), 'remove-endpoint');
    });
    this.#lingering.set(aor, cancel);
  }

  /** A session has ended and its legs are gone. A newer session of the same device keeps the endpoint. */
  async sessionOver(aor: AddressOfRecord): Promise<PbxResult> {
    if (this.#ports.open.ofDevice(aor) !== null) return { ok: true, value: undefined };
    return this.#remove(aor);
  }

  /** The engine's word: a registration stands, or not. */
  contactChanged(aor: AddressOfRecord, online: boolean, isNews = true): void {
    if (online) this.#registered.add(aor);
    else this.#registered.delete(aor);
    this.#effective(aor, online && !this.#lost.has(aor), isNews);
  }

  #effective(aor: AddressOfRecord, online: boolean, isNews = true): void {
    this.#contacts.delete(aor);
    if (online) this.#contacts.add(aor);
    this.#write(aor);
    const { clock } = this.#ports;
    if (this.#unsettled.has(aor)) return;
    if (this.#changes.take(aor, clock.now())) {
      this.#tell(aor, online, isNews);
      return;
    }
    const at = (clock.now() + SETTLING_MS) as ReturnType<Clock['now']>;
    const cancel = clock.at(at, () => {
      this.#unsettled.delete(aor);
      this.#changes.take(aor, clock.now());
      this.#tell(aor, this.#contacts.has(aor), true);
    });
    this.#unsettled.set(aor, cancel);
  }

  /** As it is when its turn comes: however often it changes meanwhile, one word follows the one that is under way. */
  #write(aor: AddressOfRecord): void {
    if (this.#unwritten.has(aor)) return;
    const { clock, store } = this.#ports;
    this.#unwritten.add(aor);
    const written = this.#writes.run(aor, async () => {
      this.#unwritten.delete(aor);
      await store.setContact(aor, this.#contacts.has(aor), clock.now());
    });
    this.background(written, 'set-contact');
  }

  /** Those who wait are asked once the store knows of him. */
  #tell(aor: AddressOfRecord, online: boolean, isNews: boolean): void {
    const { clock, loop, open } = this.#ports;
    const at = clock.now();
    const owner = parseAor(aor);
    const own = open.ofDevice(aor);
    const waiting = online && owner?.role === 'operator' ? open.waitingFor(owner.operatorId) : [];
    const type = online ? 'contact.online' : 'contact.offline';
    for (const sessionId of own && isNews ? [own] : waiting)
      this.background(loop.handle(sessionId, { type, aor }, at), type);
    if (online && owner?.role === 'operator')
      this.background(
        this.#writes.run(aor, () => {
          this.#offerQueued();
          return Promise.resolve();
        }),
        'roster.changed',
      );
  }

  /** What the engine has after a (re)connection, all at once. A session that has offered to a contact is not told again. */
  contactsAre(aors: readonly AddressOfRecord[]): void {
    const now = new Set(aors);
    for (const aor of [...this.#registered]) if (!now.has(aor)) this.contactChanged(aor, false);
    for (const aor of now)
      if (!this.#registered.has(aor)) this.contactChanged(aor, true, !this.#ports.open.knowsContact(aor));
  }

  async shift(operatorId: OperatorId, aor: AddressOfRecord, onShift: boolean): Promise<void> {
    await this.#writes.run(aor, () =>
      this.#ports.store.setFeedPresence(operatorId, aor, onShift, this.#ports.clock.now()),
    );
    if (onShift) this.#offerQueued();
  }

  /** This person's clients that a call reaches now; the newest last. */
  panelsOf(operatorId: OperatorId): readonly AddressOfRecord[] {
    return [...this.#contacts].filter((aor) => {
      const owner = parseAor(aor);
      return owner?.role === 'operator' && owner.operatorId === operatorId;
    });
  }

  /** Somebody came free, or the roster was changed: the oldest queued session of each zone is asked first. */
  capacityFreed(): void {
    this.#offerQueued();
  }

  /** Grows whenever somebody came free or on line. */
  get offers(): number {
    return this.#offers;
  }

  /**
   * An activation was written. Her contact that came or went, or an operator that came, while it was being written found
   * no session yet; `offersBefore` is what `offers` was when it began. One who gave way to others that wait is asked for in her turn.
   */
  begun(session: Live, offersBefore: number, isNew: boolean): void {
    const { clock, loop } = this.#ports;
    const { id, zoneId, devices, assignment } = session;
    // Wherever she came from, through whatever dead spots: of this session nothing has been told yet.
    if (isNew) for (const { aor } of devices) this.#countAnew(aor);
    for (const { aor, online } of devices) {
      const isHere = this.#contacts.has(aor);
      // Of a press that folds, the engine may not have said yet who is registered: nobody is gone for that.
      if (online === isHere || (!isHere && !isNew)) continue;
      const type = isHere ? 'contact.online' : 'contact.offline';
      this.background(loop.handle(id, { type, aor }, clock.now()), type);
    }
    if (assignment?.state === 'assigned') return;
    const waiting = this.#ports.open.queued().get(zoneId)?.length ?? 0;
    if (waiting > 1 || this.#offers !== offersBefore) this.#offerZone(zoneId);
  }

  /** Work that nobody waits for: its failure is logged and counted. */
  background(work: Promise<unknown>, name: string): void {
    work.catch((error: unknown) => {
      this.#ports.metrics.count('hamrahi_core_background_failures_total', { work: name });
      this.#ports.log.error('An event could not be handled.', { work: name, error: String(error) });
    });
  }

  stop(): void {
    for (const cancel of [...this.#lingering.values(), ...this.#unsettled.values()]) cancel();
    this.#lingering.clear();
    this.#unsettled.clear();
  }

  #offerQueued(): void {
    this.#offers += 1;
    for (const zoneId of this.#ports.open.queued().keys()) this.#offerZone(zoneId);
  }

  #offerZone(zoneId: ZoneId | null): void {
    if (this.#dueRounds.has(zoneId)) return;
    this.#dueRounds.add(zoneId);
    this.background(
      this.#rounds.run(zoneId, () => this.#offerRound(zoneId)),
      'roster.changed',
    );
  }

  /**
   * One after the other, so that who has waited longest is asked first; with nobody free for one there is none for the
   * next. One whose row cannot be had just now holds the others up for a moment only.
   */
  async #offerRound(zoneId: ZoneId | null): Promise<void> {
    this.#dueRounds.delete(zoneId);
    const { clock, loop, open } = this.#ports;
    const waiting: readonly SessionId[] = open.queued().get(zoneId) ?? [];
    for (const sessionId of waiting) {
      const asked = loop.handle(sessionId, { type: 'roster.changed' }, clock.now());
      this.background(asked, 'roster.changed');
      const outcome = await within(
        clock,
        ROUND_STEP_MS,
        asked.catch(() => null),
        null,
      );
      if (outcome && 'assignment' in outcome.after && outcome.after.assignment?.state === 'queued') return;
    }
  }

  #countAnew(aor: AddressOfRecord): void {
    this.#changes.forget(aor);
    this.#unsettled.get(aor)?.();
    this.#unsettled.delete(aor);
  }

  #keep(aor: AddressOfRecord): void {
    this.#lingering.get(aor)?.();
    this.#lingering.delete(aor);
  }

  async #remove(aor: AddressOfRecord): Promise<PbxResult> {
    this.#keep(aor);
    const result = await this.#ports.pbx.removeEndpoint(aor);
    this.#ports.sockets.close(aor, CLOSE_SESSION_ENDED, 'session-ended');
    if (this.#contacts.has(aor)) this.contactChanged(aor, false);
    return result;
  }
}
