import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { CORE_LEASE, PostgresLease } from '../../../../control-plane/src/adapters/postgres/lease.ts';
import { openDatabase } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import type { Database } from '../../../../control-plane/src/adapters/postgres/open-database.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { LeaseKeeper } from '../../../../control-plane/src/app/lease-keeper.ts';
import { operatorAor } from '../../../../control-plane/src/domain/ids.ts';
import type { ClientId, OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { apply, rejection } from '../../../contract/store-steps.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { activation, after as laterBy, T0, write } from '../../../support/session-writes.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  ((await rejection(promise)) as Error & { code?: unknown }).code;

interface Node {
  readonly keeper: LeaseKeeper;
  readonly lease: PostgresLease;
  readonly database: Database;
  readonly fenced: () => number;
  close(): Promise<void>;
}

describe('adapters/postgres/lease', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
    await database.close();
  });

  function leaseOf(node: string): PostgresLease {
    const lease = new PostgresLease({ url: database.url, node, log: keptLog() });
    opened.push(lease);
    return lease;
  }

  /** A core node as far as the database is concerned. */
  function nodeOf(name: string): Node {
    const log = keptLog();
    const lease = leaseOf(name);
    const keeper = new LeaseKeeper({
      store: lease,
      node: name,
      lease: CORE_LEASE,
      clock: systemClock(),
      log,
      metrics: silentMetrics,
    });
    let fenced = 0;
    const own = openDatabase({
      url: database.url,
      poolSize: 4,
      log,
      fence: () => keeper.fence,
      onFenced: () => {
        fenced += 1;
        keeper.lose();
      },
    });
    const close = async (): Promise<void> => {
      await keeper.stop();
      await own.close();
    };
    opened.push({ close });
    return { keeper, lease, database: own, fenced: () => fenced, close };
  }

  it('is taken by one of many that saw the same, and only in the state that was seen', async () => {
    const nodes = Array.from({ length: 6 }, (_, index) => leaseOf(`node${index}`));
    const sights = await Promise.all(nodes.map((node) => node.look()));
    const taken = await Promise.all(nodes.map((node, index) => node.take(sights[index]!)));
    expect(taken.filter((epoch) => epoch !== null)).to.deep.equal([1]);
    const winner = nodes[taken.indexOf(1)]!;
    const seen = await nodes[0]!.look();
    expect(await winner.renew(1)).to.equal(true);
    expect(await nodes[0]!.take(seen), 'renewed since').to.equal(null);
    expect(await leaseOf('stranger').renew(1)).to.equal(false);
  });

  it('knows a dead process of its own name by its connection', async () => {
    const [first, again, other] = [leaseOf('node1'), leaseOf('node1'), leaseOf('node2')];
    await first.take(await first.look());
    expect((await again.look()).predecessorGone).to.equal(false);
    await first.close();
    opened.splice(opened.indexOf(first), 1);
    const deadline = performance.now() + 2000;
    while (!(await again.look()).predecessorGone) expect(performance.now()).to.be.below(deadline);
    expect((await other.look()).predecessorGone).to.equal(false);
  });

  it('refuses everything that a node writes which holds nothing', async () => {
    const { database: own, fenced } = nodeOf('node1');
    const aor = operatorAor('akram' as OperatorId, 'panel1' as ClientId);
    expect(await codeOf(apply(own.store, activation()))).to.equal('ERR_STORE_FENCED');
    expect(fenced()).to.equal(1);
    expect(await codeOf(own.presence.setContact(aor, true, T0))).to.equal('ERR_STORE_FENCED');
    expect(await codeOf(own.presence.setFeedPresence('akram' as OperatorId, aor, true, T0))).to.equal(
      'ERR_STORE_FENCED',
    );
    expect(await database.sql('SELECT FROM sessions')).to.be.empty;
    expect(await database.sql('SELECT FROM contacts')).to.be.empty;
  });

  it('tells a write that is fenced from one on a state that is not the stored one', async () => {
    const { keeper, database: own } = nodeOf('node1');
    await keeper.acquire();
    const stored = await apply(own.store, activation());
    const stale = rejection(
      own.store.transact(async (tx) => {
        const now = await tx.load(stored.session.id);
        await tx.apply(write(now, now!.session));
        await tx.apply(write(now, now!.session));
      }),
    );
    expect(await stale).not.to.have.property('code', 'ERR_STORE_FENCED');
    expect(keeper.state).to.equal('active');
  });

  it('names the node that wrote a session, and its epoch', async () => {
    const { keeper, database: own } = nodeOf('node1');
    await keeper.acquire();
    const { session } = await apply(own.store, activation());
    expect(
      await database.sql('SELECT owner_node, owner_epoch::int FROM sessions WHERE id = $1', [session.id]),
    ).to.deep.equal([{ owner_node: 'node1', owner_epoch: 1 }]);
  });

  it('lets a write that was under way commit before the next holder looks, and refuses the one after it', async () => {
    const [first, second] = [nodeOf('node1'), nodeOf('node2')];
    await first.keeper.acquire();
    const written = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const slow = first.database.store.transact(async (tx) => {
      await tx.apply(activation());
      written.resolve(undefined);
      await goOn.promise;
    });
    await written.promise;
    let taken = false;
    const take = second.lease.look().then(async (seen) => {
      // The keeper of the first goes on renewing: seen again until it is taken as it was seen.
      for (
        let sight = seen;
        !(await second.lease.take(sight).catch(() => null));
        sight = await second.lease.look()
      );
      taken = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(taken).to.equal(false);
    goOn.resolve(undefined);
    await slow;
    await take;
    expect(await second.database.store.listOpen(10)).to.have.length(1);
    expect(await codeOf(apply(first.database.store, activation()))).to.equal('ERR_STORE_FENCED');
    expect(first.keeper.state).to.equal('fenced');
  });

  it('shows the next holder all that the ones before it ever wrote, however they fight over the lease', async () => {
    const seenAtFirst = new Map<number, number>();
    let [written, refused] = [0, 0];
    const deadline = performance.now() + 20_000;
    const isOver = (): boolean =>
      performance.now() > deadline || (seenAtFirst.size > 20 && written > 50 && refused > 5);
    const countBefore = async (epoch: number): Promise<number> =>
      Number(
        (
          await database.sql<{ n: string }>('SELECT count(*) AS n FROM sessions WHERE owner_epoch < $1', [
            epoch,
          ])
        )[0]?.n,
      );
    const fight = async (name: string): Promise<void> => {
      const lease = leaseOf(name);
      let epoch = -1;
      const fence = () => ({ lease: CORE_LEASE, node: name, epoch });
      const own = openDatabase({ url: database.url, poolSize: 3, log: keptLog(), fence });
      opened.push(own);
      const writing = (async () => {
        while (!isOver())
          await apply(own.store, activation()).then(
            () => (written += 1),
            (error: unknown) => {
              expect(error).to.have.property('code', 'ERR_STORE_FENCED');
              refused += 1;
              // who is refused leaves the machine to who is not
              return delay(10);
            },
          );
      })();
      while (!isOver()) {
        const taken = await lease.take(await lease.look());
        if (taken !== null) {
          seenAtFirst.set(taken, await countBefore(taken));
          epoch = taken;
        }
        // time enough for some writes, on a busy machine too
        await delay(100 + Math.random() * 200);
      }
      await writing;
    };
    await Promise.all(['node1', 'node2', 'node3'].map(fight));
    expect({ taken: seenAtFirst.size > 20, written: written > 50, refused: refused > 5 }).to.deep.equal({
      taken: true,
      written: true,
      refused: true,
    });
    for (const [epoch, seen] of seenAtFirst)
      expect(await countBefore(epoch), `before ${epoch}`).to.equal(seen);
  });

  it('clears the presence that was seen under its lease, and no other', async () => {
    const { keeper, database: own } = nodeOf('node1');
    await keeper.acquire();
    const panel = (name: string) => operatorAor(name as OperatorId, 'panel1' as ClientId);
    await own.presence.setContact(panel('akram'), true, T0);
    await own.presence.setFeedPresence('akram' as OperatorId, panel('akram'), true, T0);
    await database.presence.setContact(panel('bina'), true, T0);
    await database.presence.setFeedPresence('bina' as OperatorId, panel('bina'), true, T0);
    await own.presence.clear();
    expect(await database.sql('SELECT aor FROM contacts')).to.deep.equal([{ aor: panel('bina') }]);
    expect(await database.sql('SELECT aor FROM operator_presence')).to.deep.equal([{ aor: panel('bina') }]);
    await own.presence.setContact(panel('akram'), false, laterBy(10));
    await own.presence.setContact(panel('akram'), true, T0);
    expect(await own.presence.contactOnline(panel('akram')), 'the later word stands').to.equal(false);
  });

  it('is given back by who stops, and taken over from who falls silent', async () => {
    const [first, second, third] = [nodeOf('node1'), nodeOf('node2'), nodeOf('node3')];
    await first.keeper.acquire();
    const secondHas = second.keeper.acquire();
    const stoppedAt = performance.now();
    await first.keeper.stop();
    expect(await secondHas).to.equal(true);
    expect(performance.now() - stoppedAt, 'at once').to.be.below(1000);
    const thirdHas = third.keeper.acquire();
    // As a process that is stopped: it renews no more, and keeps its connection.
    const silentAt = performance.now();
    second.keeper.lose();
    expect(await thirdHas).to.equal(true);
    expect(performance.now() - silentAt).to.be.within(1000, 2500);
    expect(third.keeper.fence.epoch).to.equal(3);
  });
});
