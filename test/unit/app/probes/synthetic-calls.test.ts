import { expect } from 'chai';
import { SyntheticCalls } from '../../../../control-plane/src/app/probes/synthetic-calls.ts';
import type { SyntheticCallSettings } from '../../../../control-plane/src/app/probes/synthetic-calls.ts';
import { parseCallLegId } from '../../../../control-plane/src/domain/ids.ts';
import type { LegId, SessionId } from '../../../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import type { Metrics } from '../../../../control-plane/src/ports/log.ts';
import type { OpsAlert } from '../../../../control-plane/src/ports/ops-alerts.ts';
import type { PhoneDial } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { FakePbx } from '../../../support/fake-pbx.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { phoneLinesLab } from '../../../support/phone-lines-lab.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const TONE_HZ = 1004;
const EVERY_MS = 300_000;
const DAY_MS = 86_400_000;

/** What the phone at the far end does; each phone answers and plays its tone unless told otherwise. */
type Phone = 'good' | 'silent' | 'other-tone' | 'busy' | 'rings' | 'nothing' | 'hangs-up';

async function setUp(names: readonly string[], change: Partial<SyntheticCallSettings> = {}) {
  const clock = manualClock();
  const pbx = new FakePbx({ clock, trunks: names });
  const trunks = names.map((name): Trunk => ({ ...PLAIN_TRUNK, name }));
  const lines = phoneLinesLab(pbx, clock, trunks);
  const phones = new Map<string, Phone>();
  const dialled: { trunk: string; at: number; legId: LegId }[] = [];
  pbx.onDial = (legId, dial) => {
    const { trunk } = dial as PhoneDial;
    dialled.push({ trunk, at: clock.now(), legId });
    const phone = phones.get(trunk) ?? 'good';
    const later = (ms: number, act: () => void): void =>
      void clock.at((clock.now() + ms) as ReturnType<typeof clock.now>, act);
    if (phone === 'nothing') pbx.silent.add(legId);
    if (phone === 'busy') later(100, () => pbx.end(legId, 'busy', 486, 17));
    if (phone === 'nothing' || phone === 'busy') return;
    later(400, () => pbx.ring(legId));
    if (phone === 'rings') return;
    later(2000, () => {
      pbx.answer(legId);
      if (phone === 'good') pbx.playTone(legId, TONE_HZ);
      if (phone === 'other-tone') pbx.playTone(legId, 440);
    });
    if (phone === 'hangs-up') later(2500, () => pbx.end(legId, 'completed', null, 16));
  };
  const alerts: string[] = [];
  const standing = new Map<string, OpsAlert>();
  const counted: string[] = [];
  const gauges = new Map<string, number>();
  const delays: number[] = [];
  const metrics: Metrics = {
    count: (name, labels = {}) =>
      counted.push(`${name.slice('hamrahi_synthetic_'.length)} ${Object.values(labels).join(' ')}`),
    observe: (_name, ms) => delays.push(ms),
    gauge: (name, value, labels = {}) =>
      gauges.set(`${name.slice('hamrahi_synthetic_call_'.length)} ${labels['trunk'] ?? ''}`, value),
  };
  const number = PhoneNumber.parse('+919812345678');
  if (number === null) throw new Error('no number');
  const world = { isSosOpen: false };
  let ids = 0;
  const log = keptLog();
  const calls = new SyntheticCalls({
    settings: { number, toneHz: TONE_HZ, everyMs: EVERY_MS, callsPerDay: 300, ...change },
    telephony: lines.lines,
    trunks: () => lines.trunks,
    isSosOpen: () => world.isSosOpen,
    alerts: {
      raise: (alert) => {
        if (!standing.has(alert.subject)) alerts.push(`raised ${alert.subject}`);
        standing.set(alert.subject, alert);
      },
      resolve: (_kind, subject) => {
        if (standing.delete(subject)) alerts.push(`resolved ${subject}`);
      },
    },
    clock,
    ids: {
      sessionId: () => {
        ids += 1;
        return `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}` as SessionId;
      },
    },
    log,
    metrics,
  });
  await pbx.start();
  calls.start();
  return { clock, pbx, lines, phones, dialled, calls, alerts, standing, counted, gauges, delays, world, log };
}

