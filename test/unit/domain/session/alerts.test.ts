import { expect } from 'chai';
import { AKRAM, CHIEF, SessionScenario } from '../../../support/session-scenario.ts';

/** She streams, and nobody is there; the duty phones do not answer either. */
function unheard(): SessionScenario {
  const scenario = new SessionScenario();
  scenario.free = [];
  scenario.chain = [];
  return scenario.activate().answer('citizen-app').stream();
}

const alerts = (scenario: SessionScenario) => scenario.feed.filter((event) => event === 'sos.alert').length;

describe('domain/session/alerts', () => {
  it('RTC-5 repeats the supervisor alert each minute until somebody acknowledges it', () => {
    const scenario = unheard().forward(10_000);
    const raised = scenario.live.alerts.map(({ kind }) => kind);
    expect(raised).to.include.members(['no-operator', 'operator-absent']);
    const first = scenario.timers.get('alert-repeat')! - scenario.now;
    scenario.feed = [];
    scenario.forward(first - 1);
    expect(alerts(scenario)).to.equal(0);
    scenario.forward(1);
    expect(alerts(scenario), 'each of them').to.equal(scenario.live.alerts.length);
    scenario.forward(60_000);
    expect(alerts(scenario)).to.equal(2 * scenario.live.alerts.length);
    scenario.send({ type: 'panel.alert-acknowledged', kind: 'no-operator', by: CHIEF });
    scenario.feed = [];
    scenario.forward(60_000);
    const open = scenario.live.alerts.filter(({ acknowledgedBy }) => acknowledgedBy === null);
    expect(open.map(({ kind }) => kind)).to.not.include('no-operator');
    expect(alerts(scenario), 'that one no more').to.equal(open.length);
  });

  it('RTC-5 is silent once she is heard, and speaks again when she is not', () => {
    const scenario = unheard().forward(10_000);
    scenario.free = [AKRAM];
    scenario.send({ type: 'roster.changed' }).answer('operator-app').heard();
    expect(scenario.phase).to.equal('active');
    scenario.feed = [];
    scenario.forward(120_000);
    expect(alerts(scenario)).to.equal(0);
    scenario.free = [];
    scenario.end(scenario.leg('operator-app'), 'unreachable');
    scenario.end(scenario.leg('operator-app'), 'unreachable');
    scenario.forward(120_000);
    expect(alerts(scenario)).to.be.above(0);
  });

  it('RTC-5 asks for an operator with each repetition: a shift may have begun by the clock alone', () => {
    const scenario = unheard().forward(10_000);
    scenario.free = [AKRAM];
    scenario.forward(60_000);
    expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: AKRAM });
  });

  it('repeats an alert of a long session though all is well', () => {
    const scenario = new SessionScenario().activate().becomeActive().forward(3_600_000);
    scenario.feed = [];
    scenario.forward(60_000);
    expect(alerts(scenario)).to.equal(1);
  });
});
