/** What every store of calls promises, whatever it is made of. */
import { expect } from 'chai';
import type { CallId, LegId } from '../../control-plane/src/domain/ids.ts';
import { isLiveCall } from '../../control-plane/src/domain/call/call.ts';
import type { CallEvent } from '../../control-plane/src/domain/call/event.ts';
import type { CallFilter, CallRecordFilter, CallStore } from '../../control-plane/src/ports/call-store.ts';
import {
  BRIDGE_TO,
  CALL_T0,
  callAt,
  creation,
  freshCallId,
  happen,
  newCall,
  personalOf,
  phoneNumber,
  TO,
  toLeg,
} from '../support/call-writes.ts';
import { rejection } from './store-steps.ts';

const ALL: CallFilter = {
  createdBy: null,
  states: [],
  since: null,
  until: null,
  metadata: null,
  before: null,
  limit: 100,
};
const RECORDS: CallRecordFilter = {
  since: null,
  until: null,
  trunk: null,
  outcome: null,
  owner: null,
  before: null,
  limit: 100,
};

/** A call as it goes when both answer and the second party hangs up. */
const story = (id: CallId): readonly (readonly [number, CallEvent])[] => {
  const [to, other] = [toLeg(id), toLeg(id, 'call-bridge-to')];
  const end = { outcome: 'completed', sipStatus: null, q850: 16 } as const;
  return [
    [5, { type: 'pbx.carrier-reference', legId: to, try: 1, callId: 'carrier-1' }],
    [6, { type: 'pbx.tried', legId: to, try: 1, trunk: 'tata' }],
    [
      400,
      {
        type: 'pbx.try-ended',
        legId: to,
        try: 1,
        trunk: 'tata',
        outcome: 'congestion',
        sipStatus: 503,
        q850: 34,
      },
    ],
    [402, { type: 'pbx.tried', legId: to, try: 2, trunk: 'airtel' }],
    [900, { type: 'pbx.ringing', legId: to }],
    [2000, { type: 'pbx.answered', legId: to, trunk: 'airtel' }],
    [2010, { type: 'pbx.tried', legId: other, try: 1, trunk: 'tata' }],
    [2500, { type: 'pbx.progress', legId: other }],
    [3000, { type: 'pbx.answered', legId: other, trunk: 'tata' }],
    [9000, { type: 'pbx.ended', legId: other, ...end }],
    [9050, { type: 'pbx.ended', legId: to, ...end }],
  ];
};

