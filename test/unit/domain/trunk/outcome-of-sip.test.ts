import { expect } from 'chai';
import {
  outcomeOfCarrier,
  outcomeOfClient,
} from '../../../../control-plane/src/domain/trunk/outcome-of-sip.ts';

const refusal = (sipStatus: number, rang = false, q850: number | null = null) => ({ sipStatus, q850, rang });

describe('domain/trunk/outcome-of-sip', () => {
  for (const [status, before, after] of [
    [480, 'unreachable', 'no-answer'],
    [408, 'trunk-unreachable', 'no-answer'],
    [486, 'busy', 'busy'],
    [600, 'busy', 'busy'],
    [603, 'rejected', 'rejected'],
    [607, 'rejected', 'rejected'],
    [404, 'invalid-number', 'invalid-number'],
    [410, 'invalid-number', 'invalid-number'],
    [484, 'invalid-number', 'invalid-number'],
    [604, 'invalid-number', 'invalid-number'],
    [403, 'trunk-unreachable', 'trunk-unreachable'],
    [407, 'trunk-unreachable', 'trunk-unreachable'],
    [487, 'trunk-unreachable', 'trunk-unreachable'],
    [488, 'trunk-unreachable', 'trunk-unreachable'],
    [504, 'trunk-unreachable', 'trunk-unreachable'],
    [500, 'congestion', 'congestion'],
    [502, 'congestion', 'congestion'],
    [503, 'congestion', 'congestion'],
    [302, 'unreachable', 'unreachable'],
    [420, 'unreachable', 'unreachable'],
    [699, 'rejected', 'rejected'],
  ] as const) {
    it(`FB-7: ${status} of a carrier is ${before}, after ringing ${after}`, () => {
      expect(outcomeOfCarrier(refusal(status), [])).to.equal(before);
      expect(outcomeOfCarrier(refusal(status, true), [])).to.equal(after);
    });
  }

  it('TEL-7: 480 with the cause of a network without room is congestion: another trunk may do', () => {
    for (const cause of [34, 38, 41, 42, 47])
      expect(outcomeOfCarrier(refusal(480, false, cause), [])).to.equal('congestion');
    expect(outcomeOfCarrier(refusal(480, false, 19), [])).to.equal('unreachable');
  });

  it('a trunk may know better', () => {
    const override = { sipStatus: 403, outcome: 'rejected', tryOtherTrunk: false } as const;
    expect(outcomeOfCarrier(refusal(403), [override])).to.equal('rejected');
    expect(outcomeOfCarrier(refusal(404), [override])).to.equal('invalid-number');
  });

  it('no client of ours is ever a trunk', () => {
    for (let status = 300; status < 700; status += 1) {
      for (const rang of [true, false]) {
        expect(outcomeOfClient(refusal(status, rang))).to.be.oneOf([
          'busy',
          'rejected',
          'no-answer',
          'unreachable',
          'media-failed',
        ]);
      }
    }
    expect(outcomeOfClient(refusal(488))).to.equal('media-failed');
    expect(outcomeOfClient(refusal(486))).to.equal('busy');
    expect(outcomeOfClient(refusal(500)), 'RTC-7: an error is no absence').to.equal('rejected');
    expect(outcomeOfClient(refusal(480))).to.equal('unreachable');
    expect(outcomeOfClient(refusal(503))).to.equal('unreachable');
    expect(outcomeOfClient(refusal(480, true))).to.equal('no-answer');
  });
});
