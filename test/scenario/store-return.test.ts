import { expect } from 'chai';
import { AKRAM, BACKEND, PRIYA_AOR, sessionIdOf, startCoreLab } from '../support/core-lab.ts';
import type { CoreLab } from '../support/core-lab.ts';

const ID = sessionIdOf(1);
const HOUR_MS = 3_600_000;
/** Longer than the wait between two questions to a store that is away. */
const BACK_MS = 1500;

/** She pressed during an outage, and the node died. */
async function killedWithAJournal(): Promise<CoreLab> {
  const lab = await startCoreLab();
  await lab.connect(PRIYA_AOR);
  lab.mood = 'down';
  await lab.activate();
  await lab.forward(1000);
  return lab;
}

async function bootedAfter(lab: CoreLab, byMs: number): Promise<void> {
  lab.kill();
  await lab.forward(byMs);
  lab.mood = 'up';
  await lab.boot();
  await lab.forward(400);
}

describe('scenario: the journal goes to the store', () => {
  it('a store that is there and slow gets everything, and the file does not grow; it serves when it is quick', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    lab.mood = 'down';
    await lab.activate();
    await lab.forward(6000);
    expect(lab.journal.entries).not.to.be.empty;
    lab.mood = 'slow';
    await lab.forward(4000);
    expect(lab.journal.entries).to.be.empty;
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    expect((await lab.gateway.health()).database).to.equal(false);
    // An SOS does not wait for it.
    lab.pbx.answer(lab.leg('citizen-phone'));
    lab.pbx.answer(lab.leg('operator-phone'));
    await lab.forward(50);
    expect(lab.ordered(`join ${ID}.phone`)).to.have.length(2);
    await lab.forward(4000);
    expect(lab.journal.entries).to.be.empty;
    lab.mood = 'up';
    await lab.forward(BACK_MS);
    expect((await lab.gateway.health()).database).to.equal(true);
    expect((await lab.live()).phase).to.equal('phone-connected');
  });

  it('FB-2 an SOS of an hour ago that nobody but this journal knows does not come up again; it is set aside', async () => {
    const lab = await killedWithAJournal();
    const kept = lab.journal.entries.length;
    const dialled = lab.ordered('dial').length;
    await bootedAfter(lab, HOUR_MS);
    expect(await lab.memory.store.find(ID)).to.equal(null);
    expect(lab.ordered('dial')).to.have.length(dialled);
    expect(lab.journal.entries).to.be.empty;
    expect(lab.journal.aside).to.have.length(kept);
    await lab.forward(60_000);
    expect(lab.legs('citizen-phone')).to.be.empty;
    // She presses again: that is an SOS of its own.
    await lab.activate();
    expect((await lab.live(sessionIdOf(2))).phase).to.equal('connecting');
  });

  it('FB-2 one of 59 minutes ago does, and its watchdog fires', async () => {
    const lab = await killedWithAJournal();
    await bootedAfter(lab, HOUR_MS - 60_000);
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    expect(lab.journal.aside).to.be.empty;
  });

  it('one that has ended is written down however old it is: a record rings nobody', async () => {
    const lab = await killedWithAJournal();
    expect(await lab.gateway.resolve(BACKEND, ID, 'false alarm')).to.have.property('ok', true);
    await lab.forward(1000);
    await bootedAfter(lab, 10 * HOUR_MS);
    expect((await lab.session()).phase).to.equal('resolved');
    expect(lab.journal.aside).to.be.empty;
  });

  it('a call that stands in one that is set aside is not cut off, and what only rings is', async () => {
    const lab = await killedWithAJournal();
    await lab.answer('citizen-app');
    await lab.forward(4500);
    const [speaking] = lab.legs('citizen-app').filter((id) => lab.pbx.leg(id)?.state === 'answered');
    const ringing = lab.leg('citizen-phone');
    await bootedAfter(lab, HOUR_MS);
    expect(lab.pbx.legIds).to.include(speaking);
    expect(lab.pbx.legIds).not.to.include(ringing);
  });

  for (const mood of ['stuck', 'broken'] as const)
    it(`a disk that is ${mood} holds nobody up when something is set aside, and the file keeps it`, async () => {
      const lab = await killedWithAJournal();
      lab.kill();
      await lab.forward(HOUR_MS);
      lab.mood = 'up';
      lab.journal.mood = mood;
      const kept = [...lab.journal.entries];
      const booted = lab.boot();
      await lab.forward(3000);
      await booted;
      await lab.connect(PRIYA_AOR);
      await lab.activate();
      expect(lab.legs('citizen-app', sessionIdOf(2))).to.have.length(1);
      expect(lab.journal.entries).to.deep.equal(kept);
      expect(lab.journal.aside).to.be.empty;
      // With the next outage's end it is tried again.
      lab.journal.mood = 'up';
      lab.mood = 'down';
      await lab.forward(2000);
      lab.mood = 'up';
      await lab.forward(BACK_MS);
      expect(lab.journal.aside).to.have.length(kept.length);
      expect(lab.journal.entries).to.be.empty;
    });
});