export function callStoreContract(name: string, open: () => CallStore): void {
  const begun = async (write = creation()): Promise<CallId> => {
    await open().transact((tx) => tx.apply(write));
    return write.after.id;
  };

  describe(`CallStore on ${name}`, () => {
    it('TEL-10 keeps a call with its parties, and what happens to it', async () => {
      const callerId = phoneNumber('+911140000100');
      const write = creation(newCall(), CALL_T0, personalOf({ callerId }));
      const id = await begun(write);
      const known = await open().find(id);
      expect(known?.call).to.deep.equal(write.after);
      expect(known?.seq).to.equal(1);
      expect(known?.personal?.numbers.map((number) => number.reveal())).to.deep.equal([
        TO.reveal(),
        BRIDGE_TO.reveal(),
      ]);
      expect(known?.personal?.callerId?.reveal()).to.equal('+911140000100');
      expect(known?.personal?.metadata).to.deep.equal({ case: '4711' });

      const after = await happen(open(), id, story(id));
      expect(after).to.include({ state: 'ended', reason: 'other-hung-up' });
      const stored = await open().find(id);
      expect(stored?.call).to.deep.equal(after);
      expect(stored?.seq).to.equal(12);
      expect(await open().find(freshCallId())).to.equal(null);
    });

    it('leaves nothing when the work throws, and refuses a state that is not the stored one', async () => {
      const write = creation();
      const { id } = write.after;
      const failure = await rejection(
        open().transact(async (tx) => {
          await tx.claimKey('backend:b', `key ${id}`, 'body', id);
          await tx.apply(write);
          throw new Error('changed my mind');
        }),
      );
      expect(failure.message).to.equal('changed my mind');
      expect(await open().find(id)).to.equal(null);
      const claim = await open().transact((tx) => tx.claimKey('backend:b', `key ${id}`, 'body', id));
      expect(claim).to.deep.equal({ seen: 'fresh' });

      await begun(write);
      await rejection(open().transact((tx) => tx.apply(write)));
      expect((await open().find(id))?.seq).to.equal(1);
    });

    it('serialises what happens to one call', async () => {
      const id = await begun();
      const to = toLeg(id);
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          happen(open(), id, [[index, { type: 'pbx.tried', legId: to, try: index + 1, trunk: 'tata' }]]),
        ),
      );
      expect((await open().find(id))?.seq).to.equal(9);
    });

    it('remembers a key for its caller alone, with the body that came under it', async () => {
      const [first, second] = [freshCallId(), freshCallId()];
      const key = `key ${first}`;
      const claim = (caller: string, body: string, id: CallId) =>
        open().transact((tx) => tx.claimKey(caller, key, body, id));
      expect(await claim('backend:a', 'body', first)).to.deep.equal({ seen: 'fresh' });
      expect(await claim('backend:a', 'body', second)).to.deep.equal({ seen: 'same', callId: first });
      expect(await claim('backend:a', 'other', second)).to.deep.equal({ seen: 'other-body', callId: first });
      expect(await claim('backend:b', 'body', second)).to.deep.equal({ seen: 'fresh' });
    });

    it('lets one of two win that claim a key at once', async () => {
      const key = `key ${freshCallId()}`;
      const claims = await Promise.all(
        Array.from({ length: 6 }, () =>
          open().transact((tx) => tx.claimKey('backend:a', key, 'body', freshCallId())),
        ),
      );
      expect(claims.filter(({ seen }) => seen === 'fresh')).to.have.length(1);
      const others = claims.flatMap((claim) => (claim.seen === 'fresh' ? [] : [claim.callId]));
      expect(new Set(others).size).to.equal(1);
    });

    it('gives a party of a transfer the next place', async () => {
      const id = await begun();
      const third = phoneNumber('+919900012600');
      await happen(open(), id, story(id).slice(0, 9));
      await open().transact(async (tx) => {
        const before = await tx.load(id);
        expect(await tx.numbers(id)).to.have.length(2);
        const write = {
          before,
          after: { ...before!.call, places: 3 },
          at: callAt(4000),
          timersSet: [],
          timersCleared: [],
          legs: [],
          outbox: [],
          personal: null,
          added: third,
        };
        await tx.apply(write);
      });
      const numbers = (await open().find(id))?.personal?.numbers.map((number) => number.reveal());
      expect(numbers).to.deep.equal([TO.reveal(), BRIDGE_TO.reveal(), third.reveal()]);
    });

    it('keeps deadlines as they were set last, and none of a call at rest', async () => {
      const id = await begun();
      const timers = async () =>
        Object.fromEntries(
          (await open().timers(100_000))
            .filter(({ callId }) => callId === id)
            .map(({ timer, dueAt }) => [timer, dueAt - CALL_T0]),
        );
      expect(await timers()).to.deep.equal({ 'to-queue': 10_000 });
      await happen(open(), id, story(id).slice(0, 2));
      expect(await timers()).to.deep.equal({ 'to-ring': 30_005 });
      await happen(open(), id, story(id).slice(2, 9));
      expect(await timers()).to.deep.equal({ 'max-duration': 3_602_000 });
      await happen(open(), id, story(id).slice(9, 10));
      expect(await timers()).to.deep.equal({ clear: 14_000 });
      await happen(open(), id, story(id).slice(10));
      expect(await timers()).to.deep.equal({});
    });

    it('lists calls that are not over or whose legs go down, oldest first', async () => {
      const ids = [await begun(creation(newCall(), callAt(2))), await begun(creation(newCall(), callAt(1)))];
      const over = await begun(creation(newCall(), callAt(3)));
      await happen(open(), over, story(over));
      const found = (await open().listUnfinished(100_000)).map(({ call }) => call.id);
      expect(found.filter((id) => [...ids, over].includes(id))).to.deep.equal([ids[1], ids[0]]);
    });

    it('TEL-10 lists calls newest first, by state, time, creator and metadata, page by page', async () => {
      const createdBy = `backend:${freshCallId()}`;
      const ids: CallId[] = [];
      for (const [index, metadata] of [{ case: '1' }, { case: '2' }, { case: '1', x: 'y' }].entries())
        ids.push(
          await begun(creation(newCall({ createdBy }), callAt(1000 * index), personalOf({ metadata }))),
        );
      await happen(open(), ids[1]!, story(ids[1]!));
      const list = async (change: Partial<CallFilter>) =>
        (await open().list({ ...ALL, createdBy, ...change })).map(({ call }) => ids.indexOf(call.id));
      expect(await list({})).to.deep.equal([2, 1, 0]);
      expect(await list({ limit: 2 })).to.deep.equal([2, 1]);
      expect(await list({ before: ids[1]! })).to.deep.equal([0]);
      expect(await list({ states: ['ended', 'failed'] })).to.deep.equal([1]);
      expect(await list({ states: ['queued'] })).to.deep.equal([2, 0]);
      expect(await list({ since: callAt(1000) })).to.deep.equal([2, 1]);
      expect(await list({ until: callAt(1000) })).to.deep.equal([0]);
      expect(await list({ metadata: { createdBy, key: 'case', value: '1' } })).to.deep.equal([2, 0]);
      const foreign = { createdBy: 'backend:other', key: 'case', value: '1' };
      expect(await list({ createdBy: null, metadata: foreign })).to.deep.equal([]);
    });

    it('TEL-11 tells each leg with its tries, and finds them by owner, trunk, outcome and time', async () => {
      const id = await begun();
      await happen(open(), id, story(id));
      const records = async (change: Partial<CallRecordFilter> = {}) =>
        open().records({ ...RECORDS, owner: id, ...change });
      const [other, to] = await records();
      expect(to).to.deep.include({
        legId: toLeg(id),
        owner: { kind: 'call', id },
        kind: 'call-to',
        attempt: 1,
        trunk: 'airtel',
        dialledAt: CALL_T0,
        progressAt: null,
        ringingAt: callAt(900),
        answeredAt: callAt(2000),
        endedAt: callAt(9050),
        outcome: 'completed',
        sipStatus: null,
        q850: 16,
        carrierCallId: 'carrier-1',
      });
      expect(to?.tries).to.deep.equal([
        {
          try: 1,
          trunk: 'tata',
          dialledAt: callAt(6),
          endedAt: callAt(400),
          outcome: 'congestion',
          sipStatus: 503,
          q850: 34,
          carrierCallId: 'carrier-1',
        },
        {
          try: 2,
          trunk: 'airtel',
          dialledAt: callAt(402),
          endedAt: null,
          outcome: null,
          sipStatus: null,
          q850: null,
          carrierCallId: null,
        },
      ]);
      expect(other).to.deep.include({ kind: 'call-bridge-to', trunk: 'tata', progressAt: callAt(2500) });
      const found = async (change: Partial<CallRecordFilter>) =>
        (await records(change)).map(({ legId }) => (legId === toLeg(id) ? 'to' : 'other'));
      expect(await found({ trunk: 'airtel' })).to.deep.equal(['to']);
      expect(await found({ trunk: 'tata' }), 'tried, too').to.deep.equal(['other', 'to']);
      expect(await found({ outcome: 'busy' })).to.deep.equal([]);
      expect(await found({ since: callAt(1) })).to.deep.equal(['other']);
      expect(await found({ until: callAt(1) })).to.deep.equal(['to']);
      expect(await found({ limit: 1 })).to.deep.equal(['other']);
      expect(await found({ before: other?.legId as LegId })).to.deep.equal(['to']);
    });

    it('drops numbers and metadata of calls that ended before a time; the calls stay', async () => {
      const [open1, over] = [await begun(), await begun()];
      await happen(open(), over, story(over));
      await open().dropPersonalBefore(callAt(8000));
      expect((await open().find(over))?.personal).to.not.equal(null);
      expect(await open().dropPersonalBefore(callAt(60_000))).to.be.at.least(1);
      const known = await open().find(over);
      expect(known?.personal).to.equal(null);
      expect(known && isLiveCall(known.call)).to.equal(false);
      expect((await open().find(open1))?.personal).to.not.equal(null);
      expect(await open().transact((tx) => tx.numbers(over))).to.deep.equal([]);
    });
  });
}
