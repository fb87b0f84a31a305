import { expect } from 'chai';
import { bridgeIdOf, legIdOf } from '../../control-plane/src/domain/ids.ts';
import { AKRAM, asOperator, PRIYA_AOR, sessionIdOf, startCoreLab } from '../support/core-lab.ts';

const ID = sessionIdOf(1);

describe('scenario: a process dies and another takes its place', () => {
  it('FB-1 a session that was active stays active: nothing is dialled, joined voices stay muted', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.kill();
    await lab.forward(3000);
    const before = lab.pbx.orders.length;
    await lab.boot();
    await lab.forward(20_000);
    expect((await lab.live()).phase).to.equal('active');
    expect(lab.pbx.orders.slice(before).filter((order) => order.startsWith('dial'))).to.be.empty;
    expect(lab.pbx.orders.slice(before)).to.include.members([
      `join ${ID}.stream ${ID}.citizen-app.1 speaks`,
      `join ${ID}.stream ${ID}.operator-app.1 listens`,
    ]);
  });

  it('RTC-1 a restart before her first packet offers nothing anew to a device that has answered', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(1200);
    await lab.answer('citizen-app');
    lab.kill();
    await lab.boot();
    await lab.forward(1000);
    expect(lab.legs('citizen-app')).to.deep.equal([legIdOf(ID, 'citizen-app', 1)]);
  });

  it('FB-2 an overdue watchdog calls both phones at the start', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.kill();
    await lab.forward(60_000);
    await lab.boot();
    await lab.forward(0);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect(lab.legs('operator-phone')).to.have.length(1);
  });

  it('FB-2 a watchdog that is not yet due fires at its time', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(3500);
    lab.kill();
    await lab.forward(500);
    await lab.boot();
    await lab.forward(999);
    expect(lab.legs('citizen-phone')).to.be.empty;
    await lab.forward(1);
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it('FB-2 an overdue watchdog does not ring her phone while packets flow on an answer that nobody noted', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.kill();
    lab.pbx.answer(lab.leg('citizen-app'));
    await lab.forward(60_000);
    await lab.boot();
    await lab.forward(200);
    await lab.packets();
    await lab.forward(1000);
    const { fallback, stream } = await lab.live();
    expect(stream.streamingSince).not.to.be.null;
    expect(fallback).to.include({ reason: 'operator-absent', mode: 'operators-only' });
    expect(lab.legs('citizen-phone')).to.be.empty;
  });

  it('FB-2 with an answered leg and no packets, her phone rings after one count', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('citizen-app');
    lab.kill();
    await lab.forward(60_000);
    await lab.boot();
    expect(lab.legs('citizen-phone')).to.be.empty;
    await lab.forward(300);
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it('hears of what the engine saw meanwhile: an answered phone is bridged, a leg that ended is struck off', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(5000);
    await lab.answer('operator-phone');
    lab.kill();
    lab.pbx.answer(lab.leg('citizen-phone'));
    lab.pbx.end(lab.legs('citizen-app')[0]!, 'media-failed');
    await lab.boot();
    const session = await lab.live();
    expect(session.phase).to.equal('phone-connected');
    expect(session.legs.map((leg) => leg.id)).not.to.include(legIdOf(ID, 'citizen-app', 1));
    expect(lab.pbx.leg(lab.leg('citizen-phone'))).to.include({
      bridgeId: bridgeIdOf(ID, 'phone'),
      voice: 'both',
    });
    expect(lab.pbx.leg(lab.leg('operator-phone'))).to.include({ bridgeId: bridgeIdOf(ID, 'phone') });
  });

  it('hangs up legs and closes bridges that belong to no open session', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.kill();
    const store = lab.memory.store;
    const stray = legIdOf(sessionIdOf(7), 'citizen-phone', 1);
    await lab.boot();
    await lab.core.stop();
    lab.kill();
    await lab.pbx.start();
    await lab.pbx.provisionEndpoint(PRIYA_AOR);
    await lab.pbx.dialApp({
      legId: stray,
      sessionId: sessionIdOf(7),
      kind: 'citizen-app',
      aor: PRIYA_AOR,
      ringTimeoutMs: 1000,
    });
    lab.pbx.answer(stray);
    await lab.pbx.join(bridgeIdOf(sessionIdOf(7), 'stream'), stray, 'speaks');
    await lab.boot();
    expect(lab.pbx.leg(stray)).to.be.undefined;
    expect(lab.pbx.bridgeIds).to.deep.equal([bridgeIdOf(ID, 'stream')]);
    expect((await store.find(ID))?.session.phase).to.equal('active');
  });

  it('FB-8 a hang-up that was decided and not carried out is carried out', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('citizen-app');
    await lab.answer('operator-app');
    await lab.forward(5000);
    lab.pbx.lose();
    await lab.packets();
    await lab.heard();
    expect((await lab.live()).phase).to.equal('active');
    expect(lab.legs('citizen-phone')).to.have.length(1);
    lab.kill();
    await lab.boot();
    expect(lab.legs('citizen-phone')).to.be.empty;
    expect(lab.legs('operator-phone')).to.be.empty;
    expect((await lab.live()).phase).to.equal('active');
  });

  it('RTC-9 a session that ended just before has its legs struck off, and its endpoint goes', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.pbx.lose();
    expect(await lab.gateway.resolve(asOperator(AKRAM), ID, null)).to.have.property('ok', true);
    lab.kill();
    for (const legId of lab.pbx.legIds) lab.pbx.end(legId, 'lost');
    const before = lab.pbx.orders.length;
    await lab.boot();
    await lab.forward(1000);
    expect((await lab.memory.store.find(ID))?.session).to.deep.include({ phase: 'resolved', legs: [] });
    expect(lab.pbx.orders.slice(before)).to.include(`remove ${PRIYA_AOR}`);
  });

  it('FB-2 dials what was decided and never dialled, under the same name', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    lab.pbx.lose();
    await lab.forward(5000);
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
    lab.kill();
    await lab.boot();
    expect(lab.legs('citizen-phone')).to.deep.equal([legIdOf(ID, 'citizen-phone', 1)]);
  });

  it('RTC-1 devices that are still registered need not come back to be found', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.kill();
    await lab.boot();
    await lab.activate();
    expect(lab.legs('citizen-app')).to.have.length(1);
  });

  it('a store that goes away in the middle of a start is waited for, and the start goes on by itself', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(1000);
    lab.kill();
    lab.mood = 'down';
    const booted = lab.boot();
    await lab.forward(10_000);
    expect(lab.ordered('dial').filter((order) => order.includes('phone'))).to.be.empty;
    lab.mood = 'up';
    await lab.forward(1500);
    await booted;
    await lab.forward(400);
    expect(lab.legs('citizen-phone')).to.have.length(1);
    expect((await lab.live()).phase).to.equal('phone-fallback-active');
  });
});
