/** Tickets that are issued while the store is away are kept in memory: a browser comes in all the same, at this node. */
import type { Instant } from '../../domain/ids.ts';
import type { Clock, IdSource } from '../../ports/clock.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { TicketGrant, TicketStore } from '../../ports/tickets.ts';
import type { StoreWatch } from './store-watch.ts';

const ANSWER_MS = 1000;
const MAX_TICKETS = 20_000;

export class EnduringTickets implements TicketStore {
  readonly #store: TicketStore;
  readonly #watch: StoreWatch;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  /** Oldest first. */
  readonly #kept = new Map<string, { readonly grant: TicketGrant; readonly expiresAt: Instant }>();

  constructor(store: TicketStore, watch: StoreWatch, clock: Clock, ids: IdSource) {
    this.#store = store;
    this.#watch = watch;
    this.#clock = clock;
    this.#ids = ids;
  }

  async issue(grant: TicketGrant, expiresAt: Instant): Promise<string> {
    try {
      return await this.#watch.attempt(() => this.#store.issue(grant, expiresAt), ANSWER_MS);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return this.#keep(grant, expiresAt);
    }
  }

  async redeem(ticket: string, purpose: 'sip' | 'feed', now: Instant): Promise<TicketGrant | null> {
    const kept = this.#kept.get(ticket);
    if (!kept) return this.#watch.attempt(() => this.#store.redeem(ticket, purpose, now), ANSWER_MS);
    if (kept.grant.purpose !== purpose || kept.expiresAt <= now) return null;
    this.#kept.delete(ticket);
    return kept.grant;
  }

  #keep(grant: TicketGrant, expiresAt: Instant): string {
    const now = this.#clock.now();
    for (const [ticket, kept] of this.#kept)
      if (kept.expiresAt <= now || this.#kept.size >= MAX_TICKETS) this.#kept.delete(ticket);
      else break;
    const ticket = `${this.#ids.sessionId()}-${this.#ids.sessionId()}`;
    this.#kept.set(ticket, { grant, expiresAt });
    return ticket;
  }
}
