/** The panel's cards: one per session, always the newest state that was heard of it. */
import type { FeedEvent, FeedMessage } from '../src/contracts/panel-feed.ts';
import type { SessionView } from './gateway-api.ts';
import { isOver } from './session-watch.ts';

/** Closed sessions stay in sight for a while: the latest few. */
const CLOSED_KEPT = 10;

export class CardList {
  private readonly cards = new Map<string, SessionView>();

  /** Open sessions first, the newest on top. */
  all(): SessionView[] {
    return [...this.cards.values()].sort(
      (one, other) =>
        Number(isOver(one.phase)) - Number(isOver(other.phase)) ||
        (other.activatedAt ?? '').localeCompare(one.activatedAt ?? ''),
    );
  }

  get(sessionId: string): SessionView | undefined {
    return this.cards.get(sessionId);
  }

  /** Takes a snapshot or an event. Late, doubled and reordered ones do no harm. True when a card changed. */
  take(message: FeedMessage): boolean {
    if (message.type === 'snapshot' && 'sessions' in message.data) return this.replace(message.data.sessions);
    if (message.type === 'session.gone') return this.cards.delete(message.sessionId);
    if (!isFeedEvent(message)) return false;
    const { session } = message.data;
    const known = this.cards.get(session.id);
    if (known !== undefined && known.sessionSeq >= session.sessionSeq) return false;
    this.cards.set(session.id, session);
    this.forgetOldest();
    return true;
  }

  private replace(sessions: readonly SessionView[]): boolean {
    const named = new Set(sessions.map((session) => session.id));
    for (const [id, card] of this.cards) if (!named.has(id) && !isOver(card.phase)) this.cards.delete(id);
    for (const session of sessions) this.cards.set(session.id, session);
    return true;
  }

  private forgetOldest(): void {
    const closed = this.all().filter((card) => isOver(card.phase));
    for (const card of closed.slice(CLOSED_KEPT)) this.cards.delete(card.id);
  }
}

/** Whether a message is a change of a session. */
export function isFeedEvent(message: FeedMessage): message is FeedEvent {
  return 'sessionId' in message && 'sessionSeq' in message;
}
