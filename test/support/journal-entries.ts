/** Entries for the journal, as the core makes them. */
import type { JournalEntry } from '../../control-plane/src/ports/journal.ts';
import { entryOf } from '../../control-plane/src/app/outage/book-transaction.ts';
import { activation } from './session-writes.ts';

export function journalEntry(key = 'key'): JournalEntry {
  const write = activation();
  return entryOf(write, { citizenId: write.after.citizenId, key, bodyHash: 'hash' });
}
