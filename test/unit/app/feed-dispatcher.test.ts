import { expect } from 'chai';
import { FeedDispatcher } from '../../../control-plane/src/app/feed-dispatcher.ts';
import type { FeedRow, SessionTx } from '../../../control-plane/src/ports/session-store.ts';
import { apply } from '../../contract/store-steps.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { activation } from '../../support/session-writes.ts';

describe('app/feed-dispatcher', () => {
  const setUp = async () => {
    const { store } = memoryStore();
    const clock = manualClock();
    await apply(store, activation());
    const dispatcher = new FeedDispatcher(store, clock, keptLog());
    await dispatcher.start();
    const told: number[] = [];
    dispatcher.subscribe((row) => told.push(row.seq));
    const write = (during: (tx: SessionTx) => Promise<void> = () => Promise.resolve()) =>
      store.transact(async (tx) => {
        const { feed } = await tx.apply(activation());
        await during(tx);
        return feed;
      });
    return { clock, dispatcher, told, write };
  };

  it('tells rows at once while none is missing, and nothing from before its start', async () => {
    const { dispatcher, told, write } = await setUp();
    dispatcher.committed(await write());
    dispatcher.committed(await write());
    expect(told).to.deep.equal([2, 3]);
    expect(dispatcher.last).to.equal(3);
  });

  it('tells rows in order, whichever commit is reported first', async () => {
    const { clock, dispatcher, told, write } = await setUp();
    const [first, second] = [await write(), await write()];
    dispatcher.committed(second);
    dispatcher.committed(first);
    await clock.advance(0);
    expect(told).to.deep.equal([2, 3]);
  });

  it('waits for the transaction that holds a lower number, and tells its row first', async () => {
    const { clock, dispatcher, told, write } = await setUp();
    const slow = await write(async () => {
      dispatcher.committed(await write());
      await clock.advance(50);
      expect(told).to.deep.equal([]);
    });
    await clock.advance(5);
    expect(told).to.deep.equal([2, 3]);
    dispatcher.committed(slow);
    await clock.advance(5);
    expect(told).to.deep.equal([2, 3]);
  });

  it('goes on past the numbers of a transaction that was undone', async () => {
    const { clock, dispatcher, told, write } = await setUp();
    let behind: readonly FeedRow[] = [];
    const undone = write(async () => {
      behind = await write();
      dispatcher.committed(behind);
      throw new Error('undone');
    });
    await undone.catch(() => undefined);
    await clock.advance(5);
    expect(told).to.deep.equal([3]);
    expect(clock.waiting).to.equal(0);
    dispatcher.committed(await write());
    expect(told).to.deep.equal([3, 4]);
  });
});
