/**
 * Whether those who listen in may still: a supervisor who has left the roster, whose time is over, or who is not active
 * any more hears nothing further. Looked at every few seconds while anybody listens, and when a roster changes.
 */
import type { Instant, OperatorId } from '../domain/ids.ts';
import { judgeDeed } from '../domain/rights/session-rights.ts';
import type { Live } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { FeedSource } from '../ports/gateway.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { Presence } from './presence.ts';
import type { SessionLoop } from './session-loop.ts';

/** Out of force within 5 s, the reading of the roster and the hang-up included. */
const LOOK_EVERY_MS = 3000;

export interface ListenerWatchPorts {
  readonly open: Pick<OpenSessions, 'live'>;
  readonly feedSource: Pick<FeedSource, 'zonesOf'>;
  readonly loop: Pick<SessionLoop, 'handle'>;
  readonly presence: Pick<Presence, 'background'>;
  readonly clock: Clock;
}

export class ListenerWatch {
  readonly #ports: ListenerWatchPorts;
  #cancel: () => void = () => undefined;
  #looking: Promise<void> | null = null;

  constructor(ports: ListenerWatchPorts) {
    this.#ports = ports;
  }

  start(): void {
    const { clock } = this.#ports;
    this.#cancel = clock.at((clock.now() + LOOK_EVERY_MS) as Instant, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** A look that still reads may have read too early: the next one follows it. */
  look(): void {
    const before = this.#looking ?? Promise.resolve();
    const work = before.then(() => this.#look());
    const settled = work.catch(() => undefined);
    this.#looking = settled;
    this.#ports.presence.background(work, 'listeners');
  }

  async #look(): Promise<void> {
    for (const [operatorId, sessions] of this.#listeners()) {
      // While the roster cannot be read, the last one that is known serves; where none is, nobody is cut off.
      const zones = await this.#ports.feedSource.zonesOf(operatorId, 'supervisor');
      const asker = { role: 'supervisor', subject: operatorId, zones } as const;
      for (const session of sessions)
        if (judgeDeed('listen', asker, session) !== 'yes') this.#end(session, operatorId);
    }
  }

  #listeners(): ReadonlyMap<OperatorId, readonly Live[]> {
    const found = new Map<OperatorId, Live[]>();
    for (const session of this.#ports.open.live())
      for (const { kind, party, ending } of session.legs) {
        if (kind !== 'supervisor-app' || party.role !== 'supervisor' || ending) continue;
        found.set(party.operatorId, [...(found.get(party.operatorId) ?? []), session]);
      }
    return found;
  }

  #end({ id }: Live, operatorId: OperatorId): void {
    const event = { type: 'api.listen-ended', operatorId, by: 'roster' } as const;
    this.#ports.presence.background(this.#ports.loop.handle(id, event, this.#ports.clock.now()), event.type);
  }
}
