import { expect } from 'chai';
import { atMost, Rounds } from '../../../../control-plane/src/adapters/secrets/rounds.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';

describe('adapters/secrets rounds', () => {
  /** Rounds that end when the test lets them. */
  function lab() {
    const clock = manualClock();
    const log = keptLog();
    const asked: boolean[] = [];
    const ends: ((nextInMs: number | Error) => void)[] = [];
    const rounds = new Rounds(clock, log, (isAsked) => {
      asked.push(isAsked);
      return new Promise((resolve, reject) => {
        ends.push((next) => (typeof next === 'number' ? resolve(next) : reject(next)));
      });
    });
    return { clock, log, asked, rounds, end: (next: number | Error) => ends.shift()?.(next) };
  }

  it('go on by the clock, after as long as each says', async () => {
    const { clock, asked, rounds, end } = lab();
    const first = rounds.now();
    end(500);
    await first;
    await clock.advance(499);
    expect(asked).to.deep.equal([true]);
    await clock.advance(1);
    expect(asked).to.deep.equal([true, false]);
    end(70);
    await clock.advance(70);
    expect(asked).to.deep.equal([true, false, false]);
  });

  it('do not overlap: who asks during one gets the next one, and shares it', async () => {
    const { clock, asked, rounds, end } = lab();
    const first = rounds.now();
    let isSecondDone = false;
    const second = Promise.all([rounds.now(), rounds.now()]).then(() => (isSecondDone = true));
    expect(asked).to.have.length(1);
    end(1000);
    await first;
    await clock.advance(0);
    expect(asked, 'begun at once').to.deep.equal([true, true]);
    expect(isSecondDone).to.equal(false);
    end(1000);
    await second;
    expect(clock.waiting).to.equal(1);
  });

  it('go on after one that failed where none may, and say where, not what', async () => {
    const { clock, log, asked, rounds, end } = lab();
    const first = rounds.now();
    end(new Error('p4ss-in-a-message'));
    await first;
    await clock.advance(10_000);
    expect(asked).to.have.length(2);
    expect(log.lines.join()).to.contain('rounds.test.ts').and.to.not.contain('p4ss-in-a-message');
  });

  it('end with the one that runs, and begin none any more', async () => {
    const { clock, asked, rounds, end } = lab();
    const first = rounds.now();
    const second = rounds.now();
    let isStopped = false;
    const stopped = rounds.stop().then(() => (isStopped = true));
    await clock.advance(0);
    expect(isStopped).to.equal(false);
    end(10);
    await Promise.all([first, second, stopped]);
    await rounds.now();
    await clock.advance(60_000);
    expect(asked).to.have.length(1);
    expect(clock.waiting).to.equal(0);
  });

  it('atMost waits for the work, and not longer than it may', async () => {
    const clock = manualClock();
    await atMost(clock, 1000, Promise.resolve());
    expect(clock.waiting).to.equal(0);
    let isOver = false;
    void atMost(clock, 1000, new Promise(() => undefined)).then(() => (isOver = true));
    await clock.advance(999);
    expect(isOver).to.equal(false);
    await clock.advance(1);
    expect(isOver).to.equal(true);
  });
});
