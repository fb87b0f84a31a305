import { expect } from 'chai';
import { bridgeIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { AKRAM, CHIEF, panelOf, SESSION, SessionScenario } from '../../../support/session-scenario.ts';

const listen = (scenario: SessionScenario, operatorId: OperatorId = CHIEF) =>
  scenario.send({
    type: 'api.listen-requested',
    operatorId,
    aor: panelOf(operatorId),
    by: `supervisor:${operatorId}`,
  });

function active(): SessionScenario {
  const scenario = new SessionScenario().activate().becomeActive();
  scenario.orders = [];
  scenario.feed = [];
  return scenario;
}

describe('domain/session/listen', () => {
  it('RTC-3 joins a supervisor to her stream to listen, and tells so', () => {
    const scenario = active();
    listen(scenario).answer('supervisor-app');
    expect(scenario.ordered('pbx.join')).to.deep.equal([
      {
        type: 'pbx.join',
        bridgeId: bridgeIdOf(SESSION, 'stream'),
        legId: `${SESSION}.supervisor-app.1`,
        voice: 'listens',
      },
    ]);
    expect(scenario.feed).to.deep.equal(['sos.listening']);
    expect(scenario.live.assignment).to.include({ operatorId: AKRAM });
  });

  it('RTC-2 never counts as the operator who hears her', () => {
    const scenario = new SessionScenario();
    scenario.free = [];
    scenario.activate().answer('citizen-app').stream();
    listen(scenario).answer('supervisor-app');
    scenario.send({ type: 'panel.heard', legId: scenario.leg('supervisor-app'), operatorId: CHIEF });
    expect(scenario.live.stream.heardBy).to.be.null;
    scenario.forward(5000);
    expect(scenario.live.fallback).to.include({ reason: 'operator-absent' });
  });

  it('is not called twice at one panel, nor by more than five; leaves when he is asked to, and with the session', () => {
    const scenario = active();
    listen(scenario);
    listen(scenario);
    expect(scenario.ordered('pbx.dial-app')).to.have.length(1);
    for (const name of ['a', 'b', 'c', 'd']) listen(scenario, name as OperatorId);
    listen(scenario, 'e' as OperatorId);
    expect(scenario.verdicts.at(-1)).to.equal('refused');
    scenario.answer('supervisor-app');
    scenario.send({ type: 'api.listen-ended', operatorId: CHIEF, by: 'supervisor:chief' }).settle();
    expect(scenario.live.legs.map(({ id }) => id)).to.not.include(`${SESSION}.supervisor-app.1`);
    expect(scenario.phase).to.equal('active');
    scenario.send({ type: 'api.resolved', by: 'operator:akram' }).settle();
    expect(scenario.session).to.deep.include({ phase: 'resolved', legs: [] });
  });

  it('tells when he hangs up by himself, and the session goes on as it was', () => {
    const scenario = active();
    listen(scenario).answer('supervisor-app').end(scenario.leg('supervisor-app'), 'completed');
    expect(scenario.feed).to.deep.equal(['sos.listening', 'sos.listening-ended']);
    expect(scenario.phase).to.equal('active');
  });

  it('goes along to her telephone call, and back', () => {
    const scenario = new SessionScenario().activate().answer('citizen-app');
    listen(scenario).answer('supervisor-app').forward(5000);
    scenario.answer('citizen-phone').answer('operator-phone').settle();
    const leg = scenario.leg('supervisor-app');
    const places = () =>
      scenario.ordered('pbx.join').flatMap((order) => (order.legId === leg ? [order.bridgeId] : []));
    scenario.send({
      type: 'pbx.bridged',
      bridgeId: bridgeIdOf(SESSION, 'phone'),
      legIds: [scenario.leg('citizen-phone'), scenario.leg('operator-phone'), leg],
      technology: 'softmix',
    });
    expect(
      scenario.feed.filter((event) => event === 'phone-connected'),
      'told once',
    ).to.have.length(1);
    scenario.end(scenario.leg('citizen-phone'), 'completed');
    expect(places()).to.deep.equal([bridgeIdOf(SESSION, 'stream')]);
  });
});
