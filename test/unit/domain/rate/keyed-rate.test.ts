import { expect } from 'chai';
import { KeyedRate } from '../../../../control-plane/src/domain/rate/keyed-rate.ts';

describe('domain/rate/keyed-rate', () => {
  it('counts each by itself', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 2 });
    const taken = (key: string, now: number) =>
      Array.from({ length: 5 }, () => rate.take(key, now)).filter(Boolean).length;
    expect(taken('a', 0)).to.equal(2);
    expect(taken('b', 0)).to.equal(2);
    expect(taken('a', 1_000)).to.equal(1);
  });

  it('keeps 20,000 at the most, and forgets whoever has been quiet for longest', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 2 });
    const isSpent = (key: string): boolean => !rate.take(key, 0);
    for (const key of ['quiet', 'quiet', 'busy', 'busy']) rate.take(key, 0);
    for (let n = 0; n < 19_999; n += 1) {
      rate.take(`other ${n}`, 0);
      if (n % 5_000 === 0) expect(isSpent('busy')).to.equal(true);
    }
    expect(rate.size).to.equal(20_000);
    expect(isSpent('busy')).to.equal(true);
    expect(isSpent('quiet'), 'begins anew').to.equal(false);
    expect(rate.size).to.equal(20_000);
  });
});
