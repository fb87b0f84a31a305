/** What every session store promises, whatever it is made of. */
import { expect } from 'chai';
import { legIdOf } from '../../control-plane/src/domain/ids.ts';
import type {
  CitizenId,
  Instant,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../control-plane/src/domain/ids.ts';
import type { Leg } from '../../control-plane/src/domain/session/leg.ts';
import type { Session } from '../../control-plane/src/domain/session/session.ts';
import type { SessionStore, StoredSession } from '../../control-plane/src/ports/session-store.ts';
import {
  activation,
  after,
  assigned,
  fallbackActive,
  freshId,
  live,
  resolved,
  T0,
  write,
} from '../support/session-writes.ts';
import { apply, change, rejection } from './store-steps.ts';

export function sessionStoreContract(name: string, open: () => SessionStore): void {
  describe(`SessionStore on ${name}`, () => {
    describe('transact', () => transactContract(open));
    describe('finding sessions', () => findContract(open));
    describe('timers, events and positions', () => factsContract(open));
    describe('idempotency keys', () => idempotencyContract(open));
  });
}

function transactContract(open: () => SessionStore): void {
  it('keeps what was applied and returns what the work returns', async () => {
    const first = activation();
    const result = await open().transact(async (tx) => (await tx.apply(first)).seq);
    expect(result).to.equal(1);
    expect(await open().find(first.after.id)).to.deep.equal({ session: first.after, seq: 1 });
  });

  it('leaves nothing when the work throws', async () => {
    const first = activation();
    const failure = await rejection(
      open().transact(async (tx) => {
        await tx.claimIdempotencyKey(first.after.citizenId, 'key', 'body', first.after.id);
        await tx.apply(first);
        throw new Error('changed my mind');
      }),
    );
    expect(failure.message).to.equal('changed my mind');
    expect(await open().find(first.after.id)).to.equal(null);
    expect(await open().timers(null, 10_000)).to.not.deep.include({
      sessionId: first.after.id,
      timer: 'watchdog',
      dueAt: after(5000),
    });
    const again = await open().transact((tx) =>
      tx.claimIdempotencyKey(first.after.citizenId, 'key', 'other', first.after.id),
    );
    expect(again).to.deep.equal({ seen: 'fresh' });
  });

  it('sees its own writes, and nobody else does before the commit', async () => {
    const first = activation();
    await open().transact(async (tx) => {
      await tx.apply(first);
      expect(await tx.findOpen(first.after.citizenId)).to.deep.equal({ session: first.after, seq: 1 });
      expect(await open().find(first.after.id)).to.equal(null);
    });
  });

  it('performs calls that are made together in the order in which they are made', async () => {
    const first = activation();
    const [, before, written, found] = await open().transact((tx) =>
      Promise.all([
        tx.lockCitizen(first.after.citizenId),
        tx.findOpen(first.after.citizenId),
        tx.apply(first),
        tx.load(first.after.id),
      ]),
    );
    expect(before).to.equal(null);
    expect(written.seq).to.equal(1);
    expect(found).to.deep.equal({ session: first.after, seq: 1 });
  });

  it('RTC-8: makes one session of ten activations of one citizen at once', async () => {
    const citizenId = freshId<CitizenId>('citizen');
    const ids = await Promise.all(
      Array.from({ length: 10 }, () =>
        open().transact(async (tx) => {
          await tx.lockCitizen(citizenId);
          const found = await tx.findOpen(citizenId);
          if (found) return found.session.id;
          const fresh = activation({ citizenId });
          await tx.apply(fresh);
          return fresh.after.id;
        }),
      ),
    );
    expect(new Set(ids).size).to.equal(1);
  });

  it('loses no change of ten at once', async () => {
    const { session } = await apply(open(), activation());
    await Promise.all(
      Array.from({ length: 10 }, () => change(open(), session.id, (before) => write(before, before.session))),
    );
    expect((await open().find(session.id))?.seq).to.equal(11);
    const events = await open().events(session.id, 100);
    expect(events.map((event) => event.seq)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('RTC-8: lets another citizen pass while one is being served', async () => {
    const slow = activation();
    const other = activation();
    await open().transact(async (tx) => {
      await tx.lockCitizen(slow.after.citizenId);
      await tx.findOpen(slow.after.citizenId);
      await tx.apply(slow);
      await open().transact(async (tx2) => {
        await tx2.lockCitizen(other.after.citizenId);
        await tx2.findOpen(other.after.citizenId);
        await tx2.apply(other);
      });
      expect(await open().find(other.after.id)).to.not.equal(null);
    });
  });

  it('refuses a write on a state that the transaction has not loaded', async () => {
    const stored = await apply(open(), activation());
    const notLoaded = await rejection(open().transact((tx) => tx.apply(write(stored, stored.session))));
    expect(notLoaded.message).to.match(/not loaded/);
    const stale = await rejection(
      open().transact(async (tx) => {
        await tx.load(stored.session.id);
        await tx.apply(write({ ...stored, seq: 0 }, stored.session));
      }),
    );
    expect(stale.message).to.match(/not loaded/);
    const twice = await rejection(
      open().transact((tx) => tx.apply(activation({ sessionId: stored.session.id }))),
    );
    expect(twice).to.be.an('error');
    expect((await open().find(stored.session.id))?.seq).to.equal(1);
  });

  it('commits a write whose answer nobody waited for, or nothing when it fails', async () => {
    const first = activation();
    const written = await open().transact((tx) => Promise.resolve({ answer: tx.apply(first) }));
    expect((await written.answer).seq).to.equal(1);
    expect((await open().find(first.after.id))?.seq).to.equal(1);
    const another = activation();
    const failed = await rejection(
      open().transact((tx) => {
        const answers = [tx.apply(another), tx.apply(activation({ sessionId: first.after.id }))];
        for (const answer of answers) answer.catch(() => undefined);
        return Promise.resolve();
      }),
    );
    expect(failed).to.be.an('error');
    expect(await open().find(another.after.id)).to.equal(null);
  });

  it('refuses a second open session of one citizen, and what is called after the end', async () => {
    const stored = await apply(open(), activation());
    const second = activation({ citizenId: stored.session.citizenId });
    expect(await rejection(open().transact((tx) => tx.apply(second)))).to.be.an('error');
    expect(await open().find(second.after.id)).to.equal(null);
    let late: (() => Promise<unknown>) | null = null;
    await open().transact((tx) => {
      late = () => tx.load(stored.session.id);
      return Promise.resolve();
    });
    expect((await rejection(late!())).message).to.match(/transaction is over/);
  });
}

function findContract(open: () => SessionStore): void {
  it('finds the open session of a citizen, and none once it has ended', async () => {
    const { session } = await apply(open(), activation());
    const find = () => open().transact((tx) => tx.findOpen(session.citizenId));
    expect((await find())?.session.id).to.equal(session.id);
    await change(open(), session.id, (before) => write(before, fallbackActive(before.session)));
    expect((await find())?.session.phase).to.equal('phone-fallback-active');
    await change(open(), session.id, (before) => write(before, resolved(before.session)));
    expect(await find()).to.equal(null);
    const next = await apply(open(), activation({ citizenId: session.citizenId }));
    expect((await find())?.session.id).to.equal(next.session.id);
  });

  it('waits for who resolves a session and then finds none', async () => {
    const { session } = await apply(open(), activation());
    let found: Promise<StoredSession | null> | null = null;
    await open().transact(async (tx) => {
      const before = await tx.load(session.id);
      found = open().transact((tx2) => tx2.findOpen(session.citizenId));
      await tx.apply(write(before, resolved(session)));
    });
    expect(await found!).to.equal(null);
  });

  it('knows no session that is not there', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000' as SessionId;
    expect(await open().find(nobody)).to.equal(null);
    expect(await open().transact((tx) => tx.load(nobody))).to.equal(null);
    expect(await open().location(nobody)).to.equal(null);
    expect(await open().events(nobody, 10)).to.deep.equal([]);
  });

  it('lists newest first, by zone and openness, page by page; a session of no zone is in every zone', async () => {
    const zone = freshId<ZoneId>('zone');
    const stored: StoredSession[] = [];
    for (let n = 0; n < 4; n += 1) {
      const zoneId = n === 3 ? null : zone;
      stored.push(await apply(open(), activation({ zoneId, at: after(1e9 + n) })));
    }
    await apply(open(), activation({ zoneId: freshId('elsewhere'), at: after(1e9) }));
    const ids = stored.map(({ session }) => session.id);
    await change(open(), ids[0]!, (before) => write(before, resolved(before.session)));
    const list = async (filter: Partial<Parameters<SessionStore['list']>[0]>) => {
      const found = await open().list({ open: null, zones: [zone], before: null, limit: 100, ...filter });
      return found.map(({ session }) => session.id).filter((id) => ids.includes(id));
    };
    expect(await list({})).to.deep.equal([ids[3], ids[2], ids[1], ids[0]]);
    expect(await list({ open: true })).to.deep.equal([ids[3], ids[2], ids[1]]);
    expect(await list({ open: false })).to.deep.equal([ids[0]]);
    expect(await list({ before: ids[2]!, limit: 1 })).to.deep.equal([ids[1]]);
    expect(await list({ before: '00000000-0000-4000-8000-000000000000' as SessionId })).to.deep.equal([]);
    expect(await list({ zones: [] }), 'who is on duty nowhere sees none of no zone').to.deep.equal([]);
    const elsewhere = [freshId<ZoneId>('other')];
    expect(await list({ zones: elsewhere })).to.deep.equal([ids[3]]);
    expect(await list({ zones: null, except: zone }), 'all but one zone').to.deep.equal([ids[3]]);
    const operatorId = freshId<OperatorId>('op');
    for (const id of [ids[0]!, ids[1]!])
      await change(open(), id, (before) => write(before, withOperator(before.session, operatorId)));
    expect(await list({ zones: [], operatorId }), 'of his own only what is open').to.deep.equal([ids[1]]);
    const openOnes = (await open().listOpen(10_000)).map(({ session }) => session.id);
    expect(openOnes.filter((id) => ids.includes(id))).to.deep.equal([ids[1], ids[2], ids[3]]);
    expect(await open().listOpen(1)).to.have.length(1);
  });

  it('counts an ended session as open business until its last leg has an end', async () => {
    // Now: what ended long ago is nobody's business.
    const { session } = await apply(open(), activation({ at: Date.now() as Instant }));
    const listed = async (): Promise<boolean> =>
      (await open().listOpen(10_000)).some((one) => one.session.id === session.id);
    const leg: Leg = {
      id: legIdOf(session.id, 'citizen-phone', 1),
      kind: 'citizen-phone',
      attempt: 1,
      party: { role: 'citizen', citizenId: session.citizenId },
      aor: null,
      state: 'answered',
      dialledAt: session.createdAt,
      ...{ accepted: true, streaming: false, sound: false, ending: true },
    };
    await change(open(), session.id, (before) => write(before, { ...resolved(before.session), legs: [leg] }));
    expect(await listed()).to.equal(true);
    await change(open(), session.id, (before) => write(before, { ...resolved(session), legs: [] }));
    expect(await listed()).to.equal(false);
  });

  it('answers a ping', async () => {
    expect(await open().ping(5000)).to.equal(true);
  });
}

function factsContract(open: () => SessionStore): void {
  it('FB-1: keeps timers as set last, until cleared or the session ends', async () => {
    const { session } = await apply(open(), activation());
    const timers = async () => {
      const all = await open().timers(null, 10_000);
      return all.filter((one) => one.sessionId === session.id).map(({ timer, dueAt }) => [timer, dueAt]);
    };
    expect(await timers()).to.deep.equal([['watchdog', after(5000)]]);
    await change(open(), session.id, (before) =>
      write(before, before.session, {
        timersSet: [
          { timer: 'retry', dueAt: after(3000) },
          { timer: 'watchdog', dueAt: after(7000) },
        ],
        timersCleared: ['watchdog', 'no-operator'],
      }),
    );
    expect(await timers()).to.deep.equal([
      ['retry', after(3000)],
      ['watchdog', after(7000)],
    ]);
    expect(await open().timers(after(2999), 10_000)).to.not.deep.include({
      sessionId: session.id,
      timer: 'retry',
      dueAt: after(3000),
    });
    expect(await open().timers(after(3000), 10_000)).to.deep.include({
      sessionId: session.id,
      timer: 'retry',
      dueAt: after(3000),
    });
    expect(await open().timers(null, 1)).to.have.length(1);
    await change(open(), session.id, (before) =>
      write(before, before.session, { timersCleared: ['watchdog'] }),
    );
    expect(await timers()).to.deep.equal([['retry', after(3000)]]);
    await change(open(), session.id, (before) => write(before, resolved(before.session)));
    expect(await timers()).to.deep.equal([]);
  });

  it('numbers the events of a session in one row, each with a hash of its own', async () => {
    const { session } = await apply(open(), activation());
    const legId = legIdOf(session.id, 'citizen-app', 1);
    await change(open(), session.id, (before) =>
      write(before, before.session, {
        events: [
          { event: { type: 'pbx.ringing', legId }, at: after(10.5), personal: null },
          { event: { type: 'pbx.answered', legId }, at: after(20), personal: null },
        ],
      }),
    );
    const events = await open().events(session.id, 10);
    expect(events.map(({ seq, event }) => [seq, event.type])).to.deep.equal([
      [1, 'api.activated'],
      [2, 'pbx.ringing'],
      [3, 'pbx.answered'],
    ]);
    expect(events[1]?.at).to.equal(after(10.5));
    expect(new Set(events.map((one) => one.hash)).size).to.equal(3);
    expect(events.every((one) => /^[0-9a-f]{64}$/.test(one.hash))).to.equal(true);
    expect(await open().events(session.id, 2)).to.have.length(2);
    expect((await open().find(session.id))?.seq).to.equal(3);
  });

  it('RTC-4: gives the newest position that is known', async () => {
    const { session } = await apply(open(), activation());
    expect(await open().location(session.id)).to.equal(null);
    const positions = [
      { latitude: 12.971599, longitude: 77.594566, accuracyM: 8.5 },
      { latitude: 12.98, longitude: 77.6 },
      null,
    ];
    for (const location of positions) {
      await change(open(), session.id, (before) =>
        write(before, before.session, {
          events: [{ event: { type: 'roster.changed' }, at: T0, personal: { location, claimed: null } }],
        }),
      );
    }
    expect(await open().location(session.id)).to.deep.equal({ latitude: 12.98, longitude: 77.6 });
  });

  it('takes any text, even what a database would refuse', async () => {
    const odd = 'nul \0, half a pair \ud800, "quoted", \\u0000';
    const { session } = await apply(open(), activation());
    await change(open(), session.id, (before) =>
      write(
        before,
        { ...live(before.session), degradedReason: odd },
        {
          events: [
            {
              event: { type: 'api.resolved', by: odd },
              at: T0,
              personal: { location: null, claimed: { [odd]: odd } },
            },
          ],
          feed: [{ type: 'sos.degraded', detail: { reason: odd } }],
        },
      ),
    );
    const reason = live((await open().find(session.id))!.session).degradedReason;
    expect(reason).to.match(/^nul ., half a pair ., "quoted", \\u0000$/su);
  });
}

function idempotencyContract(open: () => SessionStore): void {
  const claim = (citizenId: CitizenId, key: string, bodyHash: string, sessionId: SessionId) =>
    open().transact((tx) => tx.claimIdempotencyKey(citizenId, key, bodyHash, sessionId));
  const first = '00000000-0000-4000-8000-000000000001' as SessionId;
  const second = '00000000-0000-4000-8000-000000000002' as SessionId;

  it('tells a fresh key, the same body again and another body', async () => {
    const citizenId = freshId<CitizenId>('citizen');
    expect(await claim(citizenId, 'k', 'body', first)).to.deep.equal({ seen: 'fresh' });
    expect(await claim(citizenId, 'k', 'body', second)).to.deep.equal({ seen: 'same', sessionId: first });
    expect(await claim(citizenId, 'k', 'body', first)).to.deep.equal({ seen: 'same', sessionId: first });
    expect(await claim(citizenId, 'k', 'else', second)).to.deep.equal({
      seen: 'other-body',
      sessionId: first,
    });
    expect(await claim(citizenId, 'k2', 'body', second)).to.deep.equal({ seen: 'fresh' });
    expect(await claim(freshId('citizen'), 'k', 'body', second)).to.deep.equal({ seen: 'fresh' });
  });

  it('gives a key to one of two that claim it at once, however long it is', async () => {
    const citizenId = freshId<CitizenId>('citizen');
    const key = 'x'.repeat(10_000);
    const seen = await Promise.all([first, second].map((id) => claim(citizenId, key, 'body', id)));
    expect(seen.map((one) => one.seen).toSorted()).to.deep.equal(['fresh', 'same']);
  });
}

/** His, whether it goes on or has ended. */
function withOperator(session: Session, operatorId: OperatorId): Session {
  return 'endedAt' in session ? { ...session, operatorId } : assigned(session, operatorId);
}
