import { expect } from 'chai';
import { AKRAM, MEERA, PHONE, PRIYA_AOR, sessionIdOf, startCoreLab } from '../support/core-lab.ts';
import { citizenAor } from '../../control-plane/src/domain/ids.ts';

describe('scenario: trouble with the store', () => {
  it('FB-2 an activation whose commit was in doubt is dialled at once and keeps its watchdog', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    lab.mood = 'doubtful';
    const activated = lab.gateway.activate(lab.request());
    await lab.forward(100);
    await activated;
    expect(lab.legs('citizen-app')).to.have.length(1);
    expect(lab.legs('operator-app')).to.have.length(1);
    await lab.forward(4900);
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it('FB-2 a fallback whose commit was in doubt calls each phone once', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4999);
    lab.mood = 'doubtful';
    await lab.forward(101);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect(lab.legs('operator-phone')).to.have.length(1);
    expect(lab.ordered(`dial ${sessionIdOf(1)}.citizen-phone`)).to.have.length(1);
    await lab.forward(8000);
    expect(lab.ordered(`dial ${sessionIdOf(1)}.operator-phone`)).to.have.length(2);
  });

  it("one citizen's trouble does not hold back another", async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    const held = Promise.withResolvers<undefined>();
    lab.beforeCommit = async () => {
      lab.beforeCommit = () => Promise.resolve();
      await held.promise;
    };
    await lab.forward(3000);
    const other = citizenAor(MEERA, PHONE);
    await lab.connect(other);
    await lab.activate({ citizenId: MEERA });
    expect(lab.legs('citizen-app', sessionIdOf(2))).to.have.length(1);
    expect((await lab.live()).phase).to.equal('connecting');
    held.resolve(undefined);
    await lab.forward(0);
    expect((await lab.live()).phase).to.equal('degraded');
  });
});
