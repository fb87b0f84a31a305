import { expect } from 'chai';
import { legIdOf } from '../../control-plane/src/domain/ids.ts';
import { AKRAM, BINA, PRIYA_AOR, sessionIdOf, startCoreLab } from '../support/core-lab.ts';

const ID = sessionIdOf(1);

describe('scenario: trouble with the engine', () => {
  it('FB-2 the deadline passes while the engine is out of reach: both phones are called the moment it is back', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4500);
    lab.pbx.lose();
    await lab.forward(1500);
    expect(lab.legs('citizen-phone')).to.be.empty;
    lab.pbx.comeBack();
    await lab.forward(0);
    expect(lab.legs('citizen-phone')).to.deep.equal([legIdOf(ID, 'citizen-phone', 1)]);
    expect(lab.legs('operator-phone')).to.have.length(1);
  });

  it('RTC-1 an activation while the engine is out of reach is offered the moment it is back', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    lab.pbx.lose();
    await lab.activate();
    await lab.forward(1000);
    lab.pbx.comeBack();
    await lab.forward(0);
    expect(lab.legs('citizen-app')).to.deep.equal([legIdOf(ID, 'citizen-app', 1)]);
    expect(lab.legs('operator-app')).to.have.length(1);
  });

  it('RTC-4 a connection that breaks and returns changes nothing for an active stream', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.pbx.lose();
    await lab.forward(2000);
    lab.pbx.comeBack();
    await lab.forward(10_000);
    const session = await lab.live();
    expect(session.phase).to.equal('active');
    expect(session.legs).to.have.length(2);
    expect(lab.legs('citizen-phone')).to.be.empty;
  });

  it('FB-2 an engine that dies loses the stream: without her contact, the phones are called after 4 s', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.pbx.crash();
    await lab.forward(500);
    lab.pbx.comeBack();
    await lab.forward(0);
    expect((await lab.live()).phase).to.equal('degraded');
    await lab.forward(4000);
    expect((await lab.live()).fallback).to.include({ reason: 'media-lost', mode: 'both' });
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it('an engine that dies and a device that returns: the stream is taken up again without a call', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.pbx.crash();
    lab.pbx.comeBack();
    await lab.forward(500);
    await lab.connect(PRIYA_AOR);
    await lab.answer('citizen-app');
    await lab.packets();
    await lab.beginShift(AKRAM);
    await lab.answer('operator-app');
    await lab.heard();
    await lab.forward(20_000);
    expect((await lab.live()).phase).to.equal('active');
    expect(lab.ordered(`dial ${ID}.citizen-phone`)).to.be.empty;
  });

  it('what the engine knows is asked again when the store answers', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.pbx.lose();
    lab.pbx.end(lab.leg('citizen-app'), 'completed');
    lab.mood = 'down';
    lab.pbx.comeBack();
    await lab.forward(120_000);
    lab.mood = 'up';
    await lab.forward(1000);
    expect((await lab.live()).stream.leg).to.be.null;
  });

  it('FB-2 a dial that the engine refuses is a failed attempt: retry at once, then the phones, before 5 s', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.pbx.failNext('ERR_PBX_TIMEOUT', 'ERR_PBX_TIMEOUT');
    await lab.activate();
    const { phase, fallback } = await lab.live();
    expect(phase).to.equal('phone-fallback-active');
    expect(fallback).to.include({ reason: 'signalling-error', detail: 'lost' });
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });

  it("RTC-5 a refused dial to the operator's panel moves on to the next operator", async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.beginShift(BINA);
    lab.pbx.failNext('ERR_PBX_TIMEOUT');
    await lab.activate();
    expect((await lab.live()).assignment).to.include({ state: 'assigned', operatorId: BINA });
    expect(lab.legs('operator-app')).to.have.length(1);
  });

  it('FB-7 a duty phone that cannot be dialled moves on to the next one', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    await lab.forward(4999);
    lab.pbx.failNext('ERR_PBX_TIMEOUT', 'ERR_PBX_TIMEOUT');
    await lab.forward(1);
    // The citizen's call and the first duty phone were refused.
    const { legs, alerts } = await lab.live();
    expect(legs.map((leg) => leg.id)).to.deep.equal([legIdOf(ID, 'operator-phone', 2)]);
    // The alert that she was not reached waits for the chain of duty phones (FB-7).
    expect(alerts.map((alert) => alert.kind)).to.not.include('citizen-unanswered');
    await lab.forward(20_000);
    expect((await lab.live()).alerts.map((alert) => alert.kind)).to.include('citizen-unanswered');
    expect(lab.legs('citizen-phone')).to.deep.equal([legIdOf(ID, 'citizen-phone', 2)]);
  });
});
