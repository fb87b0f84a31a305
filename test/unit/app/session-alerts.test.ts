import { expect } from 'chai';
import { SessionAlerts } from '../../../control-plane/src/app/session-alerts.ts';
import type { AlertKind, Session } from '../../../control-plane/src/domain/session/session.ts';
import { keptAlerts } from '../../support/kept-alerts.ts';
import { sessionIn } from '../../support/fake-feed-source.ts';

/** A session of which only the alerts matter. */
function live(alerts: readonly (readonly [AlertKind, string | null])[]): Session {
  const { id } = sessionIn('north', 1);
  return {
    id,
    phase: 'degraded',
    alerts: alerts.map(([kind, acknowledgedBy]) => ({ kind, raisedAt: 1, acknowledgedBy })),
  } as unknown as Session;
}

const ID = sessionIn('north', 1).id;

describe('app/session-alerts', () => {
  it('TEL-8: one alert for a session, whatever troubles it has; over once all are acknowledged', () => {
    const alerts = keptAlerts();
    const desk = new SessionAlerts(alerts);
    desk.note(live([]));
    desk.note(live([['no-operator', null]]));
    desk.note(
      live([
        ['no-operator', null],
        ['no-voice', null],
      ]),
    );
    expect(alerts.byName.get(`session-alert ${ID}`)).to.deep.include({
      severity: 'critical',
      summary: 'An SOS needs a supervisor: no operator is free; nobody has a voice of her.',
    });
    desk.note(
      live([
        ['no-operator', 'chief'],
        ['no-voice', null],
      ]),
    );
    expect(alerts.byName.get(`session-alert ${ID}`)?.summary).to.not.include('no operator');
    desk.note(
      live([
        ['no-operator', 'chief'],
        ['no-voice', 'chief'],
      ]),
    );
    expect(alerts.told).to.deep.equal([`raise session-alert ${ID}`, `resolve session-alert ${ID}`]);
  });

  it('is over with the session', () => {
    const alerts = keptAlerts();
    const desk = new SessionAlerts(alerts);
    desk.note(live([['no-voice', null]]));
    desk.note(sessionIn('north', 1, 'akram'));
    expect(alerts.told.at(-1)).to.equal(`resolve session-alert ${ID}`);
  });

  it('wakes nobody up for what can wait', () => {
    const alerts = keptAlerts();
    const desk = new SessionAlerts(alerts);
    desk.note(live([['long-session', null]]));
    expect(alerts.byName.get(`session-alert ${ID}`)?.severity).to.equal('warning');
    desk.note(
      live([
        ['long-session', null],
        ['voice-lost', null],
      ]),
    );
    expect(alerts.byName.get(`session-alert ${ID}`)?.severity).to.equal('critical');
  });
});
