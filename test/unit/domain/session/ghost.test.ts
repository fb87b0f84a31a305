import { expect } from 'chai';
import type { LegOutcome } from '../../../../control-plane/src/domain/session/leg.ts';
import { SESSION, SessionScenario } from '../../../support/session-scenario.ts';

/** The fallback has begun, the operator waits, and her phone rings. */
function ringing(): Scenario {
  return new Scenario().activate().forward(5000).answer('operator-phone').rings();
}

class Scenario extends SessionScenario {
  /** Her phone rings. */
  rings(): this {
    return this.send({ type: 'pbx.ringing', legId: this.leg('citizen-phone') });
  }

  ended(outcome: LegOutcome): this {
    return this.end(this.leg('citizen-phone'), outcome);
  }
}

const call = (attempt: number): string => `${SESSION}.citizen-phone.${attempt}`;
const alertsOf = (scenario: SessionScenario): string[] => scenario.live.alerts.map(({ kind }) => kind);

describe('domain/session: a call that the engine lost', () => {
  it('FB-6 is no call that she left unanswered: she is called again at once, and nobody is alerted', () => {
    const scenario = ringing().ended('lost');
    expect(scenario.leg('citizen-phone')).to.equal(call(2));
    expect(alertsOf(scenario)).to.not.include('citizen-unanswered');
    expect(scenario.live.fallback?.citizenCalls).to.equal(1);
  });

  it('FB-6 makes her phone busy as a ghost: that is not believed, and tried again every three seconds', () => {
    const scenario = ringing().ended('lost').ended('busy');
    expect(alertsOf(scenario)).to.not.include('citizen-unanswered');
    scenario.settle().forward(2999);
    expect(scenario.has('citizen-phone')).to.equal(false);
    scenario.forward(1);
    expect(scenario.leg('citizen-phone')).to.equal(call(3));
    scenario.answer('citizen-phone');
    expect(scenario.phase).to.equal('phone-connected');
  });

  it('FB-6 is believed to be busy once no ghost can ring any more', () => {
    const scenario = ringing().ended('lost').settle().forward(24_000);
    scenario.ended('busy').settle().forward(3000);
    expect(scenario.has('citizen-phone')).to.equal(true);
    scenario.ended('busy');
    expect(alertsOf(scenario)).to.include('citizen-unanswered');
  });

  it('FB-6 lost again at once, as by an engine that hangs, waits its turn', () => {
    const scenario = ringing().ended('lost').rings().ended('lost');
    expect(scenario.has('citizen-phone')).to.equal(false);
    scenario.settle().forward(19_999);
    expect(scenario.has('citizen-phone')).to.equal(false);
    scenario.forward(1);
    expect(scenario.has('citizen-phone')).to.equal(true);
  });

  it('FB-6 busy without a ghost is believed', () => {
    const scenario = ringing().ended('busy');
    expect(alertsOf(scenario)).to.include('citizen-unanswered');
    expect(scenario.has('citizen-phone')).to.equal(false);
  });
});
