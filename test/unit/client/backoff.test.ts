import { expect } from 'chai';
import { Backoff } from '../../../control-plane/client/backoff.ts';

describe('control-plane/client/backoff', () => {
  it('doubles from 100 ms up to 2 s, for ever', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 1_000_000].map((failures) => Backoff.delayMs(failures, 0));
    expect(delays).to.deep.equal([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  });

  it('leaves up to a fifth off, so that clients do not come in step', () => {
    expect(Backoff.delayMs(0, 1)).to.equal(80);
    expect(Backoff.delayMs(10, 0.5)).to.equal(1_800);
  });

  it('ends a wait early when there is a reason to hurry', async () => {
    const backoff = new Backoff({ firstMs: 60_000, maximumMs: 60_000 });
    const waited = backoff.wait();
    backoff.hurry();
    await waited;
  });
});
