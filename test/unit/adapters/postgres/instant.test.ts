import { expect } from 'chai';
import fc from 'fast-check';
import { timestampText, toMicrosecond } from '../../../../control-plane/src/adapters/postgres/instant.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { microsecondsOf } from '../../../../control-plane/src/evidence/microseconds.ts';

describe('adapters/postgres/instant', () => {
  it('writes UTC with microseconds', () => {
    expect(timestampText(0 as Instant)).to.equal('1970-01-01T00:00:00.000000Z');
    expect(timestampText((1_790_000_000_123 + 0.4567) as Instant)).to.equal('2026-09-21T14:13:20.123457Z');
    expect(timestampText((1_789_999_999_999 + 0.9997) as Instant)).to.equal('2026-09-21T14:13:20.000000Z');
  });

  it('keeps every whole microsecond of this century', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (microseconds) => {
        const instant = (microseconds / 1000) as Instant;
        expect(microsecondsOf(instant)).to.equal(microseconds);
        expect(toMicrosecond(instant)).to.equal(instant);
        const [, fraction] = timestampText(instant).split('.');
        expect(fraction).to.equal(`${String(microseconds % 1_000_000).padStart(6, '0')}Z`);
      }),
    );
  });

  it('throws for what is no time', () => {
    expect(() => timestampText(Number.NaN as Instant)).to.throw(RangeError);
  });
});
