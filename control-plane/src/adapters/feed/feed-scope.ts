/**
 * Which sessions a panel sees: those of its operator's zones, those of no zone for whoever is on duty anywhere, and those
 * assigned to its operator.
 */
import type { SessionView } from '../../contracts/session-view.ts';
import type { OperatorId, ZoneId } from '../../domain/ids.ts';
import { isOfZones } from '../../domain/rights/session-rights.ts';
import type { Session } from '../../domain/session/session.ts';
import type { FeedRow } from '../../ports/session-store.ts';

/** `gone`: the panel has its card, and may not see it any more. */
export type Verdict = 'show' | 'hide' | 'gone';

export class FeedScope {
  readonly #operatorId: OperatorId;
  /** `null`: everything. */
  #zones: ReadonlySet<ZoneId> | null;
  /** Of who sees everything, what is not shown: the zone of synthetic sessions. */
  readonly #except: ZoneId | null;
  readonly #shown = new Set<string>();

  constructor(operatorId: OperatorId, zones: readonly ZoneId[] | null, except: ZoneId | null = null) {
    this.#operatorId = operatorId;
    this.#zones = zones && new Set(zones);
    this.#except = except;
  }

  /** Whether these are other zones than before. */
  differs(zones: readonly ZoneId[] | null): boolean {
    if (zones === null || this.#zones === null) return zones !== this.#zones;
    return zones.length !== this.#zones.size || !zones.every((zone) => this.#zones?.has(zone));
  }

  /** The panel was sent these cards, and holds no others. */
  restart(zones: readonly ZoneId[] | null, sessions: readonly SessionView[]): void {
    this.#zones = zones && new Set(zones);
    this.#shown.clear();
    for (const session of sessions) this.#shown.add(session.id);
  }

  judge(row: FeedRow): Verdict {
    if (this.#sees(row.zoneId, row.session)) {
      if (hasEnded(row.session)) this.#shown.delete(row.sessionId);
      else this.#shown.add(row.sessionId);
      return 'show';
    }
    return this.#shown.delete(row.sessionId) ? 'gone' : 'hide';
  }

  #sees(zoneId: ZoneId | null, session: Session): boolean {
    if (this.#zones === null) return zoneId === null || zoneId !== this.#except;
    if (isOfZones(zoneId, [...this.#zones])) return true;
    return assignedTo(session) === this.#operatorId;
  }
}

function hasEnded(session: Session): boolean {
  return session.phase === 'resolved' || session.phase === 'released';
}

function assignedTo(session: Session): OperatorId | null {
  if ('operatorId' in session) return session.operatorId;
  if ('assignment' in session && session.assignment?.state === 'assigned')
    return session.assignment.operatorId;
  return null;
}
