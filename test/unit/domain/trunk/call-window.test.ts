import { expect } from 'chai';
import fc from 'fast-check';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import {
  answerSeizureRatio,
  CallWindow,
  isRateLow,
  successRate,
  type TryResult,
} from '../../../../control-plane/src/domain/trunk/call-window.ts';

const LIMIT = { minAttempts: 10, minRate: 0.9, wellRate: 0.92 };
const counts = (attempts: number, failed: number) => ({ attempts, answered: attempts - failed, failed });

describe('domain/trunk/call-window', () => {
  it('TEL-8: counts exactly what was noted within the window, whatever came when', () => {
    const result = fc.constantFrom<TryResult>('answered', 'reached', 'failed');
    const steps = fc.array(fc.record({ result, waitMs: fc.integer({ min: 0, max: 90_000 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 400_000 }), (noted, restMs) => {
        const window = new CallWindow(300_000);
        const all: { result: TryResult; at: number }[] = [];
        let now = 1_000_000;
        for (const { result: one, waitMs } of noted) {
          now += waitMs;
          window.note(one, now as Instant);
          all.push({ result: one, at: now });
          if (waitMs % 3 === 0) window.counts(now as Instant);
        }
        now += restMs;
        const inside = all.filter(({ at }) => at > now - 300_000);
        expect(window.counts(now as Instant)).to.deep.equal({
          attempts: inside.length,
          answered: inside.filter((entry) => entry.result === 'answered').length,
          failed: inside.filter((entry) => entry.result === 'failed').length,
        });
      }),
    );
  });

  it('keeps no more than the newest four thousand in a flood', () => {
    const window = new CallWindow(300_000);
    for (let index = 0; index < 20_000; index += 1)
      window.note(index < 15_904 ? 'failed' : 'answered', (1_000_000 + index) as Instant);
    expect(window.counts(1_020_000 as Instant)).to.deep.equal({ attempts: 4096, answered: 4096, failed: 0 });
    expect(window.counts(2_000_000 as Instant).attempts).to.equal(0);
  });

  it('has no rate without attempts', () => {
    expect(successRate(counts(0, 0))).to.equal(null);
    expect(answerSeizureRatio(counts(0, 0))).to.equal(null);
    expect(successRate(counts(20, 3))).to.equal(0.85);
    expect(answerSeizureRatio({ attempts: 20, answered: 5, failed: 3 })).to.equal(0.25);
  });

  it('TEL-8: is low under 90 % of at least ten attempts, and not of nine', () => {
    expect(isRateLow(counts(9, 9), false, LIMIT)).to.equal(false);
    expect(isRateLow(counts(10, 1), false, LIMIT)).to.equal(false);
    expect(isRateLow(counts(10, 2), false, LIMIT)).to.equal(true);
    expect(isRateLow(counts(100, 11), false, LIMIT)).to.equal(true);
  });

  it('TEL-8: stays low while failures are in the window and too few calls say otherwise', () => {
    expect(isRateLow(counts(3, 1), true, LIMIT)).to.equal(true);
    expect(isRateLow(counts(3, 0), true, LIMIT)).to.equal(false);
    expect(isRateLow(counts(0, 0), true, LIMIT)).to.equal(false);
    expect(isRateLow(counts(10, 1), true, LIMIT)).to.equal(true);
    expect(isRateLow(counts(100, 9), true, LIMIT)).to.equal(true);
    expect(isRateLow(counts(100, 8), true, LIMIT)).to.equal(false);
  });
});
