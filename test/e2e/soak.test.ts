/** Short sessions one after the other; `make soak` is the same with ten thousand. */
// run-tests: quiet
import { expect } from 'chai';
import { printed } from '../bench/load/bench-table.ts';
import { runSoak } from '../bench/load/soak.ts';

describe('e2e: many sessions one after the other', function () {
  // Three hundred of anything take long on a machine that is busy; how long is not what this is about.
  this.timeout(400_000);

  it('RTC-9 FB-9 three hundred short sessions leave no object, handle, row, channel or bridge behind', async () => {
    const { rows, ok } = await runSoak({
      sessions: 300,
      lanes: 10,
      realEvery: 30,
      fallbackEvery: 10,
      warmUp: 75,
      lookEvery: 25,
      // What a session that is kept would weigh: a few times more.
      heapKb: 12,
      memoryKb: {},
      untilForgotten: false,
    });
    expect(ok, printed('300 sessions', rows)).to.equal(true);
  });
});
