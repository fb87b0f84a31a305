import { expect } from 'chai';
import { JournalDesk } from '../../../../control-plane/src/app/outage/journal-desk.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { MemoryJournal } from '../../../support/memory-journal.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

describe('app/outage/journal-desk', () => {
  it('gives a start up whose disk does not answer, so that another node may act', async () => {
    const clock = manualClock();
    const journal = new MemoryJournal();
    journal.read = () => new Promise(() => undefined);
    const desk = new JournalDesk({ journal, clock, log: silentLog, metrics: silentMetrics });
    const read = desk.read().then(
      () => null,
      (error: unknown) => String(error),
    );
    await clock.advance(31_000);
    expect(await read).to.include('does not answer');
    expect(clock.waiting).to.equal(0);
  });
});
