import { expect } from 'chai';
import fc from 'fast-check';
import { downSentence, groundsIn } from '../../../../control-plane/src/domain/trunk/down-words.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';

describe('domain/trunk/down-words', () => {
  it('TEL-8: says who speaks against a trunk, and finds it again in what was said', () => {
    const failure = { outcome: 'congestion', sipStatus: 503, q850: null, silent: false } as const;
    fc.assert(
      fc.property(
        fc.subarray(['options', 'registration', 'calls'] as const, { minLength: 1 }),
        fc.constantFrom(null, { ...failure, at: 0 as Instant }),
        (against, last) => {
          expect(groundsIn(downSentence('tata', against, last))).to.deep.equal(against);
        },
      ),
    );
  });

  it('finds nothing in other words', () => {
    expect(groundsIn('Trunk tata is down.')).to.deep.equal([]);
  });
});
