import { expect } from 'chai';
import type { Instant, SessionId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import { apply, change } from '../../contract/store-steps.ts';
import { hamrahi } from '../../support/cli.ts';
import { activation, resolved, T0, write } from '../../support/session-writes.ts';
import { testDatabase } from '../../support/test-database.ts';
import type { TestDatabase } from '../../support/test-database.ts';

const DAY_MS = 86_400_000;
const iso = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
const SINCE = ['--since', iso(T0 - DAY_MS), '--until', iso(T0 + DAY_MS)];

interface Report {
  readonly sessions: object;
  readonly milestones: readonly { readonly name: string }[];
  readonly requirements: readonly { readonly id: string; readonly breaches: number }[];
  readonly breaches: readonly object[];
}

describe('hamrahi report', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let slow: SessionId;
  const env = () => ({ DATABASE_URL: database.url });
  const report = async (...args: string[]) => {
    const { exitCode, output } = await hamrahi(['report', ...SINCE, ...args, '--json'], env());
    expect(exitCode, output).to.equal(0);
    return JSON.parse(output) as Report;
  };
  const ended = async (at: Instant, zoneId: ZoneId | null = null): Promise<SessionId> => {
    const { session } = await apply(database.store, activation({ at, zoneId }));
    await change(database.store, session.id, (before) =>
      write(before, resolved(before.session, (at + 60_000) as Instant), { at }),
    );
    return session.id;
  };
  const entered = async (offerMs: number): Promise<SessionId> => {
    const id = await ended(T0);
    await database.ledger.enter(
      id,
      [
        { seq: 1, name: 'activated', at: T0, ms: 0 },
        { seq: 2, name: 'offer-sent', at: (T0 + offerMs) as Instant, ms: offerMs },
        { seq: 3, name: 'offer-sent', at: (T0 + 4000) as Instant, ms: 4000 },
      ],
      [
        { id: 'FB-2', limitMs: 2000, valueMs: null, ok: null, reason: 'there was no fallback' },
        { id: 'RTC-1', limitMs: 500, valueMs: offerMs, ok: offerMs <= 500, reason: null },
      ],
      T0,
    );
    return id;
  };

  before(async () => {
    database = await testDatabase();
    for (let ms = 1; ms <= 99; ms += 1) await entered(ms);
    slow = await entered(612.34);
    await apply(database.store, activation());
    await ended((T0 - 2 * DAY_MS) as Instant);
  });
  after(() => database.close());

  it('gives percentiles that were measured, counts, and who broke which limit', async () => {
    const { sessions, milestones, requirements, breaches } = await report();
    expect(sessions).to.deep.equal({ activated: 101, open: 1, waiting: 0 });
    expect(milestones).to.deep.equal([
      { name: 'offer-sent', count: 100, p50: 50, p95: 95, p99: 99, max: 612.34 },
    ]);
    expect(requirements).to.deep.equal([
      {
        ...{ id: 'FB-2', limitMs: 2000, judged: 0, notApplicable: 100, breaches: 0 },
        ...{ p50: null, p95: null, p99: null, max: null },
      },
      {
        ...{ id: 'RTC-1', limitMs: 500, judged: 100, notApplicable: 0, breaches: 1 },
        ...{ p50: 50, p95: 95, p99: 99, max: 612.34 },
      },
    ]);
    expect(breaches).to.deep.equal([
      { requirement: 'RTC-1', sessionId: slow, activatedAt: T0, limitMs: 500, valueMs: 612.34, reason: null },
    ]);
  });

  it('fits 80 columns, and names the broken limit with its session', async () => {
    const { exitCode, output } = await hamrahi(['report', ...SINCE], env());
    expect(exitCode).to.equal(0);
    const lines = output.split('\n');
    expect(lines.filter((line) => line.length > 80)).to.deep.equal([]);
    expect(output).to.include('101 activated, 1 open, 0 over and not in the ledger yet');
    expect(
      lines.some((line) => /^offer-sent +100 +50 +95 +99 +612$/.test(line)),
      output,
    ).to.equal(true);
    expect(
      lines.some((line) => /^RTC-1 +500 +100 +0 +1 +50 +95 +99 +612$/.test(line)),
      output,
    ).to.equal(true);
    expect(output).to.include(`RTC-1                ${slow} 612 of 500`);
  });

  it('lists no more breaches than asked for, and says how many there are', async () => {
    const { output } = await hamrahi(['report', ...SINCE, '--breaches', '0'], env());
    expect(output).to.include('Broken (1):').and.to.include('and 1 more').and.not.to.include(slow);
  });

  it('judges what has just ended before it counts, and keeps to the zone', async () => {
    const zone = 'north' as ZoneId;
    await database.directory.putZone({ id: zone, name: 'North', polygon: null });
    const id = await ended(T0, zone);
    const { sessions, requirements } = await report('--zone', 'north');
    expect(sessions).to.deep.equal({ activated: 1, open: 0, waiting: 0 });
    expect(requirements.find((one) => one.id === 'time-to-voice')).to.deep.include({
      judged: 1,
      breaches: 1,
    });
    expect(await database.ledger.find(id)).to.not.equal(null);
  });

  it('survives the events', async () => {
    const before = await report();
    await database.sql('DELETE FROM session_personal');
    await database.sql('DELETE FROM session_events');
    expect(await report()).to.deep.equal(before);
  });

  it('answers wrong usage with one sentence and 2, a database that is away with 1', async () => {
    const wrong = [[], ['--since', 'soon'], ['--since', '1d', '--until', '2d'], ['--since', '1d', 'x']];
    const [without, away, ...ends] = await Promise.all([
      hamrahi(['report', '--since', '1d']),
      hamrahi(['report', '--since', '1d'], { DATABASE_URL: 'postgres://u:secret@127.0.0.1:9/x' }),
      ...wrong.map((args) => hamrahi(['report', ...args], env())),
    ]);
    expect(ends).to.have.length(wrong.length);
    for (const { exitCode, output } of ends)
      expect([exitCode, output.length < 400], output).to.deep.equal([2, true]);
    expect([without.exitCode, without.output]).to.deep.equal([
      2,
      'Say which database: set DATABASE_URL, or give --run of a sandbox.\n',
    ]);
    expect(away.exitCode).to.equal(1);
    expect(away.output)
      .to.match(/^The database did not do it: .*\n$/)
      .and.not.to.include('secret');
  });
});
