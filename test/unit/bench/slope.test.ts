import { expect } from 'chai';
import { slopeOf } from '../../bench/load/slope.ts';

describe('bench/load/slope', () => {
  it('finds the growth under a noise that the first and last look alone would tell', () => {
    const noisy = Array.from(
      { length: 40 },
      (_, step) => [step, 3 * step + (step % 2 === 0 ? 10 : -10)] as const,
    );
    expect(slopeOf(noisy)).to.be.closeTo(3, 0.1);
  });

  it('is nothing where nothing grows, and of a single look', () => {
    expect(
      slopeOf([
        [0, 5],
        [1, 5],
        [2, 5],
      ]),
    ).to.equal(0);
    expect(slopeOf([[7, 5]])).to.equal(0);
  });
});
