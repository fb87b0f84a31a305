import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import type { OpsAlertRecord } from '../../../../control-plane/src/ports/ops-alerts.ts';
import { alertNews } from '../../../support/alert-news.ts';
import { testDatabase, type TestDatabase } from '../../../support/test-database.ts';

const T0 = Date.parse('2026-11-20T21:30:00Z');
const DAY_MS = 86_400_000;

describe('adapters/postgres/ops-alerts', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.close());

  const alert = (change: Partial<OpsAlertRecord> = {}): OpsAlertRecord => {
    const { record } = alertNews('raised', { id: randomUUID(), ...change });
    return record;
  };
  const at = (ms: number): Instant => (T0 + ms) as Instant;

  it('TEL-8: keeps an alert as it was, to the microsecond, and as it is later', async () => {
    const raised = alert({ raisedAt: (T0 + 0.125) as Instant });
    await database.opsAlerts.save([raised]);
    expect(await database.opsAlerts.load(10)).to.deep.equal([raised]);
    const later: OpsAlertRecord = {
      ...raised,
      severity: 'warning',
      summary: 'Other words.',
      acknowledged: { by: 'chief', at: at(1000) },
      toldAt: at(500),
      returns: 2,
    };
    await database.opsAlerts.save([later]);
    await database.opsAlerts.save([later]);
    expect(await database.opsAlerts.load(10)).to.deep.equal([later]);
  });

  it('what is over stays over, whoever writes last', async () => {
    const over = alert({ resolvedAt: at(5000) });
    await database.opsAlerts.save([over]);
    await database.opsAlerts.save([{ ...over, resolvedAt: null }]);
    expect((await database.opsAlerts.load(10))[0]?.resolvedAt).to.equal(at(5000));
  });

  it('TEL-8: reads what stands first, then the newest that do not', async () => {
    const all = [
      alert({ subject: 'old', raisedAt: at(0), resolvedAt: at(1) }),
      alert({ subject: 'new', raisedAt: at(10), resolvedAt: at(20) }),
      alert({ subject: 'stands', raisedAt: at(-DAY_MS) }),
    ];
    await database.opsAlerts.save(all);
    const subjects = async (limit: number) =>
      (await database.opsAlerts.load(limit)).map(({ subject }) => subject);
    expect(await subjects(10)).to.deep.equal(['stands', 'new', 'old']);
    expect(await subjects(2)).to.deep.equal(['stands', 'new']);
  });

  it('takes a hundred at once, and none at all', async () => {
    await database.opsAlerts.save(Array.from({ length: 100 }, () => alert()));
    await database.opsAlerts.save([]);
    expect(await database.opsAlerts.load(1000)).to.have.length(100);
  });

  it('forgets what has been over for more than a year, and nothing that stands', async () => {
    await database.opsAlerts.save([
      alert({ subject: 'long over', resolvedAt: at(0) }),
      alert({ subject: 'over', resolvedAt: at(DAY_MS) }),
      alert({ subject: 'stands' }),
    ]);
    await database.records.dropExpired(at(400.5 * DAY_MS));
    expect((await database.opsAlerts.load(10)).map(({ subject }) => subject)).to.deep.equal([
      'stands',
      'over',
    ]);
  });
});
