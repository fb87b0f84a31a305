import { expect } from 'chai';
import { untilTaken } from '../../../control-plane/src/app/until-taken.ts';
import { StoreError } from '../../../control-plane/src/ports/session-store.ts';
import type { StoreErrorCode } from '../../../control-plane/src/ports/session-store.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

describe('app/until-taken', () => {
  const setUp = (failures: readonly StoreErrorCode[]) => {
    const clock = manualClock(0);
    const tries: number[] = [];
    const work = () => {
      const code = failures[tries.length];
      tries.push(clock.now());
      return code ? Promise.reject(new StoreError(code, 'not now')) : Promise.resolve('taken');
    };
    return { clock, tries, work, ports: { clock, log: silentLog, metrics: silentMetrics } };
  };
  const many = Array.from({ length: 20 }, () => 'ERR_STORE_UNAVAILABLE' as const);

  it('tries again after 50 ms, twice as long each time, at most 1 s', async () => {
    const { clock, tries, work, ports } = setUp(many.slice(0, 7));
    const taken = untilTaken(ports, 60_000, work);
    await clock.advance(10_000);
    expect(tries).to.deep.equal([0, 50, 150, 350, 750, 1550, 2550, 3550]);
    expect(await taken).to.deep.equal({ result: 'taken', inDoubt: false });
  });

  it('gives up at the deadline with the error of the store', async () => {
    const { clock, tries, work, ports } = setUp(many);
    const given = untilTaken(ports, 1000, work).catch((error: unknown) => (error as StoreError).code);
    await clock.advance(5000);
    expect(await given).to.equal('ERR_STORE_UNAVAILABLE');
    expect(tries.at(-1)).to.equal(750);
  });

  it('says whether an earlier try may have been committed', async () => {
    const { clock, work, ports } = setUp(['ERR_STORE_UNKNOWN_OUTCOME', 'ERR_STORE_UNAVAILABLE']);
    const taken = untilTaken(ports, 1000, work);
    await clock.advance(1000);
    expect(await taken).to.have.property('inDoubt', true);
  });

  it('repeats no bug', async () => {
    const { tries, ports } = setUp([]);
    const bug = untilTaken(ports, 1000, () => {
      tries.push(0);
      return Promise.reject(new TypeError('a bug'));
    }).catch((error: unknown) => (error as Error).name);
    expect(await bug).to.equal('TypeError');
    expect(tries).to.have.length(1);
  });
});
