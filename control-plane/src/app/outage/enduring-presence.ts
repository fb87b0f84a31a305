/** Presence that is kept in memory first. What the store did not take is told again when it is back. */
import type { AddressOfRecord, Instant, OperatorId } from '../../domain/ids.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { PresenceStore } from '../../ports/session-store.ts';
import type { DutyBook } from './duty-book.ts';
import type { StoreWatch } from './store-watch.ts';

/** Contacts come in crowds, and wait for each other; no SOS waits for them. */
const ANSWER_MS = 2000;

export class EnduringPresence implements PresenceStore {
  readonly #store: PresenceStore;
  readonly #duty: DutyBook;
  readonly #watch: StoreWatch;
  /** By address and kind: the newest word alone counts. */
  readonly #owed = new Map<string, () => Promise<void>>();

  constructor(store: PresenceStore, duty: DutyBook, watch: StoreWatch) {
    this.#store = store;
    this.#duty = duty;
    this.#watch = watch;
  }

  async setFeedPresence(
    operatorId: OperatorId,
    aor: AddressOfRecord,
    onShift: boolean,
    at: Instant,
  ): Promise<void> {
    this.#duty.noteShift(aor, { operatorId, onShift, since: at });
    await this.#told(`shift ${aor}`, () => this.#store.setFeedPresence(operatorId, aor, onShift, at));
  }

  async setContact(aor: AddressOfRecord, online: boolean, at: Instant): Promise<void> {
    this.#duty.noteContact(aor, online);
    await this.#told(`contact ${aor}`, () => this.#store.setContact(aor, online, at));
  }

  contactOnline(aor: AddressOfRecord): Promise<boolean> {
    return this.#watch.attempt(() => this.#store.contactOnline(aor), ANSWER_MS);
  }

  clear(): Promise<void> {
    this.#duty.forgetPresence();
    return this.#store.clear();
  }

  /** Tells the store what it missed. Throws as the store does; what was not told stays owed. */
  async makeUp(): Promise<void> {
    for (const [key, tell] of this.#owed) {
      await tell();
      if (this.#owed.get(key) === tell) this.#owed.delete(key);
    }
  }

  async #told(key: string, tell: () => Promise<void>): Promise<void> {
    // Owed until told: another word about the same address may come meanwhile.
    this.#owed.set(key, tell);
    if (this.#watch.isAway) return;
    try {
      await this.#watch.attempt(tell, ANSWER_MS);
      if (this.#owed.get(key) === tell) this.#owed.delete(key);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}
