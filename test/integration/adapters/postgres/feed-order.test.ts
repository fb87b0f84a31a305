/** Decision 27 under fire: many writers, slow ones, undone ones and killed ones, and readers that miss nothing. */
import { expect } from 'chai';
import { openDatabase } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import { Follower, writer } from '../../../contract/feed.contract.ts';
import { apply, rejection } from '../../../contract/store-steps.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { activation } from '../../../support/session-writes.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

describe('adapters/postgres/feed-order', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  before(async () => {
    database = await testDatabase({ poolSize: 25 });
  });
  after(() => database.close());

  it('shows two readers every row of twenty writers, once and in order', async () => {
    const { store } = database;
    const since = await store.feedHead();
    const readers = [new Follower(store, since), new Follower(store, since)];
    const written = await Promise.all(Array.from({ length: 20 }, (_, lane) => writer(store, lane, 25)));
    const expected = written.flat().toSorted((a, b) => a - b);
    expect(expected.length).to.be.greaterThan(500);
    for (const reader of readers) {
      await reader.until(expected.at(-1)!);
      expect(reader.seen).to.deep.equal(expected);
    }
    expect(await store.feedHead()).to.be.at.least(expected.at(-1)!);
  });

  it('makes nobody wait for a writer that stands still, and shows the rows behind it once it is gone', async () => {
    const { store } = database;
    const since = await store.feedHead();
    const stuckNode = openDatabase({
      url: database.url,
      poolSize: 1,
      log: keptLog(),
      deadlines: { idleInTransactionMs: 400 },
    });
    const hasDrawn = Promise.withResolvers<undefined>();
    const stuck = rejection(
      stuckNode.store.transact(async (tx) => {
        await tx.apply(activation());
        hasDrawn.resolve(undefined);
        await new Promise(() => undefined);
      }),
    );
    await hasDrawn.promise;
    const others = await Promise.all(Array.from({ length: 10 }, () => apply(store, activation())));
    expect(await store.feedAfter(since, 100)).to.deep.equal([]);
    expect(await store.feedHead()).to.equal(since);
    await stuck;
    const reader = new Follower(store, since);
    await reader.until(since + 11);
    expect(reader.seen).to.have.length(others.length);
    await stuckNode.close();
  });

  it('is not held back by transactions that write no feed, here or in another database', async () => {
    const { store } = database;
    await database.sql('BEGIN');
    await database.sql('CREATE TABLE in_the_way (id integer)');
    await store.transact(async (tx) => {
      await tx.lockCitizen(activation().after.citizenId);
      const since = await store.feedHead();
      const { session } = await apply(store, activation());
      expect((await store.feedAfter(since, 10)).map((row) => row.sessionId)).to.deep.equal([session.id]);
    });
    await database.sql('ROLLBACK');
  });

  it('counts across the wrap of the lock key at 2^31', async () => {
    const { store } = database;
    await database.sql(`SELECT setval('feed_seq', 4294967294)`);
    const slow = activation();
    const ids: string[] = [];
    await store.transact(async (tx) => {
      await tx.apply(slow);
      for (let n = 0; n < 4; n += 1) ids.push((await apply(store, activation())).session.id);
      expect(await store.feedHead()).to.equal(4_294_967_294);
      expect(await store.feedAfter(4_294_967_294, 10)).to.deep.equal([]);
    });
    const rows = await store.feedAfter(4_294_967_294, 10);
    expect(rows.map((row) => row.sessionId)).to.deep.equal([slow.after.id, ...ids]);
  });
});
