import { expect } from 'chai';
import { HeldAlert } from '../../../control-plane/src/app/held-alert.ts';
import { keptAlerts } from '../../support/kept-alerts.ts';
import { manualClock } from '../../support/manual-clock.ts';

const AWAY = { kind: 'engine-away', subject: 'engine', severity: 'critical', summary: 'Away.' } as const;

describe('app/held-alert', () => {
  it('is raised once it has lasted, and resolved when it ends', async () => {
    const [clock, alerts] = [manualClock(), keptAlerts()];
    const held = new HeldAlert(alerts, AWAY, clock, 5000);
    held.begin();
    await clock.advance(3000);
    held.begin();
    expect(alerts.told).to.deep.equal([]);
    await clock.advance(2000);
    held.begin();
    held.end();
    expect(alerts.told).to.deep.equal(['raise engine-away engine', 'resolve engine-away engine']);
  });

  it('is never raised for what is over before', async () => {
    const [clock, alerts] = [manualClock(), keptAlerts()];
    const held = new HeldAlert(alerts, AWAY, clock, 5000);
    held.begin();
    await clock.advance(4000);
    held.end();
    held.begin();
    await clock.advance(4000);
    held.end();
    await clock.advance(60_000);
    expect(alerts.told).to.deep.equal([]);
    held.begin();
    held.stop();
    await clock.advance(60_000);
    expect(alerts.told).to.deep.equal([]);
  });
});
