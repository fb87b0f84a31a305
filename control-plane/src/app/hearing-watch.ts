/**
 * Whether the panels that hear a citizen still say so. A panel reports each second; a laptop that died reports nothing
 * and its leg stays up, so silence is the only sign that nobody listens any more.
 */
import type { Instant, LegId, SessionId } from '../domain/ids.ts';
import { parseLegId } from '../domain/ids.ts';
import { isLive } from '../domain/session/session.ts';
import type { Session } from '../domain/session/session.ts';
import type { Clock } from '../ports/clock.ts';

const LOOK_EVERY_MS = 500;

interface Hearing {
  readonly legId: LegId;
  readonly silentMs: number;
  lastAt: Instant;
}

export class HearingWatch {
  readonly #clock: Clock;
  readonly #onSilent: (sessionId: SessionId, legId: LegId) => void;
  readonly #hearing = new Map<SessionId, Hearing>();
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, onSilent: (sessionId: SessionId, legId: LegId) => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
  }

  start(): void {
    const look = (): void => {
      this.#look();
      this.#cancel = this.#clock.at((this.#clock.now() + LOOK_EVERY_MS) as Instant, look);
    };
    look();
  }

  stop(): void {
    this.#cancel();
  }

  /** A session as it stands: who hears it, if a panel does. */
  note(session: Session): void {
    const legId = isLive(session) ? session.stream.heardBy : null;
    const isPanel = legId !== null && parseLegId(legId)?.kind === 'operator-app';
    // While its operator is waited for, its next word is news again.
    if (!isLive(session) || !isPanel || session.reoffer) {
      this.#hearing.delete(session.id);
      return;
    }
    if (this.#hearing.get(session.id)?.legId === legId) return;
    this.#hearing.set(session.id, {
      legId,
      silentMs: session.policy.operatorReofferMs / 2,
      lastAt: this.#clock.now(),
    });
  }

  /** A panel's report. `true`: the session knows already that this leg is heard. */
  reported(sessionId: SessionId, legId: LegId): boolean {
    const hearing = this.#hearing.get(sessionId);
    if (hearing?.legId !== legId) return false;
    hearing.lastAt = this.#clock.now();
    return true;
  }

  #look(): void {
    const now = this.#clock.now();
    for (const [sessionId, { legId, silentMs, lastAt }] of this.#hearing) {
      if (now - lastAt < silentMs) continue;
      this.#hearing.delete(sessionId);
      this.#onSilent(sessionId, legId);
    }
  }
}
