import { expect } from 'chai';
import { hedgeAfterMs } from '../../../../control-plane/src/domain/trunk/failover-times.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

describe('domain/trunk/failover-times', () => {
  it('TEL-7 hedges by what was measured, within the trunk’s bounds', () => {
    expect(hedgeAfterMs(PLAIN_TRUNK, 5_300)).to.equal(5_300);
    expect(hedgeAfterMs(PLAIN_TRUNK, 200), 'never before the file’s').to.equal(4_000);
    expect(hedgeAfterMs(PLAIN_TRUNK, 60_000)).to.equal(8_000);
  });

  it('TEL-7 goes by the file while too few calls were measured', () => {
    expect(hedgeAfterMs(PLAIN_TRUNK, null)).to.equal(4_000);
    expect(hedgeAfterMs({ ...PLAIN_TRUNK, p95PostDialDelayMs: 6_000 }, null)).to.equal(6_000);
  });

  it('TEL-7 never hedges on a trunk that forbids it', () => {
    const failover = { ...PLAIN_TRUNK.failover, hedge: false };
    expect(hedgeAfterMs({ ...PLAIN_TRUNK, failover }, 5_000)).to.equal(null);
  });
});
