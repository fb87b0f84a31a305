/** A model test that finds nothing proves nothing: bugs are planted, and have to be found (all of them: `make mutants`). */
import { expect } from 'chai';
import { walkWith } from '../../../model/plant.ts';
import { PLANTED_BUGS } from '../../../model/planted-bugs.ts';

const SEQUENCES = 3000;
const SEED = 20_261_120;
/** One of each kind of promise, the quick ones. */
const HERE = [
  'the deadline passes and nothing is dialled',
  'an answer that crossed its CANCEL stays up',
  'the stream wins against a connected call',
  'the stream wins and her phone rings on',
  'a second automatic retry',
  'both phones are up and never joined',
  'no voice, every alert acknowledged, and nothing will ever happen',
];

describe('domain/session/reduce (planted bugs)', () => {
  it('has a bug for at least fifteen rules, and each stands where it is said to', () => {
    expect(PLANTED_BUGS.length).to.be.at.least(15);
    expect(HERE.filter((name) => !PLANTED_BUGS.some((bug) => bug.name === name))).to.deep.equal([]);
  });

  it('finds nothing in the sources as they are', async () => {
    expect((await walkWith(null, 300, SEED)).broken).to.equal(null);
  });

  for (const bug of PLANTED_BUGS.filter(({ name }) => HERE.includes(name))) {
    it(`finds it when ${bug.name} (${bug.rule})`, async () => {
      expect((await walkWith(bug, SEQUENCES, SEED)).broken).to.not.equal(null);
    });
  }
});
