/** Presence that is kept in memory first. What the store did not take is told again when it is back. */
import type { AddressOfRecord, Instant, OperatorId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { PresenceStore } from '../../ports/session-store.ts';
import type { DutyBook } from './duty-book.ts';
import { meansAway } from './store-watch.ts';
import type { StoreWatch } from './store-watch.ts';

/** Contacts come in crowds, and wait for each other; no SOS waits for them. */
const ANSWER_MS = 2000;
/** What a store that is there did not take (it was busy, a row was locked). */
const AGAIN_MS = 1000;

export interface EnduringPresencePorts {
  readonly store: PresenceStore;
  readonly duty: DutyBook;
  readonly watch: StoreWatch;
  readonly clock: Clock;
  readonly log: Log;
}

export class EnduringPresence implements PresenceStore {
  readonly #ports: EnduringPresencePorts;
  /** By address and kind: the newest word alone counts. */
  readonly #owed = new Map<string, () => Promise<void>>();
  /** Of what is owed, that whose row was locked: its return does not wait for it. */
  readonly #locked = new Set<string>();
  #cancel: (() => void) | null = null;

  constructor(ports: EnduringPresencePorts) {
    this.#ports = ports;
  }

  async setFeedPresence(
    operatorId: OperatorId,
    aor: AddressOfRecord,
    onShift: boolean,
    at: Instant,
  ): Promise<void> {
    const { store, duty } = this.#ports;
    duty.noteShift(aor, { operatorId, onShift, since: at });
    await this.#told(`shift ${aor}`, () => store.setFeedPresence(operatorId, aor, onShift, at));
  }

  async setContact(aor: AddressOfRecord, online: boolean, at: Instant): Promise<void> {
    const { store, duty } = this.#ports;
    duty.noteContact(aor, online);
    await this.#told(`contact ${aor}`, () => store.setContact(aor, online, at));
  }

  contactOnline(aor: AddressOfRecord): Promise<boolean> {
    const { store, watch } = this.#ports;
    return watch.attempt(() => store.contactOnline(aor), ANSWER_MS);
  }

  clear(): Promise<void> {
    const { store, duty } = this.#ports;
    duty.forgetPresence();
    return store.clear();
  }

  /**
   * Tells the store what it missed. Throws when it is away, or another node's; what was not told stays owed. A single
   * word that it does not take (a locked row, an operator who was deleted) holds back none of the others for long.
   */
  async makeUp(): Promise<void> {
    await this.#tell([...this.#owed].filter(([key]) => !this.#locked.has(key)));
  }

  stop(): void {
    this.#cancel?.();
  }

  async #tell(words: readonly (readonly [string, () => Promise<void>])[]): Promise<void> {
    for (const [key, tell] of words) {
      try {
        await tell();
      } catch (error) {
        if (error instanceof StoreError && error.code !== 'ERR_STORE_CONFLICT') throw error;
        if (error instanceof StoreError) {
          this.#locked.add(key);
          this.#againLater();
          continue;
        }
        this.#ports.log.error('The database refuses what is known of a presence; it is dropped.', {
          kind: key.split(' ', 1)[0],
          error: String(error),
        });
      }
      this.#settled(key, tell);
    }
  }

  async #told(key: string, tell: () => Promise<void>): Promise<void> {
    const { watch } = this.#ports;
    // Owed until told: another word about the same address may come meanwhile.
    this.#owed.set(key, tell);
    if (watch.isAway) return;
    try {
      await watch.attempt(tell, ANSWER_MS);
    } catch (error) {
      if (error instanceof StoreError) {
        this.#againLater();
        return;
      }
      this.#settled(key, tell);
      throw error;
    }
    this.#settled(key, tell);
  }

  #settled(key: string, tell: () => Promise<void>): void {
    this.#locked.delete(key);
    if (this.#owed.get(key) === tell) this.#owed.delete(key);
  }

  /** Each second until nothing is owed; of a store that is away, the return makes up for most of it. */
  #againLater(): void {
    if (this.#cancel) return;
    const { clock, watch, log } = this.#ports;
    this.#cancel = clock.at((clock.now() + AGAIN_MS) as Instant, () => {
      this.#cancel = null;
      if (watch.isAway) {
        this.#againLater();
        return;
      }
      this.#tell([...this.#owed]).catch((error: unknown) => {
        if (meansAway(error)) this.#againLater();
        else log.warn('What is known of presences could not be told.', { error: String(error) });
      });
    });
  }
}