describe('app/probes/synthetic-calls', () => {
  it('TEL-8: calls over each trunk in turn, by that trunk alone, and hangs up once it has heard the tone', async () => {
    const { clock, dialled, pbx, counted, gauges, delays, lines } = await setUp(['first', 'other']);
    await clock.advance(575_999);
    expect(dialled).to.deep.equal([]);
    await clock.advance(5001);
    expect(dialled.map(({ trunk }) => trunk)).to.deep.equal(['first', 'other']);
    expect(dialled.every(({ legId }) => parseCallLegId(legId)?.kind === 'call-to')).to.equal(true);
    expect(pbx.legIds).to.deep.equal([]);
    expect(counted).to.deep.equal(['calls_total first good', 'calls_total other good']);
    expect([...gauges]).to.deep.include.members([
      ['answered first', 1],
      ['tone_heard other', 1],
    ]);
    expect(delays).to.deep.equal([400, 400]);
    expect(lines.reports.every(({ purpose }) => purpose === 'synthetic')).to.equal(true);
  });

  it('TEL-8: minds what an earlier process told of a trunk that is called over, and of no other', async () => {
    const { calls } = await setUp(['first']);
    expect(['first', 'gone'].map((subject) => calls.minds({ subject }))).to.deep.equal([true, false]);
  });

  it('knows the leg of its call for as long as that is under way', async () => {
    const { clock, dialled, calls } = await setUp(['first']);
    await clock.advance(EVERY_MS - 5000);
    while (dialled.length === 0) await clock.advance(100);
    const [{ legId } = { legId: '' as LegId }] = dialled;
    expect(calls.isOwn(legId)).to.equal(true);
    expect(calls.isOwn('00000000-0000-4000-8000-000000000099.call-to.1' as LegId)).to.equal(false);
    await clock.advance(20_000);
    expect(calls.isOwn(legId)).to.equal(false);
  });

  for (const [phone, fault] of [
    ['silent', 'no-tone'],
    ['other-tone', 'no-tone'],
    ['busy', 'refused'],
    ['rings', 'not-answered'],
    ['nothing', 'refused'],
    ['hangs-up', 'hung-up'],
  ] as const) {
    it(`TEL-8: twice in a row a call that ends as ${fault} (the phone: ${phone}) wakes who is on call, and one good call calls it off`, async () => {
      const { clock, phones, alerts, counted, standing, pbx } = await setUp(['first']);
      phones.set('first', phone);
      await clock.advance(EVERY_MS + 40_000);
      expect(counted).to.deep.equal([`calls_total first ${fault}`]);
      expect(alerts).to.deep.equal([]);
      await clock.advance(EVERY_MS);
      expect(alerts).to.deep.equal(['raised first']);
      expect(standing.get('first')).to.include({ kind: 'synthetic-call', severity: 'critical' });
      expect(standing.get('first')?.summary).to.not.include('98123');
      phones.set('first', 'good');
      await clock.advance(EVERY_MS);
      expect(alerts).to.deep.equal(['raised first', 'resolved first']);
      expect(pbx.legIds).to.deep.equal([]);
    });
  }

  it('TEL-8: one failure between good calls wakes nobody', async () => {
    const { clock, phones, alerts } = await setUp(['first']);
    for (const phone of ['busy', 'good', 'silent', 'good'] as const) {
      phones.set('first', phone);
      await clock.advance(EVERY_MS);
    }
    expect(alerts).to.deep.equal([]);
  });

  it('TEL-8: never costs more than the calls of a day, with many trunks and a short interval', async () => {
    const { clock, dialled } = await setUp(['a', 'b', 'c'], { everyMs: 60_000, callsPerDay: 50 });
    await clock.advance(3 * DAY_MS);
    for (const { at } of dialled)
      expect(dialled.filter((call) => call.at >= at && call.at < at + DAY_MS).length).to.be.at.most(50);
    expect(dialled.length).to.be.above(130);
    expect(new Set(dialled.map(({ trunk }) => trunk)).size).to.equal(3);
  });

  it('TEL-8: waits while an SOS is open, and calls once it is over', async () => {
    const { clock, dialled, world, counted } = await setUp(['first']);
    world.isSosOpen = true;
    await clock.advance(EVERY_MS + 60_000);
    expect(dialled).to.deep.equal([]);
    expect(counted[0]).to.equal('calls_postponed_total sos');
    world.isSosOpen = false;
    await clock.advance(11_000);
    expect(dialled.map(({ trunk }) => trunk)).to.deep.equal(['first']);
  });

  it('TEL-8 TEL-7: a trunk without room for anything but an SOS is passed over until it has some; the others are called', async () => {
    const { clock, dialled, lines, counted } = await setUp(['first', 'other']);
    const full = { ...PLAIN_TRUNK.capacity, channels: 5, sosReserve: 5 };
    lines.trunks = lines.trunks.map((trunk) =>
      trunk.name === 'first' ? { ...trunk, capacity: full } : trunk,
    );
    await clock.advance(2 * EVERY_MS);
    expect(dialled.map(({ trunk }) => trunk)).to.deep.equal(['other']);
    expect(counted).to.include('calls_postponed_total full');
    lines.trunks = lines.trunks.map((trunk) => ({ ...trunk, capacity: PLAIN_TRUNK.capacity }));
    await clock.advance(20_000);
    expect(dialled.map(({ trunk }) => trunk)).to.deep.equal(['other', 'first']);
  });

  it('TEL-8: an engine that is lost during a call says nothing of the carrier', async () => {
    const { clock, pbx, alerts, counted, phones } = await setUp(['first']);
    phones.set('first', 'rings');
    await clock.advance(EVERY_MS + 1000);
    pbx.lose();
    await clock.advance(5000);
    expect(counted).to.deep.equal(['calls_postponed_total engine-away']);
    pbx.crash();
    pbx.comeBack();
    phones.set('first', 'good');
    await clock.advance(20_000);
    expect(counted.at(-1)).to.equal('calls_total first good');
    expect(alerts).to.deep.equal([]);
  });

  it('TEL-8: asks the engine to end each call by itself, should nobody be left to do it', async () => {
    const { clock, pbx, phones, dialled } = await setUp(['first']);
    phones.set('first', 'rings');
    await clock.advance(EVERY_MS + 1000);
    const [call] = dialled;
    expect((pbx.leg(call!.legId)?.dial as PhoneDial).longestMs).to.be.within(30_000, 60_000);
  });

  it('TEL-8: a trunk that is gone takes its alert with it', async () => {
    const { clock, phones, alerts, lines } = await setUp(['first', 'other']);
    phones.set('first', 'busy');
    await clock.advance(3 * 576_000);
    expect(alerts).to.deep.equal(['raised first']);
    lines.trunks = lines.trunks.filter(({ name }) => name === 'other');
    await clock.advance(576_000);
    expect(alerts).to.deep.equal(['raised first', 'resolved first']);
  });

  it('hangs up the call under way when it is stopped, and places no other', async () => {
    const { clock, pbx, phones, calls, dialled, log } = await setUp(['first']);
    phones.set('first', 'rings');
    await clock.advance(EVERY_MS + 1000);
    expect(pbx.legIds).to.have.length(1);
    await calls.stop();
    expect(pbx.legIds).to.deep.equal([]);
    await clock.advance(DAY_MS);
    expect(dialled).to.have.length(1);
    expect(log.lines.join('\n')).to.not.include('error');
  });
});
