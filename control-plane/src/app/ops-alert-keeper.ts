/**
 * Keeps alerts beyond this process, as well as the database lets it: nobody waits for it, and what it did not take is
 * offered again, in its newest state.
 */
import type { Instant } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { OpsAlertRecord, OpsAlertStore } from '../ports/ops-alerts.ts';
import { within } from './outage/within.ts';

const DEADLINE_MS = 3000;
const RETRY_S = [1, 2, 5, 10, 30] as const;
const LAST_RETRY_S = 60;
const MAX_BATCH = 100;
const MAX_LOADED = 2000;

export interface KeeperPorts {
  readonly store: OpsAlertStore;
  readonly clock: Clock;
  readonly log: Log;
}

export class OpsAlertKeeper {
  readonly #ports: KeeperPorts;
  /** By id: one entry for each alert, so that it is bounded as they are. */
  readonly #unsaved = new Map<string, OpsAlertRecord>();
  #saving: Promise<void> | null = null;
  #failures = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  /** What an earlier process left; `null`: it could not be read in time. */
  async load(): Promise<readonly OpsAlertRecord[] | null> {
    const { store, clock, log } = this.#ports;
    try {
      const loaded = await within<readonly OpsAlertRecord[], null>(
        clock,
        DEADLINE_MS,
        store.load(MAX_LOADED),
        null,
      );
      if (loaded !== null) return loaded;
      log.warn('The alerts of before could not be read in time.');
    } catch (error) {
      log.warn('The alerts of before could not be read.', { error: String(error) });
    }
    return null;
  }

  keep(record: OpsAlertRecord): void {
    this.#unsaved.set(record.id, record);
    if (this.#failures === 0) this.#save();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#saving;
  }

  #save(): void {
    if (this.#saving !== null || this.#stopped) return;
    const batch = [...this.#unsaved.values()].slice(0, MAX_BATCH);
    this.#saving = this.#attempt(batch).then((isSaved) => {
      this.#saving = null;
      this.#ended(batch, isSaved);
    });
  }

  async #attempt(batch: readonly OpsAlertRecord[]): Promise<boolean> {
    const { store, clock, log } = this.#ports;
    try {
      const saved = store.save(batch).then(() => true);
      return await within(clock, DEADLINE_MS, saved, false);
    } catch (error) {
      log.debug('Alerts could not be written down; it is tried again.', { error: String(error) });
      return false;
    }
  }

  #ended(batch: readonly OpsAlertRecord[], isSaved: boolean): void {
    const { clock } = this.#ports;
    this.#failures = isSaved ? 0 : this.#failures + 1;
    if (isSaved)
      for (const record of batch)
        if (this.#unsaved.get(record.id) === record) this.#unsaved.delete(record.id);
    if (this.#unsaved.size === 0 || this.#stopped) return;
    if (isSaved) {
      this.#save();
      return;
    }
    const waitMs = (RETRY_S[this.#failures - 1] ?? LAST_RETRY_S) * 1000;
    this.#cancel = clock.at((clock.now() + waitMs) as Instant, () => this.#save());
  }
}
