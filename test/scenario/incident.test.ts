import { expect } from 'chai';
import { bridgeIdOf, citizenAor } from '../../control-plane/src/domain/ids.ts';
import type { DeviceId } from '../../control-plane/src/domain/ids.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  BINA,
  MEERA,
  PHONE,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
} from '../support/core-lab.ts';

const ID = sessionIdOf(1);

describe('scenario: an incident', () => {
  it('RTC-2 from activation to active: she speaks, the operator listens, nobody is phoned', async () => {
    const lab = await startCoreLab();
    const fed: string[] = [];
    lab.core.feedSource.subscribe((row) => fed.push(row.type));
    await lab.becomeActive();
    expect((await lab.live()).phase).to.equal('active');
    const stream = bridgeIdOf(ID, 'stream');
    expect(lab.pbx.leg(lab.leg('citizen-app'))).to.include({ bridgeId: stream, voice: 'speaks' });
    expect(lab.pbx.leg(lab.leg('operator-app'))).to.include({ bridgeId: stream, voice: 'listens' });
    await lab.forward(60_000);
    expect(lab.legs('citizen-phone')).to.be.empty;
    expect(fed).to.deep.equal(['sos.activated', 'sos.assigned', 'sos.streaming', 'sos.heard', 'sos.active']);
  });

  it('RTC-5 a panel that dies without a word is found by its silence, and the next operator is offered', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.beginShift(BINA);
    lab.panelsLive = false;
    await lab.forward(4000);
    expect((await lab.live()).phase).to.equal('active');
    await lab.forward(2000);
    const session = await lab.live();
    expect(session.phase).to.equal('degraded');
    expect(session.assignment).to.include({ state: 'assigned', operatorId: BINA });
    expect(lab.legs('operator-app')).to.have.length(2);
  });

  it('RTC-9 resolve ends every leg, bridge, socket and endpoint of hers', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    expect(await lab.gateway.resolve(asOperator(AKRAM), ID, null)).to.have.property('ok', true);
    await lab.forward(0);
    expect(lab.pbx.legIds).to.be.empty;
    expect(lab.pbx.bridgeIds).to.be.empty;
    expect([...lab.pbx.endpoints]).to.deep.equal(['operator-akram-panel1']);
    expect(lab.closed).to.deep.equal([PRIYA_AOR]);
    expect(await lab.memory.store.timers(null, 100)).to.be.empty;
  });

  it('FB-2 FB-3 without a stream both phones ring at 5 s and are bridged', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(4999);
    expect(lab.legs('citizen-phone')).to.be.empty;
    await lab.forward(1);
    lab.pbx.ring(lab.leg('citizen-phone'));
    await lab.answer('citizen-phone');
    expect(lab.pbx.leg(lab.leg('citizen-phone'))?.holding).to.be.true;
    await lab.answer('operator-phone');
    const session = await lab.live();
    expect(session.phase).to.equal('phone-connected');
    expect(lab.pbx.leg(lab.leg('citizen-phone'))?.bridgeId).to.equal(bridgeIdOf(ID, 'phone'));
    expect(lab.legs('citizen-app')).to.be.empty;
    expect(lab.legs('operator-app')).to.be.empty;
    expect(session.fallback?.callReference).to.equal(`fake-${ID}.citizen-phone.1`);
  });

  it('FB-8 a stream that comes while the phones ring wins: both calls end', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('operator-app');
    await lab.forward(5500);
    await lab.answer('citizen-app');
    await lab.packets();
    await lab.heard();
    const session = await lab.live();
    expect(session.phase).to.equal('active');
    expect(session.fallback).to.be.null;
    expect(lab.legs('citizen-phone')).to.be.empty;
    expect(lab.legs('operator-phone')).to.be.empty;
  });

  it('RTC-1 a contact that comes late is offered at once', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    await lab.forward(1200);
    expect(lab.legs('citizen-app')).to.be.empty;
    await lab.connect(PRIYA_AOR);
    expect(lab.legs('citizen-app')).to.have.length(1);
    expect(lab.clock.now()).to.equal(1_001_200);
  });

  it('RTC-1 a contact that comes while the activation is being written is offered at once', async () => {
    const lab = await startCoreLab();
    lab.beforeCommit = async () => {
      lab.beforeCommit = () => Promise.resolve();
      await lab.gateway.deviceAdmitted(PRIYA_AOR);
      lab.pbx.register(PRIYA_AOR);
    };
    await lab.activate();
    expect(lab.legs('citizen-app')).to.have.length(1);
  });

  it('two presses at once are one session, offered once', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.connect(PRIYA_AOR);
    const request = lab.request();
    const [first, second] = await Promise.all([lab.gateway.activate(request), lab.gateway.activate(request)]);
    await lab.forward(0);
    expect(first).to.deep.include({ ok: true });
    const ids = [first, second].map((result) => (result.ok ? result.value.id : null));
    expect(ids).to.deep.equal([ID, ID]);
    expect([first, second].map((result) => result.ok && result.value.folded)).to.deep.equal([false, true]);
    expect(lab.legs('citizen-app')).to.have.length(1);
    expect(lab.legs('operator-app')).to.have.length(1);
  });

  it('a press on her second phone is folded, and that phone is offered', async () => {
    const lab = await startCoreLab();
    const other = citizenAor(PRIYA, 'phone2' as DeviceId);
    await lab.connect(PRIYA_AOR);
    await lab.connect(other);
    await lab.activate();
    const again = await lab.activate({ deviceId: 'phone2' });
    expect(again).to.include({ id: ID, folded: true });
    const dials = lab.legs('citizen-app').map((legId) => lab.pbx.leg(legId)?.dial);
    expect(dials.map((dial) => dial && 'aor' in dial && dial.aor)).to.deep.equal([PRIYA_AOR, other]);
  });

  it('FB-10 a warm-up that is released dials nobody, and its endpoint goes', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.gateway.arm(lab.request());
    expect(await lab.gateway.release(asCitizen(PRIYA), ID)).to.have.property('ok', true);
    await lab.forward(700_000);
    expect([...lab.pbx.endpoints]).to.be.empty;
    expect(lab.ordered('dial')).to.be.empty;
    expect((await lab.session()).phase).to.equal('released');
  });

  it('FB-1 a warm-up that is activated counts from the activation', async () => {
    const lab = await startCoreLab();
    await lab.gateway.arm(lab.request());
    await lab.connect(PRIYA_AOR);
    await lab.forward(100_000);
    expect(lab.pbx.legIds).to.be.empty;
    const activated = await lab.gateway.activateArmed(asCitizen(PRIYA), ID, lab.clock.now());
    await lab.forward(0);
    expect(activated).to.have.property('ok', true);
    expect(lab.legs('citizen-app')).to.have.length(1);
    await lab.forward(4999);
    expect(lab.legs('citizen-phone')).to.be.empty;
    await lab.forward(1);
    expect(lab.legs('citizen-phone')).to.have.length(1);
  });
});

