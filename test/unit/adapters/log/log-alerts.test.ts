import { expect } from 'chai';
import { logAlerts } from '../../../../control-plane/src/adapters/log/log-alerts.ts';
import { keptLog } from '../../../support/kept-log.ts';

describe('adapters/log/log-alerts', () => {
  it('writes one line when an alert is raised and one when it is over, however often it is told', () => {
    const log = keptLog();
    const alerts = logAlerts(log);
    const alert = {
      kind: 'trunk-disabled',
      subject: 'tata',
      severity: 'critical',
      summary: 'It is not used.',
    } as const;
    alerts.resolve('trunk-disabled', 'tata');
    alerts.raise(alert);
    alerts.raise(alert);
    alerts.raise({ ...alert, subject: 'vi', severity: 'warning' });
    alerts.resolve('trunk-disabled', 'tata');
    alerts.resolve('trunk-disabled', 'tata');
    expect(log.lines).to.deep.equal([
      'error alert {"kind":"trunk-disabled","subject":"tata","severity":"critical","summary":"It is not used."}',
      'warn alert {"kind":"trunk-disabled","subject":"vi","severity":"warning","summary":"It is not used."}',
      'info alert is over {"kind":"trunk-disabled","subject":"tata"}',
    ]);
  });
});
