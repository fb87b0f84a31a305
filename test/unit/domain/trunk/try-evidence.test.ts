import { expect } from 'chai';
import type { LegOutcome } from '../../../../control-plane/src/domain/session/leg.ts';
import { evidenceOfEnd, resultOfEnd } from '../../../../control-plane/src/domain/trunk/try-evidence.ts';

const end = (outcome: LegOutcome, more = {}) => ({
  ...{ purpose: 'sos' as const, sipStatus: null, silent: false, wasAnswered: false },
  outcome,
  ...more,
});

describe('domain/trunk/try-evidence', () => {
  const table: readonly (readonly [
    LegOutcome,
    ReturnType<typeof resultOfEnd>,
    ReturnType<typeof evidenceOfEnd>,
  ])[] = [
    ['completed', 'answered', null],
    ['busy', 'reached', 'good'],
    ['rejected', 'reached', 'good'],
    ['no-answer', 'reached', null],
    ['unreachable', 'failed', null],
    ['invalid-number', 'failed', null],
    ['media-failed', 'failed', null],
    ['congestion', 'failed', 'full'],
    ['trunk-unreachable', 'failed', 'bad'],
    ['cancelled', null, null],
    ['lost', null, null],
  ];
  for (const [outcome, result, evidence] of table)
    it(`TEL-8: ${outcome} counts as ${String(result)}, and says ${String(evidence)} of the trunk`, () => {
      expect(resultOfEnd(end(outcome))).to.equal(result);
      expect(evidenceOfEnd(end(outcome))).to.equal(evidence);
    });

  it('TEL-8: a refusal of whom the backend calls may mean that one alone; no answer at all means the trunk', () => {
    const barred = { purpose: 'call', sipStatus: 403 };
    expect(evidenceOfEnd(end('trunk-unreachable', barred))).to.equal('refused');
    expect(resultOfEnd(end('trunk-unreachable', barred))).to.equal('failed');
    expect(evidenceOfEnd(end('trunk-unreachable', { purpose: 'call' }))).to.equal('bad');
    expect(evidenceOfEnd(end('trunk-unreachable', { purpose: 'sos', sipStatus: 403 }))).to.equal('bad');
    expect(evidenceOfEnd(end('trunk-unreachable', { purpose: 'synthetic', sipStatus: 403 }))).to.equal('bad');
  });

  it('TEL-8: silence is a failure, although we cancelled it for that', () => {
    expect(resultOfEnd(end('cancelled', { silent: true }))).to.equal('failed');
    expect(evidenceOfEnd(end('cancelled', { silent: true }))).to.equal('bad');
  });

  it('what was answered counted then, and its end says nothing', () => {
    for (const outcome of ['completed', 'cancelled', 'lost', 'media-failed'] as const) {
      expect(resultOfEnd(end(outcome, { wasAnswered: true }))).to.equal(null);
      expect(evidenceOfEnd(end(outcome, { wasAnswered: true }))).to.equal(null);
    }
  });
});
