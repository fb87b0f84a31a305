import { expect } from 'chai';
import { retryAfterMs } from '../../../../control-plane/src/adapters/webhook/retry-after.ts';

const NOW = Date.UTC(2026, 5, 1, 12, 0, 0);

describe('adapters/webhook: Retry-After', () => {
  it('is a number of seconds, or a date in any of its three forms', () => {
    expect(retryAfterMs('120', NOW)).to.equal(120_000);
    expect(retryAfterMs(' 0 ', NOW)).to.equal(0);
    expect(retryAfterMs('Mon, 01 Jun 2026 12:02:00 GMT', NOW)).to.equal(120_000);
    expect(retryAfterMs('Monday, 01-Jun-26 12:02:00 GMT', NOW)).to.equal(120_000);
    expect(retryAfterMs('Mon Jun  1 12:02:00 2026', NOW)).to.equal(120_000);
  });

  it('is nothing less than now', () => {
    expect(retryAfterMs('Mon, 01 Jun 2026 11:00:00 GMT', NOW)).to.equal(0);
  });

  it('says nothing where it cannot be understood', () => {
    for (const text of [
      undefined,
      '',
      '-5',
      '1.5',
      '1e3',
      'soon',
      '12345678901',
      '2026-06-01',
      'Mon, nonsense of that kind',
    ])
      expect(retryAfterMs(text, NOW), String(text)).to.equal(null);
  });
});
