import { expect } from 'chai';
import { LeaseKeeper } from '../../../control-plane/src/app/lease-keeper.ts';
import type { LeaseSight, LeaseStore } from '../../../control-plane/src/ports/lease.ts';
import { StoreError } from '../../../control-plane/src/ports/session-store.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

/** One lease, as the database keeps it. */
class Shelf {
  epoch = 0;
  beat = 0;
  holder: string | null = null;
  /** Names of nodes whose former processes are known to be dead. */
  readonly dead = new Set<string>();

  storeOf(node: string, way: { isOpen: boolean; isSilent?: boolean }): LeaseStore {
    const reached = <T>(answer: () => T): Promise<T> => {
      if (way.isSilent === true) return new Promise(() => undefined);
      if (way.isOpen) return Promise.resolve(answer());
      return Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'out of reach'));
    };
    const isHeldBy = (epoch: number): boolean => this.holder === node && this.epoch === epoch;
    return {
      look: () =>
        reached((): LeaseSight => ({
          epoch: this.epoch,
          beat: this.beat,
          holder: this.holder,
          predecessorGone: this.holder === node && this.dead.has(node),
        })),
      take: (seen) =>
        reached(() => {
          if (seen.epoch !== this.epoch || seen.beat !== this.beat) return null;
          this.epoch += 1;
          this.beat += 1;
          this.holder = node;
          return this.epoch;
        }),
      renew: (epoch) =>
        reached(() => {
          if (!isHeldBy(epoch)) return false;
          this.beat += 1;
          return true;
        }),
      giveBack: (epoch) =>
        reached(() => {
          if (!isHeldBy(epoch)) return;
          this.holder = null;
          this.beat += 1;
        }),
      close: () => Promise.resolve(),
    };
  }
}

/** Two nodes of one database. Each has a clock of its own, so that one can stand still while the other's goes on. */
function makeNodes() {
  const shelf = new Shelf();
  const node = (name: string) => {
    const clock = manualClock();
    const way: { isOpen: boolean; isSilent?: boolean } = { isOpen: true };
    const log = keptLog();
    const keeper = new LeaseKeeper({
      store: shelf.storeOf(name, way),
      node: name,
      lease: 'core',
      clock,
      log,
      metrics: silentMetrics,
    });
    let got: boolean | null = null;
    const acquire = (): void => void keeper.acquire().then((result) => (got = result));
    return { name, clock, way, log, keeper, acquire, got: () => got };
  };
  const first = node('one');
  const second = node('two');
  /** Both live on, in small steps, so that neither is ahead. */
  const together = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      await first.clock.advance(10);
      await second.clock.advance(10);
    }
  };
  return { shelf, node, first, second, together };
}

