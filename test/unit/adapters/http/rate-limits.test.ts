import { expect } from 'chai';
import { RateLimits } from '../../../../control-plane/src/adapters/http/rate-limits.ts';
import type { Role } from '../../../../control-plane/src/contracts/common.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';

describe('adapters/http rate-limits', () => {
  const caller = (role: Role, subject: string) => ({ role, subject, tokenId: null });
  const at = (ms: number) => (1_000_000 + ms) as Instant;
  const limits = () => new RateLimits({ citizenPerMin: 2, staffPerMin: 3, backendPerMin: 4 });

  it('counts by role and subject', () => {
    const rate = limits();
    const taken = (role: Role, subject: string) =>
      Array.from({ length: 5 }, () => rate.take(caller(role, subject), at(0))).filter((wait) => wait === null)
        .length;
    expect(taken('citizen', 'priya')).to.equal(2);
    expect(taken('citizen', 'meera')).to.equal(2);
    expect(taken('operator', 'priya')).to.equal(3);
    expect(taken('supervisor', 'priya')).to.equal(3);
    expect(taken('backend', 'priya')).to.equal(4);
  });

  it('RTC-10 a thief with one token of hers leaves another one a quarter of what she may', () => {
    const rate = new RateLimits({ citizenPerMin: 120, staffPerMin: 600, backendPerMin: 600 });
    const taken = (tokenId: string | null, issuedAt: number | null = null) =>
      Array.from({ length: 1000 }, () =>
        rate.take({ ...caller('citizen', 'priya'), tokenId, issuedAt: issuedAt as Instant | null }, at(0)),
      ).filter((wait) => wait === null).length;
    expect(taken('stolen')).to.equal(120);
    expect(taken('hers')).to.equal(30);
    expect(taken('stolen')).to.equal(0);
    expect(taken(null, 1_000), 'tokens without an id: by their time of issue').to.equal(30);
    expect(taken(null, 2_000)).to.equal(30);
  });

  it('says how long to wait, and lets go after it', () => {
    const rate = limits();
    const priya = caller('citizen', 'priya');
    rate.take(priya, at(0));
    rate.take(priya, at(100));
    expect(rate.take(priya, at(20_500))).to.equal(40);
    expect(rate.take(priya, at(60_000))).to.equal(null);
  });

  it('does not lock out for ever when the clock steps back', () => {
    const rate = limits();
    const priya = caller('citizen', 'priya');
    for (let n = 0; n < 5; n++) rate.take(priya, at(0));
    expect(rate.take(priya, at(-500_000))).to.equal(null);
  });
});
