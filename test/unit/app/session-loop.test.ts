import { expect } from 'chai';
import { AKRAM, asOperator, BACKEND, PRIYA_AOR, sessionIdOf, startCoreLab } from '../../support/core-lab.ts';

const ID = sessionIdOf(1);

describe('app/session-loop', () => {
  it('events of one session keep their order while the store is away', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.mood = 'down';
    lab.pbx.ring(lab.leg('citizen-app'));
    lab.pbx.answer(lab.leg('citizen-app'));
    await lab.forward(700);
    lab.pbx.end(lab.leg('citizen-app'), 'media-failed', 488);
    lab.mood = 'up';
    await lab.forward(1000);
    const types = (await lab.eventTypes()).filter((type) => type.startsWith('pbx.'));
    expect(types).to.deep.equal(['pbx.ringing', 'pbx.answered', 'pbx.ended']);
  });

  it('FB-1 a watchdog that fired while its clearing waited for the store does nothing', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('citizen-app');
    await lab.answer('operator-app');
    await lab.packets();
    await lab.forward(2500);
    lab.mood = 'down';
    const heard = lab.gateway.heard(AKRAM, ID, lab.leg('operator-app'), 9);
    await lab.forward(3000);
    lab.mood = 'up';
    await lab.forward(1000);
    await heard;
    expect((await lab.live()).phase).to.equal('active');
    expect(await lab.eventTypes()).not.to.include('timer.due');
    expect(lab.ordered(`dial ${ID}.operator-phone`)).to.be.empty;
  });

  it('FB-1 a watchdog that fired and was set anew meanwhile waits for its new time', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('citizen-app');
    await lab.answer('operator-app');
    await lab.packets();
    await lab.forward(2900);
    lab.mood = 'down';
    const heard = lab.gateway.heard(AKRAM, ID, lab.leg('operator-app'), 9);
    lab.pbx.stopPackets(lab.leg('citizen-app'));
    await lab.forward(2600);
    lab.mood = 'up';
    await lab.forward(1000);
    await heard;
    expect(await lab.live()).to.include({ phase: 'degraded', watchdogAt: 1_000_000 + 2900 + 4000 });
    await lab.forward(400);
    expect((await lab.live()).fallback).to.include({ reason: 'media-lost' });
  });

  it('a timer that fired is gone from the store', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    const timers = async () => (await lab.memory.store.timers(null, 100)).map(({ timer }) => timer);
    expect(await timers()).to.include('no-operator');
    await lab.forward(10_000);
    expect(await timers()).not.to.include('no-operator');
  });

  it('a refused event writes nothing', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    const before = await lab.eventTypes();
    await lab.gateway.release(BACKEND, ID);
    expect(await lab.eventTypes()).to.deep.equal(before);
  });

  it('a bug in one event does not hold back the next one of its session', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    lab.beforeCommit = () => {
      lab.beforeCommit = () => Promise.resolve();
      return Promise.reject(new TypeError('a bug'));
    };
    const broken = lab.gateway
      .resolve(asOperator(AKRAM), ID, null)
      .catch((error: unknown) => (error as Error).name);
    expect(await broken).to.equal('TypeError');
    expect(await lab.gateway.resolve(asOperator(AKRAM), ID, null)).to.have.property('ok', true);
  });

  it('after a commit in doubt the feed tells what was written', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    const fed: string[] = [];
    lab.core.feedSource.subscribe((row) => fed.push(row.type));
    await lab.forward(4999);
    lab.mood = 'doubtful';
    await lab.forward(200);
    expect(fed).to.include('phone-fallback-active');
  });
});
