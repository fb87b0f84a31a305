import { expect } from 'chai';
import { MessageRate } from '../../../../control-plane/src/adapters/feed/message-rate.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';

describe('adapters/feed message-rate', () => {
  const at = (ms: number) => (5_000_000 + ms) as Instant;

  it('allows so many in a second, and as many in the next', () => {
    const rate = new MessageRate(3);
    expect([0, 1, 2, 3, 999].map((ms) => rate.take(at(ms)))).to.deep.equal([true, true, true, false, false]);
    expect([1000, 1001, 1002, 1003].map((ms) => rate.take(at(ms)))).to.deep.equal([true, true, true, false]);
  });

  it('is not stuck when the clock steps back', () => {
    const rate = new MessageRate(1);
    rate.take(at(0));
    expect(rate.take(at(-60_000))).to.equal(true);
  });
});
