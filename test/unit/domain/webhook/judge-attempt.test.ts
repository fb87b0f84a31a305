import { expect } from 'chai';
import fc from 'fast-check';
import {
  judgeAttempt,
  reasonOf,
  RETRY_DELAYS_MS,
} from '../../../../control-plane/src/domain/webhook/judge-attempt.ts';
import type { AttemptResult } from '../../../../control-plane/src/domain/webhook/judge-attempt.ts';

const MIDDLE = 0.5;
const HOUR_MS = 3_600_000;
const answered = (status: number, retryAfterMs: number | null = null): AttemptResult => ({
  kind: 'answered',
  status,
  retryAfterMs,
});
const timeout: AttemptResult = { kind: 'unanswered', reason: 'timeout' };

describe('domain/webhook: what an attempt means', () => {
  it('TEL-3: retries after about 1, 2, 5, 10, 30 s, then by the long schedule, then never', () => {
    const delays: number[] = [];
    for (let failures = 0; ; failures += 1) {
      const verdict = judgeAttempt(timeout, failures, MIDDLE);
      if (verdict.next !== 'again') {
        expect(verdict).to.deep.equal({ next: 'given-up' });
        break;
      }
      delays.push(Math.round(verdict.afterMs));
    }
    expect(delays.map((ms) => ms / 1000)).to.deep.equal([
      ...[1, 2, 5, 10, 30],
      ...[60, 300, 1800],
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * 3600),
    ]);
  });

  it('spreads retries by a tenth either way', () => {
    const after = (chance: number): unknown => judgeAttempt(timeout, 3, chance);
    expect(after(0)).to.deep.equal({ next: 'again', afterMs: 9000 });
    expect(after(1)).to.deep.equal({ next: 'again', afterMs: 11_000 });
  });

  it('takes 2xx as taken, 410 as gone, and everything else as a failure, redirects too', () => {
    for (const status of [200, 201, 202, 204, 299])
      expect(judgeAttempt(answered(status), 0, MIDDLE).next, String(status)).to.equal('delivered');
    expect(judgeAttempt(answered(410), 0, MIDDLE)).to.deep.equal({ next: 'gone' });
    expect(judgeAttempt(answered(410), 99, MIDDLE), 'at the last attempt too').to.deep.equal({
      next: 'gone',
    });
    for (const status of [199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 411, 500, 503])
      expect(judgeAttempt(answered(status), 0, MIDDLE).next, String(status)).to.equal('again');
  });

  it('honours Retry-After of 429, 502, 503 and 504, up to an hour, and never comes earlier for it', () => {
    for (const status of [429, 502, 503, 504]) {
      const after = (ms: number | null) => judgeAttempt(answered(status, ms), 0, MIDDLE);
      expect(after(120_000), String(status)).to.deep.equal({ next: 'again', afterMs: 120_000 });
      expect(after(0)).to.deep.equal({ next: 'again', afterMs: 1000 });
      expect(after(null)).to.deep.equal({ next: 'again', afterMs: 1000 });
      expect(after(1000 * HOUR_MS)).to.deep.equal({ next: 'again', afterMs: HOUR_MS });
    }
    expect(judgeAttempt(answered(500, 120_000), 0, MIDDLE)).to.deep.equal({ next: 'again', afterMs: 1000 });
  });

  it('ends for every receiver, and waits at least nine tenths of the schedule', () => {
    const result = fc.oneof(
      fc.constant(timeout),
      fc.record({
        kind: fc.constant('answered' as const),
        status: fc.integer({ min: 100, max: 999 }),
        retryAfterMs: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true })),
      }),
    );
    fc.assert(
      fc.property(
        result,
        fc.nat({ max: 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (one, failures, chance) => {
          const verdict = judgeAttempt(one, failures, chance);
          if (verdict.next !== 'again') return;
          expect(failures).to.be.below(RETRY_DELAYS_MS.length);
          expect(verdict.afterMs).to.be.within(0.9 * RETRY_DELAYS_MS[failures]! - 1, 24 * HOUR_MS * 1.1);
        },
      ),
    );
  });

  it('TEL-3: is over within four days, however long the receiver asks to wait, and not before two and a half', () => {
    const totalHours = (result: AttemptResult, chance: number): number => {
      let totalMs = 0;
      for (let failures = 0; ; failures += 1) {
        const verdict = judgeAttempt(result, failures, chance);
        if (verdict.next !== 'again') return totalMs / HOUR_MS;
        totalMs += verdict.afterMs;
      }
    };
    expect(totalHours(answered(503, 1000 * HOUR_MS), 1)).to.be.within(90, 96);
    expect(totalHours(timeout, MIDDLE)).to.be.within(75, 76);
    expect(totalHours(timeout, 0)).to.be.above(60);
  });

  it('says in a word why it failed', () => {
    expect(reasonOf(timeout)).to.equal('timeout');
    expect(reasonOf(answered(302))).to.equal('redirect');
    expect(reasonOf(answered(410))).to.equal('gone');
    expect(reasonOf(answered(500))).to.equal('status');
  });
});
