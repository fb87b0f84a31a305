import { expect } from 'chai';
import { legIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { CitizenId, Instant, LegId, OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import { rejection } from '../../../contract/store-steps.ts';
import {
  CALL_T0,
  callAt,
  creation,
  happen,
  newCall,
  personalOf,
  phoneNumber,
  toLeg,
} from '../../../support/call-writes.ts';
import { activation, write } from '../../../support/session-writes.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

const NOBODYS = {
  since: null,
  until: null,
  trunk: null,
  outcome: null,
  owner: null,
  before: null,
  limit: 10,
};

describe('adapters/postgres: calls', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let fencedTold = 0;
  let epoch = 0;

  before(async () => {
    database = await testDatabase({
      fence: () => ({ lease: 'core', node: 'n1', epoch }),
      onFenced: () => (fencedTold += 1),
    });
  });
  after(() => database.close());

  const begin = async (change = creation()) => {
    await database.calls.transact((tx) => tx.apply(change));
    return change.after.id;
  };

  it('TEL-3 writes what webhooks tell in the transaction of the change, numbered like it', async () => {
    const id = await begin();
    const to = toLeg(id);
    await happen(database.calls, id, [
      [5, { type: 'pbx.tried', legId: to, try: 1, trunk: 'tata' }],
      [900, { type: 'pbx.ringing', legId: to }],
      [2000, { type: 'pbx.answered', legId: to, trunk: 'tata' }],
      [9000, { type: 'pbx.ended', legId: to, outcome: 'completed', sipStatus: null, q850: 16 }],
    ]);
    const rows = await database.sql<{ type: string; at: Date; subject_seq: string; data: object }>(
      'SELECT type, at, subject_seq, data FROM outbox WHERE subject = $1 ORDER BY id',
      [id],
    );
    const common = { callId: id, leg: 'call-to', legId: to, trunk: 'tata' };
    expect(
      rows.map(({ type, at, subject_seq, data }) => [type, at.getTime(), Number(subject_seq), data]),
    ).to.deep.equal([
      ['call.ringing', callAt(900), 3, { ...common, state: 'ringing' }],
      ['call.answered', callAt(2000), 4, { ...common, state: 'answered' }],
      [
        'call.ended',
        callAt(9000),
        5,
        {
          ...common,
          state: 'ended',
          reason: 'to-hung-up',
          outcome: 'completed',
          sipStatus: null,
          q850: 16,
          durationMs: 7000,
        },
      ],
    ]);
  });

  it('keeps numbers in one table, and in no other', async () => {
    const number = '+918765012399';
    const metadata = { who: 'somebody-4711' };
    const id = await begin(
      creation(newCall(), CALL_T0, personalOf({ numbers: [phoneNumber(number)], metadata })),
    );
    await happen(database.calls, id, [[5, { type: 'pbx.tried', legId: toLeg(id), try: 1, trunk: 'tata' }]]);
    const tables = await database.sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
    );
    const holders: string[] = [];
    for (const { name } of tables) {
      const [found] = await database.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${name} t WHERE t::text LIKE '%8765012399%' OR t::text LIKE '%somebody-4711%'`,
      );
      if (found!.n > 0) holders.push(name);
    }
    expect(holders).to.deep.equal(['call_personal']);
  });

  it('writes nothing under a lease that has moved on, and says so', async () => {
    const id = await begin();
    epoch = 7;
    try {
      const failure = await rejection(
        happen(database.calls, id, [[900, { type: 'pbx.ringing', legId: toLeg(id) }]]),
      );
      expect(failure).to.be.instanceOf(StoreError).and.to.include({ code: 'ERR_STORE_FENCED' });
      expect(fencedTold).to.equal(1);
    } finally {
      epoch = 0;
    }
    expect((await database.calls.find(id))?.call.state).to.equal('queued');
  });

  it('TEL-11 tells of an SOS’s telephone legs and of calls alike, newest first, and never of apps', async () => {
    const pressed = activation();
    const { id: sessionId, citizenId } = pressed.after;
    const leg = (kind: 'citizen-app' | 'citizen-phone' | 'operator-phone') => legIdOf(sessionId, kind, 1);
    const at = (ms: number) => callAt(100_000 + ms);
    await database.store.transact(async (tx) => {
      await tx.apply(pressed);
      const before = await tx.load(sessionId);
      const her = { role: 'citizen', citizenId } as const;
      const his = { role: 'operator', operatorId: 'akram' as OperatorId } as const;
      await tx.apply(
        write(before, pressed.after, {
          legs: [
            { legId: leg('citizen-app'), change: { state: 'dialing', party: her, at: at(0) } },
            { legId: leg('citizen-phone'), change: { state: 'dialing', party: her, at: at(1) } },
            { legId: leg('citizen-phone'), change: { state: 'tried', try: 1, trunk: 'tata', at: at(2) } },
            { legId: leg('operator-phone'), change: { state: 'dialing', party: his, at: at(3) } },
            { legId: leg('operator-phone'), change: { state: 'tried', try: 1, trunk: 'airtel', at: at(4) } },
            {
              legId: leg('operator-phone'),
              change: { state: 'ended', at: at(900), outcome: 'busy', sipStatus: 486, q850: 17 },
            },
          ],
        }),
      );
    });
    const id = await begin(creation(newCall(), at(5)));
    const since = at(0);
    const legIds = async (change: object): Promise<readonly LegId[]> =>
      (await database.calls.records({ ...NOBODYS, since, ...change })).map(({ legId }) => legId);
    expect(await legIds({})).to.deep.equal([toLeg(id), leg('operator-phone'), leg('citizen-phone')]);
    expect(await legIds({ owner: sessionId })).to.deep.equal([leg('operator-phone'), leg('citizen-phone')]);
    expect(await legIds({ outcome: 'busy' })).to.deep.equal([leg('operator-phone')]);
    expect(await legIds({ trunk: 'tata' })).to.deep.equal([leg('citizen-phone')]);
    expect(await legIds({ before: leg('operator-phone') })).to.deep.equal([leg('citizen-phone')]);
    const [busy] = await database.calls.records({ ...NOBODYS, since, outcome: 'busy' });
    expect(busy).to.deep.include({
      owner: { kind: 'session', id: sessionId },
      kind: 'operator-phone',
      trunk: 'airtel',
      sipStatus: 486,
      q850: 17,
    });
    expect(busy?.tries).to.have.length(1);
  });

  it('TEL-11 finds a page of records by its indexes, however many there are', async () => {
    const plan = await database.sql<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM call_records r ORDER BY r.dialed_at DESC, r.id DESC LIMIT 100`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).to.include('Merge Append');
    expect(text).to.include('legs_phones_newest').and.to.include('call_legs_newest');
  });

  it('erases the numbers of calls to a citizen with everything else that is hers', async () => {
    const citizenId = 'erased1' as CitizenId;
    const phone = phoneNumber('+919811055500');
    await database.directory.putCitizen({
      id: citizenId,
      phone,
      phoneVerified: true,
      homeZone: null,
      silent: false,
      devices: [],
    });
    const [over, running, foreign] = [
      await begin(creation(newCall({ bridges: 0 }), CALL_T0, personalOf({ numbers: [phone] }))),
      await begin(creation(newCall({ bridges: 0 }), CALL_T0, personalOf({ numbers: [phone] }))),
      await begin(),
    ];
    await happen(database.calls, over, [[900, { type: 'api.hung-up' }]]);
    await database.records.erase(citizenId, 'admin', CALL_T0);
    const personal = async (id: typeof over) => (await database.calls.find(id))?.personal ?? null;
    expect(await personal(over)).to.equal(null);
    expect(await personal(running), 'it still has somebody to call').to.not.equal(null);
    expect(await personal(foreign)).to.not.equal(null);
  });

  it('forgets a key after a day', async () => {
    const now = Date.now() as Instant;
    const claim = (id = newCall().id) =>
      database.calls.transact((tx) => tx.claimKey('backend:keys', 'key', 'body', id));
    expect((await claim()).seen).to.equal('fresh');
    await database.sql(
      `UPDATE call_keys SET claimed_at = now() - interval '25 hours' WHERE caller = 'backend:keys'`,
    );
    expect((await claim()).seen, 'taken over').to.equal('fresh');
    expect((await claim()).seen).to.equal('same');
    await database.sql(
      `UPDATE call_keys SET claimed_at = now() - interval '25 hours' WHERE caller = 'backend:keys'`,
    );
    expect(await database.calls.dropExpiredKeys(now)).to.equal(1);
  });
});
