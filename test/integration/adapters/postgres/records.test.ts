import { expect } from 'chai';
import { legIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type {
  CitizenId,
  Instant,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import type { Session } from '../../../../control-plane/src/domain/session/session.ts';
import { apply, change, rejection } from '../../../contract/store-steps.ts';
import { keptLog } from '../../../support/kept-log.ts';
import {
  activation,
  after as ms,
  assigned,
  fallbackActive,
  freshId,
  live,
  resolved,
  T0,
  write,
} from '../../../support/session-writes.ts';
import { testDatabase } from '../../../support/test-database.ts';
import type { TestDatabase } from '../../../support/test-database.ts';

const akram = 'akram' as OperatorId;
const location = { latitude: 12.971599, longitude: 77.594566, accuracyM: 8.5 };

describe('adapters/postgres: the records', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  const log = keptLog();

  before(async () => {
    database = await testDatabase({ log });
  });
  after(() => database.close());

  const record = async (id: SessionId) => {
    const rows = await database.sql<Record<string, unknown>>(
      `SELECT citizen_id, activated_at, operator_id, webrtc_session_id, latitude, longitude, phase,
         fallback_failed_at, fallback_initiated_at, fallback_call_reference, fallback_reason, resolved_at
       FROM session_record WHERE session_id = $1`,
      [id],
    );
    return rows[0];
  };
  const turn = (id: SessionId, to: (session: Session) => Session) =>
    change(database.store, id, (before) => write(before, to(before.session)));

  it('RTC-4: one SELECT gives citizen, UTC time, operator, WebRTC session and position', async () => {
    const { session } = await apply(database.store, activation({ location, operatorId: akram }));
    expect(await record(session.id)).to.deep.include({
      citizen_id: session.citizenId,
      activated_at: new Date(T0),
      operator_id: 'akram',
      webrtc_session_id: legIdOf(session.id, 'citizen-app', 1),
      latitude: location.latitude,
      longitude: location.longitude,
      phase: 'connecting',
      resolved_at: null,
    });
  });

  it('FB-4, FB-8: the fallback block is there at the trigger, and gone when the stream wins', async () => {
    const { session } = await apply(database.store, activation({ operatorId: akram }));
    const none = {
      fallback_failed_at: null,
      fallback_initiated_at: null,
      fallback_call_reference: null,
      fallback_reason: null,
    };
    expect(await record(session.id)).to.deep.include(none);
    await turn(session.id, fallbackActive);
    expect(await record(session.id)).to.deep.include({
      fallback_failed_at: new Date(ms(5000)),
      fallback_initiated_at: new Date(ms(5010)),
      fallback_call_reference: 'call-1@carrier.example',
      fallback_reason: 'timeout',
    });
    await turn(session.id, (before) => ({ ...live(before), phase: 'active', fallback: null }));
    expect(await record(session.id)).to.deep.include({ ...none, phase: 'active' });
    expect(await database.store.events(session.id, 10)).to.have.length(3);
  });

  it('RTC-9: the end gets its time and keeps what the session was', async () => {
    const { session } = await apply(database.store, activation({ operatorId: akram }));
    await turn(session.id, fallbackActive);
    await turn(session.id, (before) => resolved(before, ms(9000)));
    expect(await record(session.id)).to.deep.include({
      resolved_at: new Date(ms(9000)),
      operator_id: 'akram',
      webrtc_session_id: legIdOf(session.id, 'citizen-app', 1),
      fallback_reason: 'timeout',
    });
  });

  it('TEL-11: a call detail record holds each leg, its first times and its one outcome', async () => {
    const { session } = await apply(database.store, activation());
    const legId = legIdOf(session.id, 'citizen-phone', 1);
    const party = { role: 'citizen', citizenId: session.citizenId } as const;
    const changes = [
      [{ state: 'dialing', party, at: ms(1) }],
      [{ state: 'ringing', at: ms(2) }],
      [
        { state: 'carrier-reference', try: 1, callId: 'abc@carrier', at: ms(2) },
        { state: 'ringing', at: ms(3) },
        { state: 'answered', trunk: null, at: ms(4) },
      ],
      [{ state: 'ended', at: ms(5), outcome: 'completed', sipStatus: 200, q850: 16 }],
      [{ state: 'ended', at: ms(6), outcome: 'lost', sipStatus: null, q850: null }],
    ] as const;
    for (const some of changes)
      await change(database.store, session.id, (before) =>
        write(before, before.session, { legs: some.map((one) => ({ legId, change: one })) }),
      );
    const rows = await database.sql(
      `SELECT kind, attempt, party_role, party_id, dialed_at, ringing_at, answered_at, ended_at, outcome,
         sip_status, q850, carrier_call_id FROM legs WHERE session_id = $1`,
      [session.id],
    );
    expect(rows).to.deep.equal([
      {
        kind: 'citizen-phone',
        attempt: 1,
        party_role: 'citizen',
        party_id: session.citizenId,
        dialed_at: new Date(ms(1)),
        ringing_at: new Date(ms(2)),
        answered_at: new Date(ms(4)),
        ended_at: new Date(ms(5)),
        outcome: 'completed',
        sip_status: 200,
        q850: 16,
        carrier_call_id: 'abc@carrier',
      },
    ]);
  });

  describe('the schema refuses', () => {
    const refusal = async (statement: string, values: readonly unknown[] = []) =>
      (await rejection(database.sql(statement, values))).message;
    let session: Session;
    before(async () => {
      ({ session } = await apply(database.store, activation()));
    });

    it('half a fallback, a second open session, a resolution without a time', async () => {
      expect(
        await refusal(`UPDATE sessions SET fallback_reason = 'timeout' WHERE id = $1`, [session.id]),
      ).to.include('sessions_fallback_whole');
      const copy = `INSERT INTO sessions (id, citizen_id, device_id, phase, created_at, activated_at, changed_at, seq, chain_head, state)
        SELECT gen_random_uuid(), citizen_id, device_id, phase, created_at, activated_at, changed_at, seq, chain_head, state
        FROM sessions WHERE id = $1`;
      expect(await refusal(copy, [session.id])).to.include('sessions_one_open_per_citizen');
      expect(
        await refusal(`UPDATE sessions SET phase = 'resolved', ended_at = now() WHERE id = $1`, [session.id]),
      ).to.include('sessions_resolved');
      expect(await refusal(`UPDATE sessions SET phase = 'released' WHERE id = $1`, [session.id])).to.include(
        'sessions_end',
      );
    });

    it('a number that is not E.164, and an event without its session', async () => {
      const put = `INSERT INTO citizens (id, phone, phone_verified, silent) VALUES ('x', $1, true, false)`;
      expect(await refusal(put, ['09876543210'])).to.include('citizens_phone_check');
      expect(
        await refusal(
          `INSERT INTO session_events (session_id, seq, type, at, event, hash)
           VALUES (gen_random_uuid(), 1, 'x', now(), '{}', sha256(''))`,
        ),
      ).to.include('foreign key');
    });
  });

  describe('the chain', () => {
    let session: Session;
    beforeEach(async () => {
      ({ session } = await apply(database.store, activation({ location })));
      for (let n = 0; n < 3; n += 1) await turn(session.id, (before) => before);
    });
    const verify = () => database.records.verify(session.id);

    it('is whole as written, for a session of two writes and for none', async () => {
      expect(await verify()).to.deep.equal({ whole: true, events: 4 });
      expect(await database.records.verify('00000000-0000-4000-8000-000000000000' as SessionId)).to.equal(
        null,
      );
    });

    it('shows what is done to it behind our back', async () => {
      const meddle = async (statement: string) => {
        await database.sql('BEGIN');
        await database.sql(statement, [session.id]);
        await database.sql('COMMIT');
        return verify();
      };
      await database.sql(
        `UPDATE session_events SET at = at + interval '1 microsecond' WHERE session_id = $1 AND seq = 3`,
        [session.id],
      );
      expect(await verify()).to.deep.equal({ whole: false, brokenAt: 3, why: 'altered' });
      await database.sql(
        `UPDATE session_events SET at = at - interval '1 microsecond' WHERE session_id = $1 AND seq = 3`,
        [session.id],
      );
      expect(await verify()).to.deep.include({ whole: true });
      expect(await meddle('UPDATE session_personal SET latitude = 0 WHERE session_id = $1')).to.deep.equal({
        whole: false,
        brokenAt: 1,
        why: 'personal-altered',
      });
      await database.sql('UPDATE session_personal SET latitude = $2 WHERE session_id = $1', [
        session.id,
        location.latitude,
      ]);
      expect(await meddle('DELETE FROM session_events WHERE session_id = $1 AND seq = 4')).to.deep.equal({
        whole: false,
        brokenAt: 4,
        why: 'cut-off',
      });
    });

    it('stays whole when her data are erased, which leaves no position and no salt', async () => {
      const erase = () => database.records.erase(session.citizenId, 'officer', ms(9000));
      expect(await erase()).to.deep.equal({ ok: false, code: 'ERR_RECORDS_SESSION_OPEN' });
      expect(await database.store.location(session.id)).to.deep.equal(location);
      await turn(session.id, resolved);
      expect(await erase()).to.deep.include({ ok: true, sessions: 1, rows: 1, profile: false });
      expect(await erase()).to.deep.include({ ok: true, sessions: 0, rows: 0 });
      expect(await verify()).to.deep.equal({ whole: true, events: 5 });
      expect(await database.store.location(session.id)).to.equal(null);
      expect(await record(session.id)).to.deep.include({ latitude: null, longitude: null });
      const feed = await database.store.feedAfter((await database.store.feedHead()) - 1, 1);
      expect(JSON.stringify(feed)).to.not.include(String(location.latitude));
    });
  });

  describe('retention', () => {
    it('drops old feed rows from the low end, and tells where the feed begins', async () => {
      const old = (T0 - 90_000_000) as Instant;
      await apply(database.store, activation({ at: old }));
      const kept = await apply(database.store, activation());
      const head = await database.store.feedHead();
      await database.sql('UPDATE feed SET at = to_timestamp(0) WHERE seq < $1', [head]);
      expect(await database.records.dropFeedBefore(old)).to.be.greaterThan(0);
      expect(await database.store.feedFloor()).to.equal(head - 1);
      const rows = await database.store.feedAfter(0, 100);
      expect(rows.map((row) => row.sessionId)).to.deep.equal([kept.session.id]);
      expect(await database.records.dropFeedBefore(ms(1e9))).to.equal(1);
      expect(await database.store.feedFloor()).to.equal(head);
      expect(await database.records.dropFeedBefore(ms(1e9))).to.equal(0);
    });

    it('drops positions and the ledger of old sessions, and looks at each of them once', async () => {
      const ended = async (endedAt: Instant): Promise<SessionId> => {
        const { session } = await apply(database.store, activation({ at: endedAt, location }));
        await change(database.store, session.id, (one) =>
          write(one, resolved(one.session, endedAt), { at: endedAt }),
        );
        await database.ledger.enter(
          session.id,
          [{ seq: 1, name: 'activated', at: endedAt, ms: 0 }],
          [{ id: 'RTC-1', limitMs: 500, valueMs: 9, ok: true, reason: null }],
          endedAt,
        );
        return session.id;
      };
      const [old, young] = [await ended((T0 - 2e9) as Instant), await ended((T0 - 1e9) as Instant)];
      const before = (T0 - 1.5e9) as Instant;
      const { records } = database;
      expect(await records.dropPersonalBefore(before, T0)).to.equal(1);
      expect(await records.dropLedgerBefore(before, T0), 'a milestone and a verdict').to.equal(2);
      expect(await database.store.location(old)).to.equal(null);
      expect(await database.store.location(young)).to.deep.include(location);
      expect((await database.ledger.find(old))?.verdicts).to.deep.equal([]);
      expect((await database.ledger.find(young))?.verdicts).to.have.length(1);
      const looked = () =>
        database.sql(
          'SELECT xmin::text FROM sessions WHERE id = ANY ($1) AND personal_dropped_at IS NOT NULL AND ledger_dropped_at IS NOT NULL',
          [[old, young]],
        );
      const marked = await looked();
      expect(marked).to.have.length(1);
      expect(await records.dropPersonalBefore(before, T0)).to.equal(0);
      expect(await records.dropLedgerBefore(before, T0)).to.equal(0);
      expect(await looked(), 'nothing was written again').to.deep.equal(marked);
    });

    it('drops tickets and keys past their life, and contacts long gone', async () => {
      const grant = { role: 'citizen', subject: 's', purpose: 'sip', deviceId: 'd', tokenId: null } as const;
      await database.records.dropExpired((Date.now() + 1e9) as Instant);
      const now = Date.now() as Instant;
      const alive = await database.tickets.issue(grant, (now + 1000) as Instant);
      await database.tickets.issue(grant, now);
      const citizenId = freshId<CitizenId>('citizen');
      const claim = () =>
        database.store.transact((tx) =>
          tx.claimIdempotencyKey(citizenId, 'k', 'b', '00000000-0000-4000-8000-000000000000' as SessionId),
        );
      await claim();
      await database.presence.setContact('citizen-x-y' as never, false, (now - 90_000_000) as Instant);
      await database.presence.setContact('citizen-x-z' as never, true, (now - 90_000_000) as Instant);
      expect(await database.records.dropExpired(now)).to.equal(2);
      expect(await database.presence.contactOnline('citizen-x-z' as never)).to.equal(true);
      expect((await claim()).seen).to.equal('same');
      await database.sql(
        `UPDATE idempotency_keys SET claimed_at = claimed_at - interval '24 hours' WHERE citizen_id = $1`,
        [citizenId],
      );
      expect((await claim()).seen).to.equal('fresh');
      expect((await claim()).seen).to.equal('same');
      expect(await database.tickets.redeem(alive, 'sip', now)).to.deep.include(grant);
    });
  });

  it('holds a number in its own column alone, and lets none into errors or logs', async () => {
    const digits = '9810000042';
    const phone = PhoneNumber.parse(`+91${digits}`);
    const id = freshId<CitizenId>('citizen');
    await database.directory.putCitizen({
      id,
      phone,
      phoneVerified: true,
      homeZone: null,
      silent: false,
      devices: [],
    });
    const unknown = await database.directory.putCitizen({
      ...{ id, phone, phoneVerified: true, silent: false, devices: [] },
      homeZone: 'nowhere' as ZoneId,
    });
    expect(unknown.ok).to.equal(false);
    const failure = await rejection(
      database.directory.putOperator({
        id: freshId('op'),
        name: digits,
        dutyPhone: phone,
        capacity: 0,
        active: true,
      }),
    );
    expect(JSON.stringify([failure.message, failure.stack, failure, unknown])).to.not.include(digits);
    const { session } = await apply(database.store, activation({ citizenId: id, location }));
    await turn(session.id, fallbackActive);
    const tables = await database.sql<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'citizens' ORDER BY 1`,
    );
    expect(tables.length).to.be.greaterThan(12);
    for (const { name } of tables) {
      const rows = await database.sql<{ count: number }>(
        `SELECT count(*)::integer AS count FROM ${name} t WHERE t::text LIKE '%' || $1 || '%'`,
        [digits],
      );
      expect([name, rows[0]?.count]).to.deep.equal([name, 0]);
    }
    expect(log.lines.join('\n')).to.not.include(digits);
  });

  it('RTC-5: does not let the operator go who was just assigned', async () => {
    const id = freshId<OperatorId>('op');
    await database.directory.putOperator({ id, name: 'A', dutyPhone: null, capacity: 1, active: true });
    const { session } = await apply(database.store, activation());
    await turn(session.id, (before) => assigned(before, id));
    expect(await database.directory.deleteOperator(id)).to.deep.include({
      ok: false,
      code: 'ERR_DIRECTORY_IN_USE',
    });
  });
});
