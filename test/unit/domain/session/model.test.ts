/** Random sequences of everything that may happen to one session (test/model). `make soak-model` walks a million. */
import { expect } from 'chai';
import { runModel } from '../../../model/run-model.ts';

const SEQUENCES = 20_000;

describe('domain/session/reduce (model)', () => {
  it('FB-8 RTC-7 FB-6 FB-7 FB-9 FB-10 keeps its promises under any interleaving of events, delays, doubles and losses', () => {
    const { sequences, broken } = runModel(SEQUENCES);
    expect(broken?.message ?? null, `seed ${String(broken?.seed)}`).to.equal(null);
    expect(sequences).to.equal(SEQUENCES);
  }).timeout(120_000);
});