describe('app/lease-keeper', () => {
  it('takes a free lease at once, and writes under its epoch', async () => {
    const { first } = makeNodes();
    expect(first.keeper.fence).to.deep.equal({ lease: 'core', node: 'one', epoch: -1 });
    expect(first.keeper.mayCommand()).to.equal(false);
    first.acquire();
    await first.clock.advance(0);
    expect(first.keeper.state).to.equal('active');
    expect(first.keeper.fence).to.deep.equal({ lease: 'core', node: 'one', epoch: 1 });
    expect(first.keeper.mayCommand()).to.equal(true);
  });

  it('stands by while the holder renews, and takes over within two seconds of its silence', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    await together(10_000);
    expect([first.keeper.state, second.keeper.state]).to.deep.equal(['active', 'standby']);
    // The first one stands still from here on.
    let silentMs = 0;
    while (second.got() === null && silentMs < 5000) {
      await second.clock.advance(10);
      silentMs += 10;
    }
    // It was last heard of at most 300 ms before.
    expect(silentMs).to.be.within(1300, 2000);
    expect(second.keeper.fence.epoch).to.equal(2);
  });

  it('takes over at once what was given back', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    await together(1000);
    const stopped = first.keeper.stop();
    await together(200);
    await stopped;
    expect(second.keeper.state).to.equal('active');
  });

  it('takes over at once from a dead process of its own name, and from nobody else', async () => {
    const { shelf, node, first } = makeNodes();
    first.acquire();
    await first.clock.advance(100);
    shelf.dead.add('one');
    const other = node('two');
    const again = node('one');
    other.acquire();
    await other.clock.advance(1000);
    expect(other.keeper.state).to.equal('standby');
    again.acquire();
    await again.clock.advance(0);
    expect(again.keeper.state).to.equal('active');
  });

  it('lets one of two win that wait', async () => {
    const { node, first, together, second } = makeNodes();
    const third = node('three');
    first.acquire();
    await first.clock.advance(100);
    second.acquire();
    third.acquire();
    for (let passed = 0; passed < 4000; passed += 10) {
      await second.clock.advance(10);
      await third.clock.advance(10);
    }
    expect([second.keeper.state, third.keeper.state].toSorted()).to.deep.equal(['active', 'standby']);
    await together(500);
    expect(first.keeper.state).to.equal('fenced');
  });

  it('asks before it commands after it stood still, and is fenced when another node took over meanwhile', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    await second.clock.advance(3000);
    // SIGCONT: three seconds have passed, and the order is the first thing that it wants to do.
    first.clock.jump(3000);
    const answer = first.keeper.mayCommand();
    await first.clock.advance(0);
    expect(await answer).to.equal(false);
    expect(first.keeper.state).to.equal('fenced');
    expect(first.keeper.fence.epoch).to.equal(-1);
    await first.keeper.fenced;
  });

  it('commands on after it stood still when nobody took over', async () => {
    const { first } = makeNodes();
    first.acquire();
    await first.clock.advance(0);
    first.clock.jump(3000);
    const answer = first.keeper.mayCommand();
    expect(answer).to.be.instanceOf(Promise);
    await first.clock.advance(10);
    expect(await answer).to.equal(true);
    expect(first.keeper.mayCommand()).to.equal(true);
  });

  it('commands on while nobody can be asked, and says so', async () => {
    const { first } = makeNodes();
    first.acquire();
    await first.clock.advance(0);
    first.way.isOpen = false;
    await first.clock.advance(60_000);
    expect(first.keeper.state).to.equal('active');
    expect(first.keeper.mayCommand()).to.equal(true);
    expect(await first.keeper.verify()).to.equal('out-of-reach');
    expect(first.log.lines.filter((line) => line.includes('ERR_NODE_LEASE_OUT_OF_REACH'))).to.have.length(1);
  });

  it('commands on while the database says nothing at all', async () => {
    const { first } = makeNodes();
    first.acquire();
    await first.clock.advance(0);
    first.way.isSilent = true;
    await first.clock.advance(20_000);
    const answer = first.keeper.mayCommand();
    await first.clock.advance(2000);
    expect(await answer).to.equal(true);
  });

  it('does not take a question that was under way while it stood still for an answer', async () => {
    const { first, second } = makeNodes();
    first.acquire();
    await first.clock.advance(250);
    first.way.isSilent = true;
    await first.clock.advance(100);
    // Stopped with the question on its way; meanwhile the other took over. Its deadline is the first thing that is due.
    second.acquire();
    await second.clock.advance(3000);
    first.way.isSilent = false;
    first.clock.jump(3000);
    const answer = first.keeper.mayCommand();
    await first.clock.advance(10);
    expect(await answer).to.equal(false);
  });

  it('is fenced when the epoch has moved on while it could not be asked', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    first.way.isOpen = false;
    await together(3000);
    expect([first.keeper.state, second.keeper.state]).to.deep.equal(['active', 'active']);
    first.way.isOpen = true;
    await together(400);
    expect(first.keeper.state).to.equal('fenced');
  });

  it('counts no silence while it could not look itself: the holder may not have been able to renew either', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    await together(1000);
    first.way.isOpen = false;
    second.way.isOpen = false;
    await together(10_000);
    second.way.isOpen = true;
    await together(500);
    first.way.isOpen = true;
    await together(5000);
    expect([first.keeper.state, second.keeper.state]).to.deep.equal(['active', 'standby']);
  });

  it('asks before it commands when the clock was set: the machine may have been asleep', async () => {
    const { first } = makeNodes();
    first.acquire();
    await first.clock.advance(0);
    first.clock.step(10_000);
    const answer = first.keeper.mayCommand();
    expect(answer).to.be.instanceOf(Promise);
    await first.clock.advance(0);
    expect(await answer).to.equal(true);
    expect(first.keeper.mayCommand()).to.equal(true);
  });

  it('is fenced by a write that was refused', async () => {
    const { first } = makeNodes();
    first.acquire();
    await first.clock.advance(0);
    first.keeper.lose();
    await first.keeper.fenced;
    expect(first.keeper.mayCommand()).to.equal(false);
  });

  it('stops while it stands by', async () => {
    const { first, second, together } = makeNodes();
    first.acquire();
    await together(100);
    second.acquire();
    await together(100);
    await second.keeper.stop();
    await together(5000);
    expect(second.got()).to.equal(false);
    expect(first.keeper.state).to.equal('active');
  });
});
