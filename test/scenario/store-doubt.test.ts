import { expect } from 'chai';
import { AKRAM, PRIYA_AOR, sessionIdOf, startCoreLab } from '../support/core-lab.ts';

const ID = sessionIdOf(1);
/** Longer than the wait between two questions to a store that is away. */
const BACK_MS = 1500;

describe('scenario: a commit in doubt', () => {
  it('FB-2 overtaken by another press: the watchdog that was committed and not answered still rings both phones', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4990);
    lab.mood = 'mute';
    await lab.forward(20);
    // Under another key of the loop: it does not wait for the watchdog, and finds the row moved on.
    await lab.activate();
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    await lab.forward(500);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect(lab.legs('operator-phone')).to.have.length(1);
    // Nobody answers: the ring times are the wheel's although the store had no answer to give.
    await lab.forward(BACK_MS + 25_000);
    expect(lab.ordered(`hangup ${ID}.citizen-phone.1`)).not.to.be.empty;
    expect(lab.ordered(`hangup ${ID}.operator-phone.1`)).not.to.be.empty;
    expect((await lab.eventTypes()).filter((type) => type === 'roster.chain-found')).to.have.length(1);
    expect(lab.journal.entries).to.be.empty;
  });
});
