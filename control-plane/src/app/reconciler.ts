/** Makes engine and sessions agree again: all of them after an attachment, one when the store turns out to know it differently. */
import { parseBridgeId, parseLegId } from '../domain/ids.ts';
import type { BridgeId, Instant, LegId, SessionId } from '../domain/ids.ts';
import type { PbxCommand } from '../domain/session/command.ts';
import type { Leg } from '../domain/session/leg.ts';
import type { Session } from '../domain/session/session.ts';
import { standingOrders } from '../domain/session/standing-orders.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log, Metrics } from '../ports/log.ts';
import type { PbxSnapshot } from '../ports/pbx-driver.ts';
import type { Telephony } from '../ports/telephony.ts';
import type { SessionStore } from '../ports/session-store.ts';
import type { Diverged } from './outage/endurance-ports.ts';
import type { Performer } from './perform.ts';
import { differences } from './reconcile.ts';
import type { Differences } from './reconcile.ts';
import type { SessionLoop } from './session-loop.ts';
import { untilTaken } from './until-taken.ts';

const MAX_OPEN = 10_000;

export interface ReconcilerPorts {
  readonly pbx: Telephony;
  readonly store: SessionStore;
  readonly loop: SessionLoop;
  readonly performer: Performer;
  /** Sessions that the store will never have: who speaks in one speaks on, with nobody to command the call. */
  readonly setAside: () => ReadonlySet<SessionId>;
  /** Work whose failure is told, and holds nobody up. */
  readonly background: (work: Promise<unknown>, name: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failpoints?: Failpoints;
}

export class Reconciler {
  readonly #ports: ReconcilerPorts;
  #attachments = 0;

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
  }

  /** The engine is attached (again): what it had at `at` against every open session. A later attachment overtakes this. */
  async attached(snapshot: PbxSnapshot, at: Instant): Promise<void> {
    const { store, performer, log } = this.#ports;
    this.#attachments += 1;
    const attachment = this.#attachments;
    const { result } = await untilTaken(this.#ports, Number.POSITIVE_INFINITY, () =>
      store.listOpen(MAX_OPEN),
    );
    if (attachment !== this.#attachments) return;
    const sessions = result.map(({ session }) => session);
    const all = differences(snapshot, sessions, at, (legId) => performer.hasDialledSince(legId, at));
    const speaking = new Set(
      snapshot.legs.flatMap(({ legId, state }) => (state === 'answered' ? legId : [])),
    );
    const isLeft = (id: LegId | BridgeId): boolean => this.#isSetAside(id);
    const found = {
      ...all,
      strayLegs: all.strayLegs.filter((id) => !(isLeft(id) && speaking.has(id))),
      strayBridges: all.strayBridges.filter((id) => !isLeft(id)),
    };
    await this.#settle(found);
    log.info('The engine is attached.', {
      legs: snapshot.legs.length,
      strayLegs: found.strayLegs.length,
      strayBridges: found.strayBridges.length,
      missed: found.events.length,
      repeated: found.orders.length,
    });
  }

  /**
   * A replay decided this session anew. What this node dialled by what it thought, and the store's session does not
   * know, is hung up now; what the session believes in and the engine does not have is dialled or lost.
   */
  async diverged({ before, orders, ...outcome }: Diverged): Promise<void> {
    const { pbx, store, loop, performer, clock, log } = this.#ports;
    const { id } = outcome.after;
    performer.perform(id, orders.filter(isEnding));
    loop.moved({ ...outcome, before, verdict: 'ignored', events: [] });
    const at = clock.now();
    const engine = await pbx.list();
    // Read after the engine: a leg that has been dialled since then is in neither.
    const now = (await store.find(id))?.session ?? outcome.after;
    if (engine.ok) {
      const changed = legsOf(now).filter((leg) => isOtherParty(leg, before));
      const found = differences(partOf(engine.value, id), [now], at, (legId) =>
        performer.hasDialledSince(legId, at),
      );
      const strays = [...found.strayLegs, ...changed.map((leg) => leg.id)];
      const orders = found.orders.map((one) => ({ ...one, orders: one.orders.filter(isNoneOf(strays)) }));
      await this.#settle({ ...found, orders, strayLegs: strays });
      log.info('A session that went on elsewhere agrees with the engine again.', {
        sessionId: id,
        strayLegs: strays.length,
        missed: found.events.length,
      });
    } else if (pbx.attached) {
      // It did not say what it has; it can be told what it should have. Else the next attachment compares.
      performer.perform(id, standingOrders(now));
    }
    await loop.timersAgain(id);
  }

  /**
   * A session that the store will never have (its journal was set aside): what only rings for it is hung up, for nobody
   * would be there. Who speaks, speaks on: a call is not ended for the sake of a record.
   */
  async forgotten(session: Session): Promise<void> {
    const { pbx } = this.#ports;
    const engine = await pbx.list();
    if (!engine.ok) return;
    for (const { legId, state } of partOf(engine.value, session.id).legs)
      if (state !== 'answered') await pbx.hangup(legId, 'session-ended');
  }

  #isSetAside(id: LegId | BridgeId): boolean {
    const sessionId = parseLegId(id)?.sessionId ?? parseBridgeId(id)?.sessionId;
    return sessionId !== undefined && this.#ports.setAside().has(sessionId);
  }

  async #settle(found: Differences): Promise<void> {
    const { pbx, loop, performer, clock, background, failpoints } = this.#ports;
    const handled = found.events.map(async ({ sessionId, event }) => {
      failpoints?.passed('reconciling', event.type);
      const work = loop.handle(sessionId, event, clock.now());
      background(work, `reconcile ${event.type}`);
      await work;
    });
    for (const { sessionId, orders } of found.orders) {
      failpoints?.passed('reconciling', 'orders');
      performer.perform(sessionId, orders);
    }
    for (const legId of found.strayLegs) await pbx.hangup(legId, 'session-ended');
    for (const bridgeId of found.strayBridges) await pbx.closeBridge(bridgeId);
    await Promise.allSettled(handled);
  }
}

/** Dials and joins of a replay may be hours old: of those, what still stands follows from the session. */
function isEnding({ type }: PbxCommand): boolean {
  return type === 'pbx.hangup' || type === 'pbx.remove-endpoint';
}

function isNoneOf(legIds: readonly LegId[]): (order: PbxCommand) => boolean {
  return (order) => !('legId' in order) || !legIds.includes(order.legId);
}

/** One id on two nodes: this node called somebody else under it than the session believes. */
function isOtherParty(leg: Leg, before: Session | null): boolean {
  const own = before && legsOf(before).find(({ id }) => id === leg.id);
  if (!own) return false;
  return whoIs(own) !== whoIs(leg);
}

function whoIs({ party, aor }: Leg): string {
  return `${party.role === 'citizen' ? party.citizenId : party.operatorId} ${aor ?? ''}`;
}

function legsOf(session: Session): readonly Leg[] {
  return 'legs' in session ? session.legs : [];
}

function partOf({ legs, bridges }: PbxSnapshot, id: SessionId): PbxSnapshot {
  return {
    legs: legs.filter(({ legId }) => parseLegId(legId)?.sessionId === id),
    bridges: bridges.filter(({ bridgeId }) => parseBridgeId(bridgeId)?.sessionId === id),
    contacts: [],
  };
}
