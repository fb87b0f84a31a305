import { expect } from 'chai';
import { startCoreLab } from '../../support/core-lab.ts';

describe('app/take-back', () => {
  it('takes the engine back while the lease is held: the other one is the rogue', async () => {
    const lab = await startCoreLab();
    lab.pbx.replace();
    expect(lab.pbx.attached).to.equal(false);
    await lab.forward(1000);
    expect(lab.pbx.attached).to.equal(true);
  });

  it('leaves it to whoever has it once the lease is somebody else’s', async () => {
    const lab = await startCoreLab();
    lab.lease = 'fenced';
    lab.pbx.replace();
    await lab.forward(60_000);
    expect(lab.pbx.attached).to.equal(false);
  });

  it('commands nothing while nobody can be asked, and decides when somebody can', async () => {
    const lab = await startCoreLab();
    lab.lease = 'out-of-reach';
    lab.pbx.replace();
    await lab.forward(10_000);
    expect(lab.pbx.attached).to.equal(false);
    lab.lease = 'held';
    await lab.forward(1000);
    expect(lab.pbx.attached).to.equal(true);
  });
});
