import { expect } from 'chai';
import { callLegIdOf, legIdOf, tryIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { CallId, LegId, SessionId } from '../../../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import type { PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';
import type { LineDial } from '../../../../control-plane/src/ports/telephony.ts';
import { FakePbx } from '../../../support/fake-pbx.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { phoneLinesLab } from '../../../support/phone-lines-lab.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const SESSION = '00000000-0000-4000-8000-000000000001' as SessionId;
const CALL = '00000000-0000-4000-8000-000000000002' as CallId;
const LEG = legIdOf(SESSION, 'citizen-phone', 1);
const SECOND = tryIdOf(LEG, 2);
const trunk = (name: string, change: Partial<Trunk> = {}): Trunk => ({ ...PLAIN_TRUNK, name, ...change });
const FIRST = trunk('first', { priority: 1 });
const OTHER = trunk('other', { priority: 2 });

async function setUp(trunks: readonly Trunk[] = [FIRST, OTHER]) {
  const clock = manualClock();
  const pbx = new FakePbx({ clock, trunks: trunks.map(({ name }) => name) });
  const lab = phoneLinesLab(pbx, clock, trunks);
  const told: PbxEvent[] = [];
  lab.lines.onEvent((event) => told.push(event));
  await pbx.start();
  const number = PhoneNumber.parse('+919812345600');
  if (number === null) throw new Error('no number');
  const dial: LineDial = {
    legId: LEG,
    ownerId: SESSION,
    number,
    ringTimeoutMs: 25_000,
    triesBefore: 0,
    purpose: 'sos',
    callerId: null,
    trunk: null,
  };
  const story = () =>
    told.flatMap((event) => {
      switch (event.type) {
        case 'leg.tried':
          return `tried ${event.try} ${event.trunk}`;
        case 'leg.try-ended':
          return `try ${event.try} ${event.outcome}`;
        case 'leg.progress':
        case 'leg.ringing':
          return event.type;
        case 'leg.answered':
          return `answered ${event.trunk ?? '?'}`;
        case 'leg.ended':
          return `ended ${event.outcome}`;
        default:
          return [];
      }
    });
  const orders = () => pbx.orders.filter((order) => /^(dial|hangup)/.test(order));
  return { clock, pbx, lab, lines: lab.lines, dial, told, story, orders };
}

/** What is due later in this turn of the event loop. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('app/lines/phone-lines', () => {
  it('TEL-7: goes by the next trunk on a fresh channel when one is congested, and tells one call', async () => {
    const { pbx, lines, dial, story, orders } = await setUp();
    expect(await lines.dialPhone(dial)).to.deep.equal({ ok: true, value: undefined });
    pbx.end(LEG, 'congestion', 503, 34);
    await settled();
    pbx.ring(SECOND);
    pbx.answer(SECOND);
    pbx.end(SECOND, 'completed', null, 16);
    expect(orders()).to.deep.equal([`dial ${LEG}`, `dial ${SECOND}`]);
    expect(story()).to.deep.equal([
      'tried 1 first',
      'try 1 congestion',
      'tried 2 other',
      'leg.ringing',
      'answered other',
      'try 2 completed',
      'ended completed',
    ]);
  });

  it('TEL-7: a trunk without a 100 is left after its time, a measured one that has said 100 is not', async () => {
    const silent = await setUp();
    silent.pbx.silent.add(LEG);
    await silent.lines.dialPhone(silent.dial);
    await silent.clock.advance(999);
    expect(silent.orders()).to.deep.equal([`dial ${LEG}`]);
    await silent.clock.advance(2);
    await settled();
    expect(silent.orders()).to.deep.equal([`dial ${LEG}`, `dial ${SECOND}`, `hangup ${LEG} cancelled`]);
    expect(silent.lab.reports.find(({ what }) => what === 'ended')).to.include({
      trunk: 'first',
      outcome: 'trunk-unreachable',
      silent: true,
    });

    const slow = await setUp();
    await slow.lines.dialPhone(slow.dial);
    await slow.clock.advance(3000);
    expect(slow.orders()).to.deep.equal([`dial ${LEG}`]);
  });

  it('TEL-7: every trunk silent: the call has ended within 5 s, and whoever is on call hears of it', async () => {
    const { clock, pbx, lab, lines, dial, story } = await setUp();
    pbx.silent.add(LEG).add(SECOND);
    await lines.dialPhone(dial);
    await clock.advance(4600);
    await settled();
    expect(story().at(-1)).to.equal('ended trunk-unreachable');
    expect(lab.standing.map(({ kind }) => kind)).to.deep.equal(['trunks-dead']);
    pbx.silent.clear();
    await lines.dialPhone({ ...dial, legId: legIdOf(SESSION, 'citizen-phone', 2) });
    pbx.answer(legIdOf(SESSION, 'citizen-phone', 2));
    expect(lab.standing).to.deep.equal([]);
  });

  it('TEL-7: hedges an SOS by the trunk’s file or, where that is later, by what was measured', async () => {
    const { clock, lab, lines, dial, orders } = await setUp();
    lab.p95.set('first', 6000);
    await lines.dialPhone(dial);
    await clock.advance(5900);
    expect(orders()).to.have.length(1);
    await clock.advance(200);
    await settled();
    expect(orders()).to.deep.equal([`dial ${LEG}`, `dial ${SECOND}`]);
  });

  it('TEL-7: a slow mobile with early media at 3 s is left in peace', async () => {
    const { clock, pbx, lines, dial, orders } = await setUp();
    await lines.dialPhone(dial);
    await clock.advance(3000);
    pbx.progress(LEG);
    await clock.advance(20_000);
    expect(orders()).to.deep.equal([`dial ${LEG}`]);
  });

  it('orders trunks by health, and never leaves one out', async () => {
    const { lab, lines, dial, pbx, story } = await setUp();
    lab.states.set('first', 'down');
    await lines.dialPhone(dial);
    pbx.end(LEG, 'congestion', 503, 34);
    await settled();
    expect(story()).to.deep.equal(['tried 1 other', 'try 1 congestion', 'tried 2 first']);
  });

  it('keeps channels and calls per second for SOS calls: others are refused, an SOS never is', async () => {
    const small = trunk('first', { capacity: { channels: 3, callsPerSecond: 100, sosReserve: 2 } });
    const { lines, dial } = await setUp([small]);
    const call = (attempt: number): LineDial => ({
      ...dial,
      legId: callLegIdOf(CALL, 'call-to', attempt),
      ownerId: CALL,
      purpose: 'call',
    });
    expect(await lines.dialPhone(call(1))).to.include({ ok: true });
    expect(await lines.dialPhone(call(2))).to.include({ ok: false, code: 'ERR_PBX_OVERLOAD' });
    for (let attempt = 1; attempt <= 5; attempt += 1)
      expect(
        await lines.dialPhone({ ...dial, legId: legIdOf(SESSION, 'citizen-phone', attempt) }),
      ).to.include({
        ok: true,
      });
  });

  it('limits the calls per second of what is no SOS', async () => {
    const slow = trunk('first', { capacity: { channels: 100, callsPerSecond: 4, sosReserve: 50 } });
    const { clock, lines, dial } = await setUp([slow]);
    const answers: boolean[] = [];
    const call = async (attempt: number) => {
      const legId = callLegIdOf(CALL, 'call-to', attempt);
      answers.push((await lines.dialPhone({ ...dial, legId, purpose: 'call' })).ok);
    };
    for (let attempt = 1; attempt <= 4; attempt += 1) await call(attempt);
    await clock.advance(1000);
    await call(5);
    expect(answers).to.deep.equal([true, true, false, false, true]);
  });

  it('TEL-2 TEL-8: asks no trunk for what it cannot do, and holds that against none', async () => {
    const own = { ...PLAIN_TRUNK.callerId, default: '+911140000200', owned: ['+911140000200'] };
    const { lines, dial, lab, story } = await setUp([FIRST, trunk('other', { priority: 2, callerId: own })]);
    const callerId = PhoneNumber.parse('+911140000200');
    const legId = callLegIdOf(CALL, 'call-to', 1);
    expect(await lines.dialPhone({ ...dial, legId, purpose: 'call', callerId })).to.include({ ok: true });
    expect(story()).to.deep.equal(['tried 1 other']);
    expect(lab.reports.map((report) => report.trunk)).to.deep.equal(['other']);

    const national = trunk('first', { numbers: { ...PLAIN_TRUNK.numbers, requestUri: 'national_0' } });
    const abroad = await setUp([national, OTHER]);
    const number = PhoneNumber.parse('+442079460123')!;
    await abroad.lines.dialPhone({ ...dial, number });
    expect(abroad.story()).to.deep.equal(['tried 1 other']);
  });

  it('TEL-8: an engine without time says nothing of the trunk, one that does not know it does', async () => {
    const busy = await setUp();
    busy.pbx.failNext('ERR_PBX_OVERLOAD');
    expect(await busy.lines.dialPhone(busy.dial)).to.include({ ok: true });
    expect(busy.story()).to.deep.equal(['tried 1 first', 'try 1 congestion', 'tried 2 other']);
    expect(busy.lab.reports.map(({ trunk, what }) => [trunk, what])).to.deep.equal([['other', 'dialled']]);

    const unknown = await setUp();
    unknown.pbx.failNext('ERR_PBX_REFUSED');
    await unknown.lines.dialPhone(unknown.dial);
    expect(unknown.lab.reports.map(({ trunk, what }) => [trunk, what])).to.deep.equal([
      ['first', 'ended'],
      ['other', 'dialled'],
    ]);
  });

  describe('what is no SOS', () => {
    const toNobody = (attempt: number, dial: LineDial): LineDial => ({
      ...dial,
      ...{ legId: callLegIdOf(CALL, 'call-to', attempt), ownerId: CALL, purpose: 'call' },
    });

    it('TEL-7: is not sent on into the reserve of the next trunk', async () => {
      const small = trunk('other', {
        priority: 2,
        capacity: { channels: 3, callsPerSecond: 100, sosReserve: 2 },
      });
      const { pbx, lines, dial, story } = await setUp([FIRST, small]);
      for (const attempt of [1, 2]) await lines.dialPhone(toNobody(attempt, dial));
      for (const attempt of [1, 2]) pbx.end(callLegIdOf(CALL, 'call-to', attempt), 'congestion', 503, 34);
      await settled();
      expect(story().slice(2)).to.deep.equal([
        'try 1 congestion',
        'try 1 congestion',
        'ended congestion',
        'tried 2 other',
      ]);
    });

    it('TEL-7: uses up the next trunk’s calls per second as a first call would', async () => {
      const slow = trunk('other', {
        priority: 2,
        capacity: { channels: 100, callsPerSecond: 2, sosReserve: 50 },
      });
      const { pbx, lines, dial, story } = await setUp([FIRST, slow]);
      for (const attempt of [1, 2]) await lines.dialPhone(toNobody(attempt, dial));
      for (const attempt of [1, 2]) {
        pbx.end(callLegIdOf(CALL, 'call-to', attempt), 'congestion', 503, 34);
        await settled();
      }
      expect(story().filter((one) => one.endsWith('other'))).to.have.length(1);
      expect(story().at(-1)).to.equal('ended congestion');
    });

    it('TEL-7: may go on to the next host of a trunk by the channel that has just ended', async () => {
      const hosts = [
        { address: '192.0.2.10', port: 5060, priority: 1 },
        { address: '192.0.2.11', port: 5060, priority: 2 },
      ];
      const small = trunk('first', { hosts, capacity: { channels: 3, callsPerSecond: 100, sosReserve: 2 } });
      const { pbx, lines, dial, story } = await setUp([small]);
      await lines.dialPhone(toNobody(1, dial));
      pbx.end(callLegIdOf(CALL, 'call-to', 1), 'congestion', 503, 34);
      await settled();
      expect(story().at(-1)).to.equal('tried 2 first');
    });

    it('TEL-8: alerts of dead trunks only where each was asked and none said a word', async () => {
      const refused = await setUp([FIRST]);
      await refused.lines.dialPhone(toNobody(1, refused.dial));
      refused.pbx.end(callLegIdOf(CALL, 'call-to', 1), 'trunk-unreachable', 403, 21);
      expect(refused.story().at(-1)).to.equal('ended trunk-unreachable');
      expect(refused.lab.standing).to.deep.equal([]);

      const dead = await setUp([FIRST]);
      await dead.lines.dialPhone(toNobody(1, dead.dial));
      dead.pbx.end(callLegIdOf(CALL, 'call-to', 1), 'trunk-unreachable', null, null);
      expect(dead.lab.standing.map(({ kind }) => kind)).to.deep.equal(['trunks-dead']);
    });
  });

  it('says at once when no trunk could be dialled, and tells of no leg then', async () => {
    const { pbx, lines, dial, story } = await setUp([FIRST]);
    pbx.failNext('ERR_PBX_REFUSED');
    expect(await lines.dialPhone(dial)).to.include({ ok: false, code: 'ERR_PBX_REFUSED' });
    expect(story()).to.deep.equal(['tried 1 first', 'try 1 trunk-unreachable']);
  });

  it('blames no trunk for an engine that is out of reach, and takes the same name again later', async () => {
    const { pbx, lines, dial, lab, orders } = await setUp();
    pbx.failNext('ERR_PBX_DISCONNECTED');
    expect(await lines.dialPhone(dial)).to.include({ ok: false, code: 'ERR_PBX_DISCONNECTED' });
    expect(lab.reports).to.deep.equal([]);
    expect(await lines.dialPhone(dial)).to.include({ ok: true });
    expect(orders()).to.deep.equal([`dial ${LEG}`, `dial ${LEG}`]);
  });

  it('TEL-7: goes on after a cut between a silent trunk and the next: nobody is forgotten, nobody called twice', async () => {
    const { clock, pbx, lines, dial, orders, story } = await setUp();
    pbx.silent.add(LEG);
    await lines.dialPhone(dial);
    // the order to dial the second one is not sent any more, nor the one to hang up the first
    pbx.failNext('ERR_PBX_DISCONNECTED', 'ERR_PBX_DISCONNECTED');
    await clock.advance(1001);
    await settled();
    pbx.lose();
    pbx.comeBack();
    expect(await lines.dialPhone({ ...dial, triesBefore: 1 })).to.include({ ok: true });
    await clock.advance(1001);
    await settled();
    expect(orders().slice(3)).to.deep.equal([`dial ${SECOND}`, `hangup ${LEG} cancelled`]);
    pbx.ring(SECOND);
    pbx.answer(SECOND);
    expect(story().slice(-2)).to.deep.equal(['leg.ringing', 'answered other']);
    expect(story().filter((one) => one.startsWith('ended'))).to.deep.equal([]);
  });

  it('TEL-7: finds a hedge whose order was carried out though its answer was lost', async () => {
    const { clock, pbx, lines, dial, orders, story } = await setUp();
    await lines.dialPhone(dial);
    pbx.failNext('ERR_PBX_DISCONNECTED');
    await clock.advance(4100);
    await settled();
    await pbx.dialPhone({ ...dial, legId: SECOND, trunk: 'other' });
    pbx.lose();
    pbx.comeBack();
    pbx.ring(SECOND);
    expect(orders().at(-1)).to.equal(`hangup ${LEG} cancelled`);
    pbx.answer(SECOND);
    expect(story().at(-1)).to.equal('answered other');
  });

  it('TEL-7: hedges after a cut that the hedge fell into', async () => {
    const { clock, pbx, lines, dial, orders, story } = await setUp();
    await lines.dialPhone(dial);
    pbx.failNext('ERR_PBX_DISCONNECTED');
    await clock.advance(4100);
    await settled();
    pbx.lose();
    pbx.comeBack();
    await clock.advance(4100);
    await settled();
    const third = tryIdOf(LEG, 3);
    expect(orders().slice(1)).to.deep.equal([`dial ${SECOND}`, `dial ${third}`]);
    pbx.ring(third);
    expect(orders().at(-1)).to.equal(`hangup ${LEG} cancelled`);
    expect(story()).to.include('tried 3 other');
  });

  it('TEL-7: asks again for a word of the carrier when the engine has no time to say', async () => {
    const { clock, pbx, lines, dial, orders } = await setUp();
    pbx.silent.add(LEG);
    await lines.dialPhone(dial);
    const responded = pbx.responded.bind(pbx);
    pbx.responded = () => Promise.resolve({ ok: false, code: 'ERR_PBX_TIMEOUT', detail: '' });
    await clock.advance(1001);
    await settled();
    expect(orders()).to.deep.equal([`dial ${LEG}`]);
    pbx.responded = responded;
    await clock.advance(2001);
    await settled();
    expect(orders()).to.deep.equal([`dial ${LEG}`, `dial ${SECOND}`, `hangup ${LEG} cancelled`]);
  });

  it('TEL-7: asks again for a word of the carrier when the engine could not say', async () => {
    const { clock, pbx, lines, dial, orders } = await setUp();
    pbx.silent.add(LEG);
    await lines.dialPhone(dial);
    pbx.lose();
    await clock.advance(1500);
    await settled();
    pbx.comeBack();
    await clock.advance(1001);
    await settled();
    expect(orders()).to.deep.equal([`dial ${LEG}`, `dial ${SECOND}`, `hangup ${LEG} cancelled`]);
  });

  it('hangs up all tries of a leg at once, by the reason that was given', async () => {
    const { clock, lines, dial, orders, story } = await setUp();
    await lines.dialPhone(dial);
    await clock.advance(4100);
    await settled();
    await lines.hangup(LEG, 'stream-won');
    expect(orders().slice(2)).to.deep.equal([`hangup ${LEG} stream-won`, `hangup ${SECOND} stream-won`]);
    expect(story().filter((one) => one.startsWith('ended'))).to.deep.equal(['ended cancelled']);
  });

  it('sends what is ordered for a leg to the channel that was answered', async () => {
    const { pbx, lines, dial } = await setUp();
    await lines.dialPhone(dial);
    pbx.end(LEG, 'trunk-unreachable');
    await settled();
    pbx.answer(SECOND);
    await lines.startHoldingPrompt(LEG);
    expect(pbx.orders.at(-1)).to.equal(`hold ${SECOND}`);
    const listed = await lines.list();
    expect(listed.ok && listed.value.legs).to.deep.equal([
      { legId: LEG, state: 'answered', bridgeId: null, trunk: 'other' },
    ]);
  });

  describe('after a crash', () => {
    async function crashed() {
      const { dial } = await setUp();
      const clock = manualClock();
      const pbx = new FakePbx({ clock, trunks: ['first', 'other'] });
      await pbx.start();
      const lab = phoneLinesLab(pbx, clock, [FIRST, OTHER]);
      const told: PbxEvent[] = [];
      lab.lines.onEvent((event) => told.push(event));
      const legIds = (): LegId[] =>
        told.flatMap((event) =>
          event.type === 'engine.back' ? event.snapshot.legs.map(({ legId }) => legId) : [],
        );
      return { clock, dial, pbx, lines: lab.lines, told, legIds };
    }

    it('finds one leg where there are two tries, and hangs up the other when one is answered', async () => {
      const { clock, pbx, lines, dial, told, legIds } = await crashed();
      await pbx.dialPhone({ ...dial, trunk: 'first' });
      await pbx.dialPhone({ ...dial, legId: SECOND, trunk: 'other' });
      pbx.orders.length = 0;
      pbx.comeBack();
      expect(legIds()).to.deep.equal([LEG]);
      pbx.answer(SECOND);
      expect(told.filter(({ type }) => type === 'leg.answered')).to.have.deep.members([
        { type: 'leg.answered', legId: LEG, at: clock.now(), trunk: 'other' },
      ]);
      expect(pbx.orders).to.deep.equal([`hangup ${LEG} cancelled`]);
      await lines.startHoldingPrompt(LEG);
      expect(pbx.orders.at(-1)).to.equal(`hold ${SECOND}`);
    });

    it('TEL-7: goes on to another trunk with a call that an earlier process dialled, once it is told whom it is for', async () => {
      const { pbx, lines, dial, told } = await crashed();
      await pbx.dialPhone({ ...dial, trunk: 'first' });
      pbx.comeBack();
      expect(await lines.dialPhone({ ...dial, triesBefore: 1 })).to.include({ ok: true });
      pbx.end(LEG, 'congestion', 503, 34);
      await settled();
      expect(told.at(-1)).to.include({ type: 'leg.tried', try: 2, trunk: 'other' });
      expect(pbx.orders.at(-1)).to.equal(`dial ${SECOND}`);
    });

    it('keeps the answered one of two that were answered while nobody was there', async () => {
      const { pbx, dial } = await crashed();
      await pbx.dialPhone({ ...dial, trunk: 'first' });
      await pbx.dialPhone({ ...dial, legId: SECOND, trunk: 'other' });
      pbx.answer(LEG);
      pbx.answer(SECOND);
      pbx.orders.length = 0;
      pbx.comeBack();
      expect(pbx.orders).to.deep.equal([`hangup ${SECOND} cancelled`]);
    });
  });
});
