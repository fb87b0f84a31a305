import { expect } from 'chai';
import { operatorAor } from '../../../../control-plane/src/domain/ids.ts';
import type { ClientId } from '../../../../control-plane/src/domain/ids.ts';
import { AKRAM, BINA, CITIZEN_AOR, panelOf, SessionScenario } from '../../../support/session-scenario.ts';

/** Akram hears her, and Bina is free. */
function heardByAkram(): SessionScenario {
  const scenario = new SessionScenario();
  scenario.free = [AKRAM, BINA];
  scenario.activate().becomeActive();
  scenario.orders = [];
  scenario.feed = [];
  return scenario;
}

const dialled = (scenario: SessionScenario) =>
  scenario.ordered('pbx.dial-app').map(({ kind, aor }) => `${kind} ${aor}`);

describe('domain/session/reoffer', () => {
  it('RTC-5 calls the same operator anew at once when his leg ends, and her own call is not touched', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'lost');
    expect(dialled(scenario)).to.deep.equal([`operator-app ${panelOf(AKRAM)}`]);
    expect(scenario.phase).to.equal('degraded');
    expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: AKRAM });
    expect(scenario.live.stream.streamingSince, 'she streams on').not.to.be.null;
    scenario.answer('operator-app').heard();
    expect(scenario.phase).to.equal('active');
    expect(scenario.timers.has('operator-reoffer')).to.be.false;
    expect(scenario.timers.has('watchdog')).to.be.false;
    expect(scenario.feed).to.deep.equal(['sos.reoffered', 'sos.degraded', 'sos.heard', 'sos.active']);
  });

  it('RTC-5 calls him the moment a contact of his is back, also of another panel of his', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'lost');
    scenario.end(scenario.leg('operator-app'), 'unreachable');
    scenario.orders = [];
    const tablet = operatorAor(AKRAM, 'tablet' as ClientId);
    scenario.forward(2000).send({ type: 'contact.online', aor: panelOf(BINA) });
    expect(dialled(scenario), 'somebody else came').to.be.empty;
    scenario.send({ type: 'contact.online', aor: tablet }).send({ type: 'contact.online', aor: tablet });
    expect(dialled(scenario)).to.deep.equal([`operator-app ${tablet}`]);
    scenario.answer('operator-app').heard();
    expect(scenario.live.assignment).to.include({ operatorId: AKRAM, aor: tablet });
  });

  it('RTC-5 offers the next operator after 5 s, and not before', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'lost');
    scenario.end(scenario.leg('operator-app'), 'unreachable');
    scenario.forward(4999);
    expect(scenario.live.assignment).to.include({ operatorId: AKRAM });
    scenario.forward(1);
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    expect(scenario.live.fallback, 'he has his three seconds before phones ring').to.be.null;
    scenario.answer('operator-app').heard(BINA);
    expect(scenario.phase).to.equal('active');
    expect(scenario.live.fallback).to.be.null;
  });

  it('RTC-5 offers the next operator at once when the same one refuses', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'completed');
    scenario.end(scenario.leg('operator-app'), 'busy', 486);
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    expect(scenario.timers.has('operator-reoffer')).to.be.false;
  });

  it('RTC-5 calls him again when he did not answer in time, as long as there is time', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'lost');
    scenario.forward(4000).end(scenario.leg('operator-app'), 'no-answer');
    expect(dialled(scenario)).to.have.length(2);
    scenario.forward(1000);
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    const hungUp = scenario.ordered('pbx.hangup').map((order) => order.reason);
    expect(hungUp, 'his call does not ring on').to.deep.equal(['no-answer']);
  });

  it('RTC-5 offers the next operator when his media fail at once, in place of calling him over and over', () => {
    const scenario = heardByAkram();
    scenario.end(scenario.leg('operator-app'), 'lost');
    scenario.forward(300).end(scenario.leg('operator-app'), 'media-failed');
    expect(dialled(scenario)).to.have.length(2);
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
  });

  it('RTC-5 calls duty phones 8 s after the loss when nobody is left; her phone does not ring', () => {
    const scenario = heardByAkram();
    scenario.free = [];
    scenario.end(scenario.leg('operator-app'), 'lost');
    scenario.end(scenario.leg('operator-app'), 'unreachable');
    scenario.forward(7999);
    expect(scenario.live.fallback).to.be.null;
    expect(scenario.live.assignment?.state).to.equal('queued');
    scenario.forward(1);
    expect(scenario.live.fallback).to.include({ mode: 'operators-only', reason: 'operator-absent' });
    expect(scenario.has('citizen-phone')).to.be.false;
  });

  it('RTC-5 calls the operator of a silent panel beside the leg that stands, then the next one', () => {
    const scenario = heardByAkram();
    const silent = scenario.leg('operator-app');
    scenario.send({ type: 'panel.silent', legId: silent });
    expect(dialled(scenario)).to.deep.equal([`operator-app ${panelOf(AKRAM)}`]);
    expect(scenario.phase, 'he may hear her still').to.equal('active');
    scenario.forward(2499);
    expect(scenario.phase).to.equal('active');
    scenario.forward(1);
    expect(scenario.phase).to.equal('degraded');
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    const next = scenario.leg('operator-app');
    scenario.send({ type: 'pbx.answered', legId: next });
    scenario.send({ type: 'panel.heard', legId: next, operatorId: BINA });
    expect(scenario.phase).to.equal('active');
    expect(scenario.ordered('pbx.hangup').map((order) => order.legId)).to.include(silent);
  });

  it('RTC-5 gives her back to the silent panel that speaks again, before the 5 s and after them', () => {
    const early = heardByAkram();
    const leg = early.leg('operator-app');
    early.send({ type: 'panel.silent', legId: leg });
    early.forward(1000).send({ type: 'panel.heard', legId: leg, operatorId: AKRAM });
    expect(early.phase).to.equal('active');
    expect(early.live.reoffer).to.be.null;
    expect(early.settle().live.legs.map(({ id }) => id)).to.include(leg);
    expect(early.live.legs.filter(({ kind }) => kind === 'operator-app')).to.have.length(1);

    const late = heardByAkram();
    late.free = [];
    const his = late.leg('operator-app');
    late.send({ type: 'panel.silent', legId: his }).forward(3000);
    expect(late.live.assignment?.state).to.equal('queued');
    late.send({ type: 'panel.heard', legId: his, operatorId: AKRAM });
    expect(late.phase).to.equal('active');
    expect(late.live.assignment).to.include({ state: 'assigned', operatorId: AKRAM });
    expect(late.timers.has('watchdog')).to.be.false;
  });

  it('waits for nobody once her telephone is connected', () => {
    const scenario = new SessionScenario().activate().answer('operator-app').forward(5000);
    scenario.answer('citizen-phone').answer('operator-phone');
    scenario.end(scenario.leg('operator-app'), 'lost');
    expect(scenario.live.reoffer ?? null).to.be.null;
    scenario.send({ type: 'contact.online', aor: CITIZEN_AOR });
    expect(scenario.phase).to.equal('phone-connected');
  });
});
