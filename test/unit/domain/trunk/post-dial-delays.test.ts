import { expect } from 'chai';
import fc from 'fast-check';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { PostDialDelays } from '../../../../control-plane/src/domain/trunk/post-dial-delays.ts';

const NOW = 100_000_000 as Instant;

describe('domain/trunk/post-dial-delays', () => {
  it('says nothing by fewer than twenty', () => {
    const delays = new PostDialDelays();
    for (let index = 0; index < 19; index += 1) delays.note(3000, NOW);
    expect(delays.percentile(0.95, NOW)).to.equal(null);
    delays.note(3000, NOW);
    expect(delays.percentile(0.95, NOW)).to.equal(3000);
  });

  it('tells a delay that was measured, and that as many as asked for do not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 20, maxLength: 400 }),
        fc.constantFrom(0.5, 0.95),
        (samples, p) => {
          const delays = new PostDialDelays();
          for (const sample of samples) delays.note(sample, NOW);
          const newest = samples.slice(-200);
          const value = delays.percentile(p, NOW)!;
          expect(newest).to.include(value);
          expect(newest.filter((sample) => sample <= value).length).to.be.at.least(p * newest.length);
          expect(newest.filter((sample) => sample < value).length).to.be.below(p * newest.length);
        },
      ),
    );
  });

  it('forgets what is six hours old', () => {
    const delays = new PostDialDelays();
    for (let index = 0; index < 30; index += 1) delays.note(3000, NOW);
    expect(delays.percentile(0.5, (NOW + 6 * 3_600_000) as Instant)).to.equal(null);
  });
});
