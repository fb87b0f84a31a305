import { expect } from 'chai';
import { openDatabase } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import type {
  Database,
  DatabaseOptions,
} from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import { DEFAULT_DEADLINES, openPool } from '../../../../control-plane/src/adapters/postgres/connections.ts';
import { transact } from '../../../../control-plane/src/adapters/postgres/transact.ts';
import type { SessionId } from '../../../../control-plane/src/domain/ids.ts';
import { apply, change, rejection } from '../../../contract/store-steps.ts';
import { commitProxy } from '../../../support/commit-proxy.ts';
import type { CommitProxy } from '../../../support/commit-proxy.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { activation, write } from '../../../support/session-writes.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

const codeOf = async (promise: Promise<unknown>) =>
  ((await rejection(promise)) as Error & { code?: string }).code;

describe('adapters/postgres/transact', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
  });

  /** A second way into the same database, with limits of its own. */
  function open(options: Partial<DatabaseOptions>): Database {
    const one = openDatabase({ url: database.url, poolSize: 4, log: keptLog(), ...options });
    opened.push(one);
    return one;
  }

  async function openThroughProxy(
    options: Partial<DatabaseOptions> = {},
  ): Promise<{ proxy: CommitProxy; through: Database }> {
    const proxy = await commitProxy(database.url);
    opened.push(proxy);
    return { proxy, through: open({ ...options, url: proxy.url }) };
  }

  it('runs two transactions that lock each other out to their ends: the one that is undone runs again', async () => {
    const first = await apply(database.store, activation());
    const second = await apply(database.store, activation());
    const bothHold = Promise.withResolvers<undefined>();
    let holding = 0;
    let runs = 0;
    const inOrder = (a: SessionId, b: SessionId) =>
      database.store.transact(async (tx) => {
        runs += 1;
        const one = await tx.load(a);
        holding += 1;
        if (holding === 2) bothHold.resolve(undefined);
        await bothHold.promise;
        const two = await tx.load(b);
        await tx.apply(write(one, one!.session));
        await tx.apply(write(two, two!.session));
      });
    const [a, b] = [first.session.id, second.session.id];
    await Promise.all([inOrder(a, b), inOrder(b, a)]);
    expect(runs).to.be.greaterThan(2);
    for (const id of [a, b]) expect((await database.store.find(id))?.seq).to.equal(3);
  });

  it('gives up after three retries with ERR_STORE_CONFLICT', async () => {
    const pool = openPool(database.url, 2, DEFAULT_DEADLINES, keptLog());
    opened.push({ close: () => pool.end() });
    let runs = 0;
    const code = await codeOf(
      transact(pool, async (run) => {
        runs += 1;
        await run(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
      }),
    );
    expect([code, runs]).to.deep.equal(['ERR_STORE_CONFLICT', 4]);
  });

  it('waits for a lock no longer than its deadline', async () => {
    const impatient = open({ deadlines: { lockMs: 150 } });
    const { after: session } = activation();
    await database.store.transact(async (tx) => {
      await tx.lockCitizen(session.citizenId);
      const began = performance.now();
      const code = await codeOf(impatient.store.transact((tx2) => tx2.lockCitizen(session.citizenId)));
      expect(code).to.equal('ERR_STORE_CONFLICT');
      expect(performance.now() - began).to.be.within(140, 1500);
    });
    await impatient.store.transact((tx) => tx.lockCitizen(session.citizenId));
  });

  it('waits for a free connection no longer than its deadline', async () => {
    const narrow = open({ poolSize: 1, deadlines: { connectMs: 150 } });
    const { after: session } = activation();
    await narrow.store.transact(async (tx) => {
      await tx.lockCitizen(session.citizenId);
      expect(await codeOf(narrow.store.transact((tx2) => tx2.load(session.id)))).to.equal(
        'ERR_STORE_UNAVAILABLE',
      );
      expect(await narrow.store.find(session.id)).to.equal(null);
    });
  });

  it('frees the locks of work that stands still, and tells it', async () => {
    const still = open({ deadlines: { idleInTransactionMs: 200 } });
    const { after: session } = activation();
    const never = new Promise<never>(() => undefined);
    const stuck = still.store.transact(async (tx) => {
      await tx.lockCitizen(session.citizenId);
      await never;
    });
    const waiting = database.store.transact((tx) => tx.lockCitizen(session.citizenId));
    expect(await codeOf(stuck)).to.equal('ERR_STORE_UNAVAILABLE');
    await waiting;
  });

  it('tells ERR_STORE_UNAVAILABLE when the connection dies on the way, leaves nothing and goes on', async () => {
    const write1 = activation();
    const code = await codeOf(
      database.store.transact(async (tx) => {
        await tx.apply(write1);
        await database.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND state = 'idle in transaction'`,
        );
        await tx.load(write1.after.id);
      }),
    );
    expect(code).to.equal('ERR_STORE_UNAVAILABLE');
    expect(await database.store.find(write1.after.id)).to.equal(null);
    await apply(database.store, activation());
  });

  it('tells ERR_STORE_UNAVAILABLE when there is no server', async () => {
    const nowhere = open({ url: 'postgres://nobody:none@127.0.0.1:1/none' });
    expect(await codeOf(nowhere.store.transact((tx) => tx.load('' as SessionId)))).to.equal(
      'ERR_STORE_UNAVAILABLE',
    );
    expect(await codeOf(nowhere.directory.zones())).to.equal('ERR_STORE_UNAVAILABLE');
    expect(await nowhere.store.ping(1000)).to.equal(false);
  });

  it('tells ERR_STORE_UNKNOWN_OUTCOME when the answer to the COMMIT is lost, whether it was done or not', async () => {
    const { proxy, through } = await openThroughProxy();
    const done = activation();
    proxy.fault = 'answer-lost';
    expect(await codeOf(apply(through.store, done))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect((await database.store.find(done.after.id))?.seq).to.equal(1);
    const undone = activation();
    proxy.fault = 'commit-lost';
    expect(await codeOf(apply(through.store, undone))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect(await database.store.find(undone.after.id)).to.equal(null);
    proxy.fault = 'none';
    await apply(through.store, undone);
  });

  it('waits for a server that has fallen silent no longer than its deadline', async () => {
    const { proxy, through } = await openThroughProxy({ deadlines: { answerMs: 300 } });
    proxy.fault = 'mute';
    const began = performance.now();
    expect(await codeOf(apply(through.store, activation()))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect(performance.now() - began).to.be.within(290, 3000);
  });

  it('does not commit work that passed over a failed statement', async () => {
    const { session } = await apply(database.store, activation());
    const second = activation({ citizenId: session.citizenId });
    const failure = await rejection(
      database.store.transact(async (tx) => {
        await tx.apply(second).catch(() => undefined);
      }),
    );
    expect(failure.message).to.include('sessions_one_open_per_citizen');
    expect(await database.store.find(second.after.id)).to.equal(null);
  });

  it('tells that the disk is full when a statement finds it so on its way with the COMMIT: it is tried again', async () => {
    const pool = openPool(database.url, 1, DEFAULT_DEADLINES, keptLog());
    opened.push({ close: () => pool.end() });
    const full = `DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$`;
    const work = transact(pool, (run) => {
      void run(full).catch(() => undefined);
      return Promise.resolve('written');
    });
    expect(await codeOf(work)).to.equal('ERR_STORE_UNAVAILABLE');
  });

  it('tells of the statement that failed first, whichever answer is looked at before the others', async () => {
    const pool = openPool(database.url, 1, DEFAULT_DEADLINES, keptLog());
    opened.push({ close: () => pool.end() });
    const readOnly = `DO $$ BEGIN RAISE EXCEPTION 'no writing' USING ERRCODE = '25006'; END $$`;
    const work = transact(pool, async (run) => {
      const first = run(readOnly).catch(async (error: unknown) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw error;
      });
      await Promise.all([first, run('SELECT 1')]);
    });
    expect(await codeOf(work)).to.equal('ERR_STORE_UNAVAILABLE');
  });

  it('tells why a write failed whose COMMIT travelled with it', async () => {
    const { session } = await apply(database.store, activation());
    const second = activation({ citizenId: session.citizenId });
    const failure = await rejection(
      database.store.transact((tx) => {
        void tx.apply(second).catch(() => undefined);
        return Promise.resolve();
      }),
    );
    expect(failure.message).to.include('sessions_one_open_per_citizen');
  });

  it('RTC-8: serves fifty changes at once over four connections, and holds no more', async () => {
    const four = open({ poolSize: 4 });
    const stored = await Promise.all(Array.from({ length: 50 }, () => apply(four.store, activation())));
    await Promise.all(
      stored.map(({ session }) => change(four.store, session.id, (before) => write(before, before.session))),
    );
    const [row] = await database.sql<{ count: number }>(
      `SELECT count(*)::integer AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'hamrahi'`,
    );
    expect(row?.count).to.be.at.most(4 + 10 + 5 + 2);
  });
});
