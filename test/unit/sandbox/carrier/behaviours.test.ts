import { expect } from 'chai';
import {
  BEHAVIOURS,
  DEFAULT_BEHAVIOUR,
  behaviourNamed,
  behaviourOf,
  refusalStatus,
} from '../../../../control-plane/sandbox/carrier/behaviours.ts';

describe('sandbox/carrier/behaviours', () => {
  it('gives every row a name and two digits of its own', () => {
    expect(new Set(BEHAVIOURS.map(({ name }) => name)).size).to.equal(BEHAVIOURS.length);
    expect(new Set(BEHAVIOURS.map(({ digits }) => digits)).size).to.equal(BEHAVIOURS.length);
    for (const { digits, name } of BEHAVIOURS) {
      expect(digits).to.match(/^\d\d$/);
      expect(name).to.match(/^[a-z0-9-]+$/);
    }
  });

  it('orders the steps of each row in time, the final one last', () => {
    for (const { name, steps } of BEHAVIOURS) {
      const times = steps.map(({ atMs }) => atMs);
      expect(times, name).to.deep.equal(times.toSorted((one, other) => one - other));
      const refusal = steps.findIndex((step) => step.do === 'refuse');
      expect(refusal === -1 || refusal === steps.length - 1, name).to.equal(true);
    }
  });

  it('chooses by the last two digits, whatever the form of the number', () => {
    expect(behaviourOf('+919812345046').name).to.equal('busy');
    expect(behaviourOf('09812345046').name).to.equal('busy');
    expect(behaviourOf('9812345099').name).to.equal('no-reply');
    expect(behaviourOf('9812345077')).to.equal(DEFAULT_BEHAVIOUR);
  });

  it('writes a refusal as the outer digits of its status', () => {
    for (const behaviour of BEHAVIOURS.filter(({ digits }) => /^[456]/.test(digits))) {
      const status = String(refusalStatus(behaviour));
      expect(`${status[0]}${status[2]}`, behaviour.name).to.equal(behaviour.digits);
    }
  });

  it('covers each status that the gateway must tell apart (TEL-5)', () => {
    const statuses = new Set(BEHAVIOURS.map(refusalStatus).filter((status) => status !== undefined));
    expect([...statuses].toSorted()).to.deep.equal([403, 404, 480, 486, 500, 503, 603]);
  });

  it('throws on a name that no row has', () => {
    expect(behaviourNamed('slow-mobile').digits).to.equal('11');
    expect(() => behaviourNamed('slow-moble')).to.throw(RangeError);
  });
});
