import { expect } from 'chai';
import { Rounds } from '../../../../control-plane/src/app/webhooks/rounds.ts';

describe('app/webhooks: rounds', () => {
  it('are one at a time, and one more for whatever was wanted meanwhile', async () => {
    const begun: (() => void)[] = [];
    const rounds = new Rounds(() => new Promise((resolve) => begun.push(resolve)));
    for (let n = 0; n < 5; n += 1) rounds.want();
    expect(begun).to.have.length(1);
    begun[0]!();
    await new Promise(setImmediate);
    expect(begun, 'four more wishes, one more round').to.have.length(2);
    begun[1]!();
    await new Promise(setImmediate);
    expect(begun, 'nothing was wanted meanwhile').to.have.length(2);
    rounds.want();
    expect(begun).to.have.length(3);
    begun[2]!();
    await rounds.idle();
  });

  it('begin anew whenever they are wanted, however soon after the last one', async () => {
    let count = 0;
    const rounds: Rounds = new Rounds(async () => {
      count += 1;
      await Promise.resolve();
    });
    for (let n = 1; n <= 50; n += 1) {
      rounds.want();
      await rounds.idle();
      expect(count).to.equal(n);
    }
  });
});