describe('scenario: the queue', () => {
  it('RTC-5 nobody on shift: queued; a shift begins: assigned and dialled', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    expect((await lab.live()).assignment?.state).to.equal('queued');
    await lab.forward(1000);
    await lab.beginShift(AKRAM);
    expect((await lab.live()).assignment).to.include({ state: 'assigned', operatorId: AKRAM });
    expect(lab.legs('operator-app')).to.have.length(1);
  });

  it('RTC-5 a shift that begins while the activation is being written is not missed', async () => {
    const lab = await startCoreLab();
    lab.beforeCommit = async () => {
      lab.beforeCommit = () => Promise.resolve();
      const aor = 'operator-akram-panel1' as typeof PRIYA_AOR;
      await lab.gateway.deviceAdmitted(aor);
      lab.pbx.register(aor);
      await lab.gateway.shift(AKRAM, aor, true);
    };
    await lab.activate();
    expect((await lab.live()).assignment).to.include({ state: 'assigned', operatorId: AKRAM });
  });

  it('RTC-5 one operator, two sessions: a resolve gives the operator to the one that waits', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.connect(citizenAor(MEERA, PHONE));
    const { id } = await lab.activate({ citizenId: MEERA });
    expect((await lab.live(id)).assignment?.state).to.equal('queued');
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    await lab.forward(0);
    expect((await lab.live(id)).assignment).to.include({ state: 'assigned', operatorId: AKRAM });
    expect(lab.legs('operator-app', id)).to.have.length(1);
  });

  it('RTC-5 the one that has waited longest is served first', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    await lab.forward(10);
    await lab.activate({ citizenId: MEERA });
    await lab.beginShift(AKRAM);
    expect((await lab.live(sessionIdOf(1))).assignment?.state).to.equal('assigned');
    expect((await lab.live(sessionIdOf(2))).assignment?.state).to.equal('queued');
  });

  it('an alert goes up at 10 s while it waits, and not when it was assigned before', async () => {
    const lab = await startCoreLab();
    await lab.activate();
    await lab.forward(9999);
    expect((await lab.live()).alerts.map(({ kind }) => kind)).not.to.include('no-operator');
    await lab.forward(1);
    expect((await lab.live()).alerts.map(({ kind }) => kind)).to.include('no-operator');
    const other = await startCoreLab();
    await other.activate();
    await other.beginShift(AKRAM);
    await other.forward(20_000);
    expect((await other.live()).alerts.map(({ kind }) => kind)).not.to.include('no-operator');
  });
});
