/** A model test that finds nothing proves nothing: bugs are planted, and have to be found. */
import { expect } from 'chai';
import { walkWith } from '../../../model/plant.ts';
import { PLANTED_BUGS } from '../../../model/planted-bugs.ts';

const MOST_SEQUENCES = 50_000;
/** The rarest is found after a second on a machine that does nothing else, and there are others at work. */
const FOUND_MS = 60_000;
const SEED = 20_261_120;

describe('domain/session/reduce (planted bugs)', function () {
  this.timeout(FOUND_MS);

  it('has a bug for at least fifteen rules', () => {
    expect(new Set(PLANTED_BUGS.map(({ rule }) => rule)).size).to.be.at.least(15);
  });

  it('finds nothing in the sources as they are', async () => {
    expect((await walkWith(null, 300, SEED)).broken).to.equal(null);
  });

  for (const bug of PLANTED_BUGS) {
    it(`finds it when ${bug.name} (${bug.rule})`, async () => {
      expect((await walkWith(bug, MOST_SEQUENCES, SEED)).broken).to.not.equal(null);
    });
  }
});
