/** What a node remembers of duty and capacity answers as the store does: the same contract, on memory alone. */
import { KeyedQueue } from '../../control-plane/src/app/keyed-queue.ts';
import { BookTransaction } from '../../control-plane/src/app/outage/book-transaction.ts';
import { DutyBook } from '../../control-plane/src/app/outage/duty-book.ts';
import { EnduringPresence } from '../../control-plane/src/app/outage/enduring-presence.ts';
import { SessionBook } from '../../control-plane/src/app/outage/session-book.ts';
import type { SessionStore } from '../../control-plane/src/ports/session-store.ts';
import { manualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';
import { silentLog } from '../support/silent-log.ts';
import { dutyContract } from './duty.contract.ts';

describe('ports of the store in the books of a node', () => {
  const memory = memoryStore();
  const duty = new DutyBook(memory.directory, manualClock(), silentLog);
  const books = { sessions: new SessionBook(), duty, claims: { kept: new Map() } };
  const queue = new KeyedQueue<string>();
  const store: SessionStore = {
    ...memory.store,
    find: (id) => Promise.resolve(books.sessions.get(id)),
    transact: (work) =>
      queue.run('book', async () => {
        await duty.read();
        const tx = new BookTransaction(books);
        const result = await work(tx);
        tx.commit();
        return result;
      }),
  };
  const watch = { isAway: false, attempt: <T>(work: () => Promise<T>): Promise<T> => work() };
  const clock = manualClock();
  const presence = new EnduringPresence({ store: memory.presence, duty, watch, clock, log: silentLog });
  dutyContract('the books', () => ({ store, presence, directory: memory.directory }));
});
