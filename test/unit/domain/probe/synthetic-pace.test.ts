import { expect } from 'chai';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { ofToday, roundMs } from '../../../../control-plane/src/domain/probe/synthetic-pace.ts';

const DAY_MS = 86_400_000;

describe('domain/probe/synthetic-pace', () => {
  it('TEL-8: keeps the interval as long as the calls of a day suffice for it', () => {
    expect(roundMs({ everyMs: 300_000, callsPerDay: 300 }, 1)).to.equal(300_000);
  });

  it('TEL-8: spreads the calls of a day over the day where there are more trunks than they suffice for', () => {
    expect(roundMs({ everyMs: 300_000, callsPerDay: 300 }, 3)).to.equal(864_000);
    expect(roundMs({ everyMs: 60_000, callsPerDay: 1 }, 1)).to.equal(DAY_MS);
  });

  it('never lets a day have more rounds than it has calls for', () => {
    for (const trunks of [1, 2, 3, 7])
      for (const callsPerDay of [1, 5, 300, 10_000]) {
        const rounds = DAY_MS / roundMs({ everyMs: 60_000, callsPerDay }, trunks);
        expect(rounds * trunks).to.be.at.most(callsPerDay);
      }
  });

  it('counts the calls of the last 24 hours', () => {
    const calls = [0, 1, 10].map((at) => at as Instant);
    expect(ofToday(calls, DAY_MS as Instant)).to.deep.equal([1, 10]);
  });
});
