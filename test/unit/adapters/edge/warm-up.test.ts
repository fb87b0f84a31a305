import { expect } from 'chai';
import { warmUp } from '../../../../control-plane/src/adapters/edge/warm-up.ts';

describe('adapters/edge/warm-up', () => {
  it('costs a start little', () => {
    const started = performance.now();
    warmUp();
    expect(performance.now() - started).to.be.lessThan(1_500);
  });
});
