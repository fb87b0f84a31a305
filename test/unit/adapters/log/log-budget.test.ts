import { expect } from 'chai';
import { budgeted } from '../../../../control-plane/src/adapters/log/log-budget.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

describe('adapters/log log-budget', () => {
  const lab = () => {
    const clock = manualClock();
    const kept = keptLog();
    return { clock, kept, log: budgeted(kept, clock, silentMetrics) };
  };

  it('TEL-10 writes thirty of ten thousand equal warnings, and then one a second that tells of the others', async () => {
    const { clock, kept, log } = lab();
    for (let n = 0; n < 10_000; n += 1)
      log.warn('A call that nobody ordered was refused.', { source: 'trunk' });
    expect(kept.lines).to.have.length(30);
    await clock.advance(1000);
    for (let n = 0; n < 10; n += 1) log.warn('A call that nobody ordered was refused.', { source: 'trunk' });
    expect(kept.lines).to.have.length(31);
    expect(kept.lines.at(-1)).to.contain('"suppressed":9970');
  });

  it('has a budget for each message, shared by the children of a log', () => {
    const { kept, log } = lab();
    for (let n = 0; n < 100; n += 1) log.child({ node: String(n) }).error('one');
    log.error('another');
    expect(kept.lines.filter((line) => line.startsWith('error one'))).to.have.length(30);
    expect(kept.lines.at(-1)).to.contain('another');
  });

  it('leaves out no line of a session or leg, and nothing that is no warning', () => {
    const { kept, log } = lab();
    for (let n = 0; n < 100; n += 1) {
      log.warn('session alert', { sessionId: 'a' });
      log.warn('leg ended', { legId: 'a' });
      log.info('ready');
    }
    expect(kept.lines).to.have.length(300);
  });
});
