import { expect } from 'chai';
import { isTrunkFailure, mayTryOtherTrunk } from '../../../../control-plane/src/domain/trunk/failover.ts';
import { outcomeOfCarrier } from '../../../../control-plane/src/domain/trunk/outcome-of-sip.ts';
import type { CauseOverride } from '../../../../control-plane/src/domain/trunk/trunk.ts';

/** status, cause, before a 180: another trunk? */
const BEFORE_RINGING: readonly (readonly [status: number | null, q850: number | null, other: boolean])[] = [
  [486, 17, false],
  [600, 17, false],
  [603, 21, false],
  [607, 21, false],
  [608, 21, false],
  [480, 19, false],
  [480, 31, false],
  [480, 34, true],
  [480, 38, true],
  [480, 41, true],
  [480, 42, true],
  [480, 47, true],
  [408, 18, true],
  [404, 1, false],
  [404, 2, true],
  [404, 3, true],
  [410, 22, false],
  [484, 28, false],
  [485, 1, false],
  [604, 1, false],
  [403, 21, true],
  [401, 21, true],
  [402, 127, true],
  [407, 21, true],
  [415, 127, true],
  [488, 58, true],
  [606, 58, true],
  [487, 127, true],
  [500, 38, true],
  [502, 27, true],
  [503, 34, true],
  [504, 102, true],
  [580, 38, true],
  [302, 23, true],
  [604, 1, false],
  [699, 21, false],
];

describe('domain/trunk/failover', () => {
  for (const [sipStatus, q850, other] of BEFORE_RINGING) {
    it(`TEL-7: ${sipStatus} with cause ${q850} before ringing: ${other ? 'the next trunk' : 'no other trunk'}`, () => {
      const outcome = outcomeOfCarrier({ sipStatus: sipStatus ?? 0, q850, rang: false }, []);
      expect(mayTryOtherTrunk({ outcome, sipStatus, q850 }, false, [])).to.equal(other);
    });
  }

  it('TEL-7: never tries another trunk once a telephone has rung', () => {
    for (const [sipStatus, q850] of BEFORE_RINGING) {
      const outcome = outcomeOfCarrier({ sipStatus: sipStatus ?? 0, q850, rang: true }, []);
      expect(mayTryOtherTrunk({ outcome, sipStatus, q850 }, true, []), String(sipStatus)).to.equal(false);
    }
  });

  it('TEL-7: a trunk that nothing was heard of is left for the next', () => {
    const end = { outcome: 'trunk-unreachable', sipStatus: null, q850: null } as const;
    expect(mayTryOtherTrunk(end, false, [])).to.equal(true);
  });

  it('lets the trunk’s own table stand above the general one, both ways', () => {
    const overrides: readonly CauseOverride[] = [
      { sipStatus: 486, outcome: 'congestion', tryOtherTrunk: true },
      { sipStatus: 503, outcome: 'busy', tryOtherTrunk: false },
    ];
    const of = (sipStatus: number) => {
      const outcome = outcomeOfCarrier({ sipStatus, q850: null, rang: false }, overrides);
      return mayTryOtherTrunk({ outcome, sipStatus, q850: null }, false, overrides);
    };
    expect([of(486), of(503), of(500)]).to.deep.equal([true, false, true]);
  });

  it('tells the network’s failure from the person’s', () => {
    expect(isTrunkFailure('congestion')).to.equal(true);
    expect(isTrunkFailure('trunk-unreachable')).to.equal(true);
    for (const outcome of ['busy', 'rejected', 'no-answer', 'unreachable', 'invalid-number', 'lost'] as const)
      expect(isTrunkFailure(outcome), outcome).to.equal(false);
  });
});
