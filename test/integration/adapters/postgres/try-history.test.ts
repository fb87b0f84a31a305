import { expect } from 'chai';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { apply } from '../../../contract/store-steps.ts';
import { activation } from '../../../support/session-writes.ts';
import { testDatabase, type TestDatabase } from '../../../support/test-database.ts';

const T0 = Date.parse('2026-11-20T21:30:00Z') as Instant;
const CALL = '00000000-0000-4000-8000-000000000001';

describe('adapters/postgres/try-history', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  const at = (ms: number): string => new Date(T0 + ms).toISOString();

  it('TEL-8: tells tries in the order in which things happened, as they would have been reported', async () => {
    const { session } = await apply(database.store, activation());
    const sos = `${session.id}.citizen-phone.1`;
    await database.sql(
      `INSERT INTO leg_tries (leg_id, try, trunk, dialed_at, progress_at, ringing_at, answered_at, ended_at, outcome, sip_status, q850)
       VALUES ($1, 1, 'tata', $2, NULL, NULL, NULL, $3, 'trunk-unreachable', 503, 34),
              ($1, 2, 'exotel', $11, $4, $5, NULL, NULL, NULL, NULL, NULL),
              ($6, 1, 'tata', $7, NULL, NULL, $8, $9, 'completed', 200, 16),
              ('stray', 1, 'tata', $2, NULL, NULL, NULL, $3, 'busy', 486, 17),
              ($6, 2, '', $2, NULL, NULL, NULL, $3, 'busy', 486, 17),
              ($6, 3, 'tata', $10, NULL, NULL, NULL, $10, 'busy', 486, 17)`,
      [
        sos,
        at(0),
        at(400),
        at(2400),
        at(3400),
        `${CALL}.call-to.1`,
        at(100),
        at(5000),
        at(9000),
        at(-60_000),
        at(401),
      ],
    );
    // Which try was answered the leg knows: it was the second.
    await database.sql(
      `INSERT INTO legs (id, session_id, kind, attempt, dialed_at, answered_at, trunk) VALUES ($1, $2, 'citizen-phone', 1, $3, $4, 'exotel')`,
      [sos, session.id, at(0), at(6000)],
    );
    const reports = await database.tries.since((T0 - 1000) as Instant, 100);
    expect(
      reports.map(({ what, trunk, id, purpose, at: when, afterMs }) => [
        what,
        trunk,
        id,
        purpose,
        when - T0,
        afterMs,
      ]),
    ).to.deep.equal([
      ['dialled', 'tata', sos, 'sos', 0, 0],
      ['dialled', 'tata', `${CALL}.call-to.1`, 'call', 100, 0],
      ['ended', 'tata', sos, 'sos', 400, 400],
      ['dialled', 'exotel', `${sos}.2`, 'sos', 401, 0],
      ['progress', 'exotel', `${sos}.2`, 'sos', 2400, 1999],
      ['ringing', 'exotel', `${sos}.2`, 'sos', 3400, 2999],
      ['answered', 'tata', `${CALL}.call-to.1`, 'call', 5000, 4900],
      ['answered', 'exotel', `${sos}.2`, 'sos', 6000, 5599],
      ['ended', 'tata', `${CALL}.call-to.1`, 'call', 9000, 8900],
    ]);
    const ends = reports.flatMap((report) => (report.what === 'ended' ? [report] : []));
    expect(
      ends.map(({ outcome, sipStatus, wasAnswered }) => [outcome, sipStatus, wasAnswered]),
    ).to.deep.equal([
      ['trunk-unreachable', 503, false],
      ['completed', 200, true],
    ]);
  });

  it('reads no more than it is asked for, the newest', async () => {
    const reports = await database.tries.since((T0 - 100_000) as Instant, 1);
    expect(new Set(reports.map(({ id }) => id)).size).to.equal(1);
    expect(reports[0]?.at).to.equal(T0 + 401);
  });
});
