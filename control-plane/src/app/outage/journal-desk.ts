/**
 * What the store does not have yet: in memory in the order in which it was decided, and in the journal on this node's
 * disk. A disk that is full, slow or broken stops nothing; it is said, and what was decided then lives as long as this process.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Journal, JournalEntry, JournalResult } from '../../ports/journal.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { within } from './within.ts';

/** A disk that syncs slower than this is not waited for. */
const SYNC_MS = 250;
/** At a start, for the whole of it. A node that waits for its disk for ever would hold the lease, and nobody would act. */
const READ_MS = 30_000;
/** Nobody's decision waits for these. */
const ASIDE_MS = 1000;
const CLEAR_MS = 10_000;
/** Memory is finite too; some 300 MB. */
const MAX_ENTRIES = 50_000;
const SLOW: { readonly ok: false; readonly code: 'ERR_JOURNAL_SLOW' } = {
  ok: false,
  code: 'ERR_JOURNAL_SLOW',
};

export interface DeskPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class JournalDesk {
  readonly #ports: DeskPorts;
  #pending: JournalEntry[] = [];
  #isDurable = true;
  /** What could not be set aside: the file keeps it until it is. */
  #owedAside: readonly JournalEntry[] = [];

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** The last entry reached the disk in time. */
  get isDurable(): boolean {
    return this.#isDurable;
  }

  /** What an earlier life left behind. Throws when the disk does not give it: another node has to act. */
  async read(): Promise<void> {
    const { clock, journal } = this.#ports;
    const found = await within(clock, READ_MS, journal.read(), null);
    if (!found) throw new Error('the journal was not read in time: its disk does not answer');
    const { entries, damaged } = found;
    this.#pending = [...entries];
    this.#count();
    if (entries.length + damaged > 0)
      this.#ports.log.warn('The journal of an earlier run holds decisions; they go to the database first.', {
        entries: entries.length,
        damaged,
      });
  }

  /** Resolves when they are on disk, or when that cannot be waited for. Never rejects. */
  async keep(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { clock, journal } = this.#ports;
    if (this.#pending.length + entries.length > MAX_ENTRIES) {
      this.#note({ ok: false, code: 'ERR_JOURNAL_FULL' });
      return;
    }
    this.#pending.push(...entries);
    this.#count();
    const written = Promise.all(entries.map((entry) => journal.append(entry)));
    const results = await within(clock, SYNC_MS, written, [SLOW]);
    this.#note(results.find((result) => !result.ok) ?? { ok: true });
  }

  /** A copy, in order. */
  entries(): readonly JournalEntry[] {
    return [...this.#pending];
  }

  /** The store has these. */
  done(entries: ReadonlySet<JournalEntry>): void {
    this.#pending = this.#pending.filter((entry) => !entries.has(entry));
    this.#count();
  }

  /**
   * The store has everything. A crash before the file is cleared does no harm: what it has is recognised. As long as
   * something has to be set aside and is not, the file stays as it is. Never rejects.
   */
  async clear(): Promise<void> {
    if (this.#owedAside.length > 0) {
      await this.setAside([]);
      if (this.#owedAside.length > 0 || this.#pending.length > 0) return;
    }
    this.#pending = [];
    this.#isDurable = true;
    this.#count();
    const { clock, journal, log } = this.#ports;
    const result = await within(clock, CLEAR_MS, journal.clear(), SLOW);
    if (result.ok) return;
    this.#isDurable = false;
    log.error('The journal could not be cleared; the database has what it holds.', { code: result.code });
  }

  /** Kept apart for people to look at, with whatever is owed of before. Never rejects. */
  async setAside(entries: readonly JournalEntry[]): Promise<void> {
    const { clock, journal, log } = this.#ports;
    const owed = [...this.#owedAside, ...entries];
    this.#owedAside = owed;
    const result = await within(clock, ASIDE_MS, journal.setAside(owed), SLOW);
    if (result.ok) this.#owedAside = this.#owedAside.filter((entry) => !owed.includes(entry));
    else
      log.error('A part of the journal could not be set aside; its file is kept as it is.', {
        code: result.code,
        entries: owed.length,
      });
  }

  #note(result: JournalResult | { readonly ok: false; readonly code: string }): void {
    const { log, metrics } = this.#ports;
    metrics.count('hamrahi_journal_appends_total', { result: result.ok ? 'ok' : result.code });
    if (!result.ok && this.#isDurable)
      log.error('The journal does not take what is decided; it is acted on all the same.', {
        code: result.code,
      });
    this.#isDurable = result.ok;
  }

  #count(): void {
    this.#ports.metrics.gauge('hamrahi_journal_entries', this.#pending.length);
  }
}
