import { expect } from 'chai';
import { watchClock } from '../../../control-plane/src/app/clock-watch.ts';
import { TimerWheel } from '../../../control-plane/src/app/timer-wheel.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import { sessionIdOf } from '../../support/core-lab.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

describe('app/clock-watch', () => {
  it('tells each step of the clock once, with its size', async () => {
    const clock = manualClock();
    const log = keptLog();
    const stop = watchClock(clock, log, silentMetrics);
    await clock.advance(5000);
    expect(log.lines).to.be.empty;
    clock.step(3_600_000);
    await clock.advance(5000);
    clock.step(-250);
    await clock.advance(5000);
    stop();
    expect(log.lines).to.have.length(2);
    expect(log.lines[0]).to.include('{"code":"ERR_CLOCK_STEP","stepMs":3600000,"offsetMs":3600000}');
    expect(log.lines[1]).to.include('{"code":"ERR_CLOCK_STEP","stepMs":-250,"offsetMs":3599750}');
    expect(clock.waiting).to.equal(0);
  });

  it('says nothing of a clock that is slewed', async () => {
    const clock = manualClock();
    const log = keptLog();
    const stop = watchClock(clock, log, silentMetrics);
    for (let second = 0; second < 100; second += 1) {
      clock.step(0.5);
      await clock.advance(1000);
    }
    stop();
    expect(log.lines).to.be.empty;
  });

  it('FB-2 a step moves no deadline that runs', async () => {
    const clock = manualClock();
    const wheel = new TimerWheel(clock);
    const fired: number[] = [];
    const begun = clock.now();
    wheel.onDue(() => fired.push(clock.now() - begun));
    wheel.set(sessionIdOf(1), 'watchdog', (begun + 5000) as Instant);
    await clock.advance(1000);
    clock.step(-3_600_000);
    await clock.advance(2000);
    clock.step(7_200_000);
    await clock.advance(2000);
    expect(fired).to.deep.equal([5000]);
  });
});
