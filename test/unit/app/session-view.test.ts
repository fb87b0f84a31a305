import { expect } from 'chai';
import { citizenViewOf, viewOf } from '../../../control-plane/src/app/session-view.ts';
import { PLACE } from '../../support/core-lab.ts';
import { AKRAM, SESSION, SessionScenario } from '../../support/session-scenario.ts';

const shown = (scenario: SessionScenario) => viewOf(scenario.session ?? scenario.live, 7, PLACE);

describe('app/session-view', () => {
  it('shows an active session: who hears her, on which leg, since when', () => {
    const view = shown(new SessionScenario().activate().becomeActive());
    expect(view).to.deep.include({
      id: SESSION,
      sessionSeq: 7,
      phase: 'active',
      operatorId: AKRAM,
      queued: false,
      streaming: true,
      heard: true,
      webrtcSessionId: `${SESSION}.citizen-app.1`,
      fallback: null,
      resolvedAt: null,
      activatedAt: new Date(1_000_000).toISOString(),
      location: PLACE,
    });
  });

  it('FB-4 shows both phones as they are: dialling, ringing, answered, ended', () => {
    const scenario = new SessionScenario().activate().forward(5000);
    expect(shown(scenario).fallback).to.include({
      reason: 'timeout',
      citizenPhone: 'dialing',
      operatorPhone: 'dialing',
      callReference: `${SESSION}.citizen-phone.1`,
    });
    scenario.send({ type: 'pbx.ringing', legId: scenario.leg('citizen-phone') }).answer('operator-phone');
    expect(shown(scenario).fallback).to.include({ citizenPhone: 'ringing', operatorPhone: 'answered' });
    scenario.end(scenario.leg('citizen-phone'), 'busy', 486);
    expect(shown(scenario).fallback).to.include({ citizenPhone: 'ended', operatorPhone: 'answered' });
  });

  it('shows a phone that was never called as idle', () => {
    const silent = new SessionScenario().activate({ profile: { phone: 'verified', silent: true } });
    expect(shown(silent.forward(5000)).fallback).to.include({ mode: 'operators-only', citizenPhone: 'idle' });
  });

  it('RTC-9 keeps operator, leg and times of a session that ended', () => {
    const scenario = new SessionScenario().activate().becomeActive().forward(1000);
    const view = shown(scenario.send({ type: 'api.resolved', by: 'operator:akram' }));
    expect(view).to.deep.include({
      phase: 'resolved',
      operatorId: AKRAM,
      webrtcSessionId: `${SESSION}.citizen-app.1`,
      streaming: false,
      resolvedAt: new Date(1_001_000).toISOString(),
    });
  });

  it('hides operator, alerts, flags and reasons from her', () => {
    const scenario = new SessionScenario().activate({ flags: ['unknown-device'] }).forward(31_000);
    const view = shown(scenario);
    expect(view.alerts).not.to.be.empty;
    expect(citizenViewOf(view)).to.deep.include({
      operatorId: null,
      alerts: [],
      flags: [],
      degradedReason: null,
    });
  });
});
