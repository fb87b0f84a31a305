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

  it('keeps nobody who has been quiet until he may do again all that he may', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 2 });
    for (let n = 0; n < 100; n += 1) rate.take(`early ${n}`, 0);
    for (let n = 0; n < 60; n += 1) rate.take(`late ${n}`, 900);
    expect(rate.size, 'nobody is forgotten before').to.equal(160);
    for (let n = 0; n < 50; n += 1) rate.take('now', 1_000);
    expect(rate.size).to.equal(61);
    expect(
      rate.take('late 0', 1_000) && !rate.take('late 0', 1_000),
      'who is kept has not forgotten',
    ).to.equal(true);
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
