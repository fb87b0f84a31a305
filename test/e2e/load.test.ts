/** Many sessions at once, most with plain media; `make bench-load` is the same with a hundred. */
// run-tests: quiet
import { expect } from 'chai';
import { printed } from '../bench/load/bench-table.ts';
import { runLoad } from '../bench/load/load.ts';

describe('e2e: many sessions at once', function () {
  this.timeout(120_000);

  it('RTC-8 two dozen citizens press within six seconds: each is heard or called in time, on her own leg alone, and nothing is left', async () => {
    const { rows, ok } = await runLoad({
      sessions: 24,
      withinMs: 6_000,
      operators: 5,
      realCitizens: 5,
      realPanels: 1,
      fallbacks: 5,
      holdMs: 2_000,
      idleMs: 200,
      untilForgotten: false,
    });
    expect(ok, printed('24 sessions', rows)).to.equal(true);
  });
});
