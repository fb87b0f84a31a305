/** A journal on a disk of make-believe: what is on it is what was appended, as a file would give it back. */
import type { Journal, JournalEntry, JournalResult } from '../../control-plane/src/ports/journal.ts';
import { copied } from './memory/memory-tables.ts';

export class MemoryJournal implements Journal {
  entries: JournalEntry[] = [];
  readonly aside: JournalEntry[] = [];
  /** `full` and `broken` refuse; `stuck` never answers. */
  mood: 'up' | 'full' | 'broken' | 'stuck' = 'up';

  read(): ReturnType<Journal['read']> {
    return Promise.resolve({ entries: copied(this.entries), damaged: 0 });
  }

  append(entry: JournalEntry): Promise<JournalResult> {
    if (this.mood === 'full')
      return Promise.resolve({ ok: false, code: 'ERR_JOURNAL_FULL', detail: 'the test filled it' });
    return this.#does(() => this.entries.push(copied(entry)));
  }

  clear(): Promise<JournalResult> {
    return this.#does(() => (this.entries = []));
  }

  setAside(entries: readonly JournalEntry[]): Promise<JournalResult> {
    return this.#does(() => this.aside.push(...copied(entries)));
  }

  #does(work: () => unknown): Promise<JournalResult> {
    if (this.mood === 'stuck') return new Promise(() => undefined);
    if (this.mood === 'broken')
      return Promise.resolve({ ok: false, code: 'ERR_JOURNAL_IO', detail: 'the test broke it' });
    work();
    return Promise.resolve({ ok: true });
  }
}
