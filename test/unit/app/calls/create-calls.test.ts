import { expect } from 'chai';
import type { CallId, LegId } from '../../../../control-plane/src/domain/ids.ts';
import type { PhoneDial } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { StoreError } from '../../../../control-plane/src/ports/session-store.ts';
import {
  ADMIN,
  CALLEE,
  CallLab,
  DISPATCH,
  OTHER_BACKEND,
  SECOND,
  startCallLab,
  THIRD,
} from '../../../support/call-lab.ts';
import { CARRIER_TRUNK } from '../../../support/trunk-sample.ts';

const rejection = async (lab: CallLab, work: Promise<unknown>): Promise<unknown> => {
  const caught = work.then(
    () => null,
    (error: unknown) => error,
  );
  await lab.forward(6000);
  return caught;
};

describe('app/calls', () => {
  describe('a call', () => {
    it('TEL-4 is dialled the moment after it was asked for, and followed to its end', async () => {
      const lab = await startCallLab();
      const call = await lab.create({ bridgeTo: [SECOND], metadata: { case: '4711' } });
      expect(call).to.deep.include({ state: 'queued', to: CALLEE, bridgeTo: [SECOND] });
      expect(lab.pbx.legIds).to.deep.equal([`${call.id}.call-to.1`]);
      expect(await lab.state(call.id)).to.equal('dialing/none');
      await lab.rings('to');
      await lab.answers('to');
      expect(await lab.state(call.id)).to.equal('answered/calling');
      await lab.answers('other');
      expect(lab.ordered('join')).to.deep.equal([
        `join ${call.id}.call ${call.id}.call-to.1 both`,
        `join ${call.id}.call ${call.id}.call-bridge-to.1 both`,
      ]);
      await lab.hangsUp('other');
      expect(await lab.state(call.id)).to.equal('ended/other-hung-up');
      expect(lab.pbx.legIds).to.deep.equal([]);
      expect(lab.pbx.bridgeIds).to.deep.equal([]);
      expect(lab.told).to.deep.equal([
        'call-to call.ringing',
        'call-to call.answered',
        'call-bridge-to call.answered',
        'call-bridge-to call.ended',
        'call-to call.ended',
      ]);
      expect(JSON.stringify([lab.memory.outbox, lab.log.lines])).to.not.match(/98100|70000|4711/);
    });

    it('TEL-10 is held, transferred and hung up as its creator asks', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      const callId = id as CallId;
      await lab.settled(lab.calls.hold(DISPATCH, callId));
      expect(await lab.state(id)).to.equal('answered/on-hold');
      expect(lab.pbx.leg(lab.leg('to'))).to.include({ holding: true, bridgeId: null });
      expect(lab.pbx.leg(lab.leg('other'))).to.include({ holding: true, bridgeId: null });
      await lab.settled(lab.calls.unhold(DISPATCH, callId));
      expect(await lab.state(id)).to.equal('answered/joined');
      const transferred = await lab.settled(lab.calls.transfer(DISPATCH, callId, THIRD));
      expect(transferred.ok && transferred.value.bridgeTo).to.deep.equal([SECOND, THIRD]);
      expect(lab.leg('other')).to.equal(`${id}.call-bridge-to.2`);
      await lab.answers('other');
      expect(await lab.state(id)).to.equal('answered/joined');
      expect(lab.pbx.legIds).to.have.members([`${id}.call-to.1`, `${id}.call-bridge-to.2`]);
      const back = await lab.settled(lab.calls.transfer(DISPATCH, callId, SECOND));
      expect(back.ok && back.value.bridgeTo, 'who was called before keeps his place').to.deep.equal([
        SECOND,
        THIRD,
      ]);
      await lab.settled(lab.calls.hangUp(DISPATCH, callId));
      expect(await lab.state(id)).to.equal('ended/hung-up');
      const again = await lab.settled(lab.calls.hangUp(DISPATCH, callId));
      expect(again.ok && again.value.state).to.equal('ended');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('is refused what its state does not allow, with a code', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create();
      const callId = id as CallId;
      const codes = async () => [
        lab.failure(await lab.settled(lab.calls.hold(DISPATCH, callId))),
        lab.failure(await lab.settled(lab.calls.unhold(DISPATCH, callId))),
        lab.failure(await lab.settled(lab.calls.transfer(DISPATCH, callId, THIRD))),
      ];
      expect(await codes()).to.deep.equal(['ERR_CALL_STATE', 'ERR_CALL_STATE', 'ERR_CALL_STATE']);
      await lab.answers('to');
      const self = await lab.settled(lab.calls.transfer(DISPATCH, callId, CALLEE));
      expect(lab.failure(self), 'to itself').to.equal('ERR_CALL_STATE');
      await lab.settled(lab.calls.hangUp(DISPATCH, callId));
      expect(await codes()).to.deep.equal(['ERR_CALL_STATE', 'ERR_CALL_STATE', 'ERR_CALL_STATE']);
    });

    it('TEL-2 shows a number of a trunk’s own where one is asked for, and no other', async () => {
      const lab = await startCallLab();
      await lab.create({ callerId: CARRIER_TRUNK.callerId.default });
      const dial = lab.pbx.leg(lab.leg('to'))!.dial;
      expect('number' in dial && dial.callerId?.reveal()).to.equal(CARRIER_TRUNK.callerId.default);
      for (const callerId of ['+919810099999', 'anonymous']) {
        const refused = await lab.settled(lab.calls.create(DISPATCH, lab.request({ callerId })));
        expect(lab.failure(refused)).to.equal('ERR_CALL_CALLER_ID');
      }
    });
  });

  it('decides together what comes while it is busy, and tells of each', async () => {
    const lab = await startCallLab();
    const { id } = await lab.create();
    const { seq } = await lab.view(id);
    const leg = lab.leg('to');
    lab.pbx.ring(leg);
    lab.pbx.answer(leg);
    lab.pbx.end(leg, 'completed', null, 16);
    await lab.forward(30);
    expect(await lab.view(id)).to.include({ state: 'ended', seq: seq + 2 });
    expect(lab.told).to.deep.equal(['call-to call.ringing', 'call-to call.answered', 'call-to call.ended']);
  });

  describe('repetition', () => {
    it('gives the same call for the same key and body; another body is refused', async () => {
      const lab = await startCallLab();
      const request = lab.request({ idempotencyKey: 'k', bodyHash: 'b' });
      const first = await lab.settled(lab.calls.create(DISPATCH, request));
      const second = await lab.settled(lab.calls.create(DISPATCH, request));
      expect(first.ok && first.value.isNew).to.equal(true);
      expect(second.ok && second.value.isNew).to.equal(false);
      expect(second.ok && second.value.call.id).to.equal(first.ok && first.value.call.id);
      const other = await lab.settled(lab.calls.create(DISPATCH, { ...request, bodyHash: 'c' }));
      expect(lab.failure(other)).to.equal('ERR_CALL_KEY_REUSED');
      expect(lab.pbx.legIds, 'one call').to.have.length(1);
      const foreign = await lab.settled(lab.calls.create(OTHER_BACKEND, request));
      expect(foreign.ok && foreign.value.isNew, 'keys are each caller’s own').to.equal(true);
    });

    it('dials once what was asked for many times at once', async () => {
      const lab = await startCallLab();
      const request = lab.request({ idempotencyKey: 'k', bodyHash: 'b' });
      const all = await lab.settled(
        Promise.all(Array.from({ length: 10 }, () => lab.calls.create(DISPATCH, request))),
      );
      expect(all.filter((one) => one.ok && one.value.isNew)).to.have.length(1);
      expect(lab.ordered('dial')).to.have.length(1);
    });

    it('dials a call whose commit was in doubt, once', async () => {
      const lab = await startCallLab();
      lab.mood = 'doubtful';
      const created = lab.calls.create(DISPATCH, lab.request());
      await lab.forward(200);
      const result = await created;
      expect(result.ok && result.value.isNew).to.equal(true);
      expect(lab.ordered('dial')).to.have.length(1);
      expect(lab.pbx.legIds).to.have.length(1);
      await lab.forward(31_000);
      expect(await lab.state(result.ok ? result.value.call.id : ''), 'its deadlines run').to.equal(
        'failed/no-answer',
      );
    });
  });

  describe('limits', () => {
    it('places no more calls a second by one token than settings say; another token is not counted', async () => {
      const lab = await startCallLab({ settings: { ...new CallLab().settings, ratePerS: 2 } });
      const codes = [];
      for (let index = 0; index < 6; index += 1)
        codes.push(lab.failure(await lab.settled(lab.calls.create(DISPATCH, lab.request()))));
      expect(codes).to.deep.equal(['ok', 'ok', 'ok', 'ok', 'ERR_HTTP_RATE_LIMITED', 'ERR_HTTP_RATE_LIMITED']);
      await lab.create({}, OTHER_BACKEND);
      await lab.forward(1000);
      await lab.create();
    });

    it('has no more calls open than settings say, restarts included', async () => {
      const lab = await startCallLab({ settings: { ...new CallLab().settings, maxOpen: 2 } });
      const [first] = [await lab.create(), await lab.create()];
      const request = lab.request();
      expect(lab.failure(await lab.settled(lab.calls.create(DISPATCH, request)))).to.equal(
        'ERR_CALL_TOO_MANY',
      );
      lab.kill();
      await lab.boot();
      expect(lab.failure(await lab.settled(lab.calls.create(DISPATCH, request)))).to.equal(
        'ERR_CALL_TOO_MANY',
      );
      await lab.settled(lab.calls.hangUp(DISPATCH, first.id as CallId));
      const later = await lab.settled(lab.calls.create(DISPATCH, request));
      expect(later.ok && later.value.isNew, 'its key was not used up').to.equal(true);
    });

    it('places none where there may be none', async () => {
      const lab = await startCallLab({ settings: { ...new CallLab().settings, maxOpen: 0 } });
      expect(lab.failure(await lab.settled(lab.calls.create(DISPATCH, lab.request())))).to.equal(
        'ERR_CALL_TOO_MANY',
      );
    });

    it('waits for a channel that is not reserved for SOS, and says so when none comes free', async () => {
      const trunk = { ...CARRIER_TRUNK, capacity: { channels: 3, callsPerSecond: 100, sosReserve: 2 } };
      const lab = await startCallLab({ trunk });
      const first = await lab.create();
      const second = await lab.create();
      expect(lab.pbx.legIds).to.deep.equal([`${first.id}.call-to.1`]);
      await lab.forward(2000);
      expect(await lab.state(second.id)).to.equal('queued/none');
      await lab.settled(lab.calls.hangUp(DISPATCH, first.id as CallId));
      await lab.forward(600);
      expect(await lab.state(second.id)).to.equal('dialing/none');
      const third = await lab.create();
      await lab.forward(10_000);
      expect(await lab.view(third.id)).to.include({
        state: 'failed',
        reason: 'no-capacity',
        code: 'ERR_CALL_NO_CAPACITY',
      });
      expect(lab.told.at(-1)).to.equal('call-to call.failed');
    });

    it('judges every number before anything is dialled or written', async () => {
      const lab = await startCallLab();
      const refused = await lab.settled(
        lab.calls.create(
          DISPATCH,
          lab.request({ to: '112', bridgeTo: [SECOND, '+12125550123', SECOND, '9810012345'] }),
        ),
      );
      expect(refused).to.deep.include({ ok: false, code: 'ERR_CALL_NUMBER_REFUSED' });
      expect(!refused.ok && refused.errors?.map(({ path }) => path)).to.deep.equal([
        'to',
        'bridgeTo.1',
        'bridgeTo.2',
        'bridgeTo.3',
      ]);
      expect(JSON.stringify(refused)).to.not.match(/\b112\b|2125550123|7000012400/);
      expect(lab.pbx.orders).to.deep.equal([]);
      const { id } = await lab.joined();
      const premium = await lab.settled(lab.calls.transfer(DISPATCH, id as CallId, '+911861123456789'));
      expect(lab.failure(premium)).to.equal('ERR_CALL_NUMBER_REFUSED');
    });
  });

  describe('who sees what', () => {
    it('shows numbers and metadata to who asked for the call; an admin sees the call, another backend nothing', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create({ bridgeTo: [SECOND], metadata: { case: '4711' } });
      expect(await lab.view(id)).to.deep.include({
        to: CALLEE,
        bridgeTo: [SECOND],
        metadata: { case: '4711' },
      });
      expect(await lab.view(id, ADMIN)).to.deep.include({
        to: '+91******00',
        bridgeTo: ['+91******00'],
        metadata: null,
      });
      const foreign = await lab.settled(lab.calls.view(OTHER_BACKEND, id as CallId));
      expect(lab.failure(foreign)).to.equal('ERR_CALL_NOT_FOUND');
      const hungUp = await lab.settled(lab.calls.hangUp(OTHER_BACKEND, id as CallId));
      expect(lab.failure(hungUp)).to.equal('ERR_CALL_NOT_FOUND');
      const all = { states: [], since: null, until: null, metadata: null, before: null, limit: 10 };
      const listed = async (caller: typeof ADMIN, change: object = {}) => {
        const result = await lab.settled(lab.calls.list(caller, { ...all, ...change }));
        return result.ok ? result.value.length : result.code;
      };
      expect(await listed(DISPATCH)).to.equal(1);
      expect(await listed(ADMIN)).to.equal(1);
      expect(await listed(OTHER_BACKEND)).to.equal(0);
      const metadata = { key: 'case', value: '4711' };
      expect(await listed(DISPATCH, { metadata })).to.equal(1);
      expect(await listed(ADMIN, { metadata }), 'nobody guesses what is not shown').to.equal(0);
    });

    it('drops numbers and metadata once their time is over', async () => {
      const settings = { ...new CallLab().settings, personalKeptMs: 3_600_000 };
      const lab = await startCallLab({ settings });
      const { id } = await lab.create();
      await lab.settled(lab.calls.hangUp(DISPATCH, id as CallId));
      await lab.forward(3_500_000);
      expect(await lab.view(id)).to.deep.include({ to: CALLEE });
      await lab.forward(800_000);
      expect(await lab.view(id)).to.deep.include({
        to: null,
        bridgeTo: null,
        metadata: null,
        state: 'ended',
      });
    });
  });

  describe('when something is away', () => {
    it('answers 503 with a code while the store is away; calls that run go on', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      lab.isStoreAway = true;
      const failure = await rejection(lab, lab.calls.create(DISPATCH, lab.request()));
      expect(failure).to.be.instanceOf(StoreError);
      expect(await rejection(lab, lab.calls.hangUp(DISPATCH, id as CallId))).to.be.instanceOf(StoreError);
      expect(lab.pbx.legIds).to.have.length(2);
      expect(lab.pbx.leg(lab.leg('to'))?.bridgeId).to.equal(`${id}.call`);
    });

    it('keeps what happens meanwhile, in order, until the store takes it', async () => {
      const lab = await startCallLab();
      const call = await lab.create({ bridgeTo: [SECOND] });
      await lab.rings('to');
      lab.mood = 'down';
      await lab.answers('to');
      await lab.forward(3000);
      expect(lab.ordered('dial')).to.have.length(1);
      lab.mood = 'up';
      await lab.forward(1500);
      expect(await lab.state(call.id)).to.equal('answered/calling');
      expect(lab.ordered('dial')).to.have.length(2);
    });

    it('finds again what was given up, by asking the engine', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      lab.mood = 'down';
      await lab.hangsUp('other');
      // Longer than anything is offered again.
      await lab.forward(120_000);
      expect(lab.pbx.legIds).to.have.length(1);
      lab.mood = 'up';
      await lab.forward(5000);
      expect(await lab.state(id)).to.equal('ended/lost');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('drops no deadline, however much waits for the store', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create({ maxDurationS: 30 });
      await lab.answers('to');
      lab.mood = 'down';
      const legId = `11111111-0000-4000-8000-000000000001.call-to.1` as LegId;
      for (let fact = 0; fact < 6000; fact += 1)
        lab.pbx.emit({ type: 'leg.progress', legId, at: lab.clock.now() });
      await lab.forward(40_000);
      expect(lab.pbx.legIds).to.have.length(1);
      lab.mood = 'up';
      await lab.forward(5000);
      expect(await lab.state(id)).to.equal('ended/max-duration');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('TEL-8: hangs up no synthetic call that is under way', async () => {
      const lab = await startCallLab();
      const [own, stray] = ['1', '2'].map(
        (n) => `11111111-0000-4000-8000-00000000000${n}.call-to.1` as LegId,
      );
      lab.synthetic.add(own!);
      const legs = [own!, stray!].map((legId) => ({ legId, state: 'answered' as const, bridgeId: null }));
      const snapshot = { legs, bridges: [], contacts: [] };
      lab.pbx.emit({ type: 'engine.back', at: lab.clock.now(), snapshot });
      await lab.forward(10);
      expect(lab.ordered('hangup')).to.deep.equal([`hangup ${stray!} session-ended`]);
    });

    it('TEL-4: should nobody be there to end it, the engine does, at the end of its longest time', async () => {
      const lab = await startCallLab();
      const call = await lab.create({ bridgeTo: [SECOND], ringTimeoutS: 30, maxDurationS: 3600 });
      const longest = (kind: 'to' | 'other'): number | undefined =>
        (lab.pbx.leg(lab.leg(kind))!.dial as PhoneDial).longestMs;
      // It may wait for a trunk, ring, and speak; and whoever decides about it comes first.
      expect(longest('to')).to.equal(10_000 + 30_000 + 3_600_000 + 30_000);
      await lab.forward(5000);
      await lab.answers('to');
      expect(longest('other'), 'of who is called then: the rest of it').to.equal(3_630_000);
      await lab.answers('other');
      await lab.forward(3_000_000);
      await lab.settled(lab.calls.transfer(DISPATCH, call.id as CallId, THIRD));
      expect(longest('other')).to.be.within(629_900, 630_000);
    });

    it('TEL-4: who is called beside the first party has as long as that may take to answer', async () => {
      const lab = await startCallLab();
      await lab.create({ bridgeTo: [SECOND], bridgeWhen: 'at-once', ringTimeoutS: 20, maxDurationS: 60 });
      const dial = lab.pbx.leg(lab.leg('other'))!.dial as PhoneDial;
      expect(dial.longestMs).to.equal(10_000 + 20_000 + 60_000 + 30_000);
    });

    it('refuses new calls while the engine is out of reach, and dials what was asked for just before', async () => {
      const lab = await startCallLab();
      lab.pbx.lose();
      const refused = await lab.settled(lab.calls.create(DISPATCH, lab.request()));
      expect(lab.failure(refused)).to.equal('ERR_CALL_UNAVAILABLE');
      lab.pbx.comeBack();
      lab.pbx.failNext('ERR_PBX_DISCONNECTED');
      const call = await lab.create();
      expect(lab.pbx.legIds).to.deep.equal([]);
      lab.pbx.lose();
      lab.pbx.comeBack();
      await lab.forward(100);
      expect(lab.pbx.legIds).to.deep.equal([`${call.id}.call-to.1`]);
    });

    it('hangs up the legs of calls that nobody knows, and closes their bridges; sessions’ are not touched', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      const stranger = '11111111-0000-4000-8000-000000000001';
      const at = lab.clock.now();
      const seen = [`${stranger}.call-to.1`, `${stranger}.citizen-phone.1`].map((legId) => ({
        legId: legId as never,
        state: 'answered' as const,
        bridgeId: null,
      }));
      const own = [lab.leg('to'), lab.leg('other')].map((legId) => ({
        legId,
        state: 'answered' as const,
        bridgeId: `${id}.call` as never,
      }));
      const bridges = [`${stranger}.call`, `${stranger}.phone`, `${id}.call`].map((bridgeId) => ({
        bridgeId: bridgeId as never,
        legIds: [],
      }));
      lab.pbx.emit({ type: 'engine.back', at, snapshot: { legs: [...seen, ...own], bridges, contacts: [] } });
      await lab.forward(10);
      expect(lab.ordered(`hangup ${stranger}`)).to.deep.equal([`hangup ${stranger}.call-to.1 session-ended`]);
      expect(lab.ordered('close')).to.deep.equal([`close ${stranger}.call`]);
      expect(await lab.state(id)).to.equal('answered/joined');
    });
  });

  describe('kill -9', () => {
    const survives = async (
      lab: CallLab,
      meanwhile: () => void | Promise<void> = () => undefined,
    ): Promise<void> => {
      lab.kill();
      await meanwhile();
      await lab.forward(500);
      await lab.boot();
      await lab.forward(100);
    };

    it('between commit and dial: the call is dialled by the next process', async () => {
      const lab = await startCallLab();
      lab.pbx.failNext('ERR_PBX_DISCONNECTED');
      const { id } = await lab.create();
      expect(lab.pbx.legIds).to.deep.equal([]);
      await survives(lab);
      expect(lab.pbx.legIds).to.deep.equal([`${id}.call-to.1`]);
      await lab.answers('to');
      expect(await lab.state(id)).to.equal('answered/waiting');
    });

    it('while it rings, and it is answered meanwhile: the same call goes on', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create({ bridgeTo: [SECOND] });
      await lab.rings('to');
      await survives(lab, () => lab.pbx.answer(lab.leg('to')));
      expect(await lab.state(id)).to.equal('answered/calling');
      expect(lab.pbx.legIds).to.have.members([`${id}.call-to.1`, `${id}.call-bridge-to.1`]);
      await lab.answers('other');
      expect(await lab.state(id)).to.equal('answered/joined');
    });

    it('while it rings: it rings no longer than it may', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create({ ringTimeoutS: 10 });
      await lab.rings('to');
      await survives(lab);
      await lab.forward(8000);
      expect(await lab.state(id)).to.equal('ringing/none');
      await lab.forward(2000);
      expect(await lab.state(id)).to.equal('failed/no-answer');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('while they speak: they speak on, and the end of either is the end of both', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      await survives(lab);
      expect(lab.pbx.leg(lab.leg('to'))?.bridgeId).to.equal(`${id}.call`);
      expect(lab.ordered('hangup')).to.deep.equal([]);
      await lab.hangsUp('to');
      expect(await lab.state(id)).to.equal('ended/to-hung-up');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('while they speak, and one hangs up meanwhile: the other is hung up', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      await survives(lab, () => lab.pbx.end(lab.leg('other'), 'completed', null, 16));
      expect(await lab.state(id)).to.equal('ended/lost');
      expect(lab.pbx.legIds).to.deep.equal([]);
    });

    it('between the commit of a hold and its orders: the next process takes them out of the bridge', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      lab.pbx.failNext('ERR_PBX_DISCONNECTED', 'ERR_PBX_DISCONNECTED', 'ERR_PBX_DISCONNECTED');
      await lab.settled(lab.calls.hold(DISPATCH, id as CallId));
      expect(lab.pbx.leg(lab.leg('to'))?.bridgeId).to.equal(`${id}.call`);
      await survives(lab);
      expect(lab.pbx.leg(lab.leg('to'))).to.include({ bridgeId: null, holding: true });
      expect(await lab.state(id)).to.equal('answered/on-hold');
    });

    it('between the commit of its end and the hang-ups: the next process hangs up', async () => {
      const lab = await startCallLab();
      const { id } = await lab.joined();
      lab.pbx.failNext(...Array.from({ length: 3 }, () => 'ERR_PBX_DISCONNECTED' as const));
      await lab.settled(lab.calls.hangUp(DISPATCH, id as CallId));
      expect(lab.pbx.legIds).to.have.length(2);
      await survives(lab);
      expect(lab.pbx.legIds).to.deep.equal([]);
      expect(lab.told.filter((one) => one === 'call-to call.ended')).to.have.length(1);
    });

    it('for long: what is overdue fires at once', async () => {
      const lab = await startCallLab();
      const { id } = await lab.create({ maxDurationS: 60 });
      await lab.answers('to');
      lab.kill();
      await lab.forward(120_000);
      await lab.boot();
      await lab.forward(100);
      expect(await lab.state(id)).to.equal('ended/max-duration');
      const { endedAt } = await lab.view(id);
      expect(Date.parse(endedAt!)).to.be.at.least(lab.clock.now() - 200);
    });
  });
});
