import { expect } from 'chai';
import { TimerWheel } from '../../../control-plane/src/app/timer-wheel.ts';
import { instant, sessionIdOf } from '../../support/core-lab.ts';
import { manualClock } from '../../support/manual-clock.ts';

const ONE = sessionIdOf(1);

describe('app/timer-wheel', () => {
  const setUp = () => {
    const clock = manualClock(0);
    const wheel = new TimerWheel(clock);
    const fired: string[] = [];
    wheel.onDue((sessionId, timer, dueAt) => {
      fired.push(`${timer} ${String(dueAt)} at ${String(clock.now())} ${sessionId === ONE ? 'one' : 'two'}`);
    });
    return { clock, wheel, fired };
  };

  it('FB-1 fires at its time, and at once what is overdue', async () => {
    const { clock, wheel, fired } = setUp();
    await clock.advance(100);
    wheel.set(ONE, 'watchdog', instant(5000));
    wheel.set(ONE, 'retry', instant(50));
    await clock.advance(4899);
    expect(fired).to.deep.equal(['retry 50 at 100 one']);
    await clock.advance(1);
    expect(fired).to.deep.equal(['retry 50 at 100 one', 'watchdog 5000 at 5000 one']);
  });

  it('fires once at the newer time when it was set anew, and never when it was cleared', async () => {
    const { clock, wheel, fired } = setUp();
    wheel.set(ONE, 'watchdog', instant(5000));
    wheel.set(ONE, 'watchdog', instant(6000));
    wheel.set(ONE, 'retry', instant(3000));
    wheel.set(sessionIdOf(2), 'retry', instant(3000));
    wheel.clear(ONE, 'retry');
    await clock.advance(10_000);
    expect(fired).to.deep.equal(['retry 3000 at 3000 two', 'watchdog 6000 at 6000 one']);
  });

  it('a timer that fired is stale once it was cleared or set anew', async () => {
    const { clock, wheel } = setUp();
    wheel.set(ONE, 'watchdog', instant(5000));
    await clock.advance(5000);
    expect(wheel.isCurrent(ONE, 'watchdog', instant(5000))).to.be.true;
    wheel.set(ONE, 'watchdog', instant(9000));
    expect(wheel.isCurrent(ONE, 'watchdog', instant(5000))).to.be.false;
    wheel.clear(ONE, 'watchdog');
    expect(wheel.isCurrent(ONE, 'watchdog', instant(9000))).to.be.false;
    expect(wheel.size).to.equal(0);
  });

  it('fires nothing after it was stopped', async () => {
    const { clock, wheel, fired } = setUp();
    wheel.set(ONE, 'watchdog', instant(5000));
    wheel.stop();
    await clock.advance(10_000);
    expect(fired).to.be.empty;
    expect(clock.waiting).to.equal(0);
  });
});
