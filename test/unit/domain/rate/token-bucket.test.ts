import { expect } from 'chai';
import { TokenBucket } from '../../../../control-plane/src/domain/rate/token-bucket.ts';

describe('domain/rate/token-bucket', () => {
  const taken = (bucket: TokenBucket, count: number, now: number): number => {
    let granted = 0;
    for (let index = 0; index < count; index += 1) if (bucket.take(now)) granted += 1;
    return granted;
  };

  it('grants its burst at once, and its rate afterwards', () => {
    const bucket = new TokenBucket(5, 10, 0);
    expect(taken(bucket, 20, 0)).to.equal(10);
    expect(taken(bucket, 20, 199)).to.equal(0);
    expect(taken(bucket, 20, 1_000)).to.equal(5);
  });

  it('saves up no more than its burst', () => {
    const bucket = new TokenBucket(5, 10, 0);
    expect(taken(bucket, 3, 0)).to.equal(3);
    expect(taken(bucket, 50, 3_600_000)).to.equal(10);
  });

  it('loses nothing by a clock that goes back', () => {
    const bucket = new TokenBucket(1, 2, 1_000);
    expect(taken(bucket, 5, 500)).to.equal(2);
    expect(taken(bucket, 5, 1_500)).to.equal(1);
  });
});
