import { expect } from 'chai';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { judge } from '../../../../control-plane/src/domain/session/judge.ts';
import { DEFAULT_POLICY } from '../../../../control-plane/src/domain/session/policy.ts';
import type { Verdict } from '../../../../control-plane/src/domain/session/verdict.ts';

type Steps = readonly (readonly [ms: number, name: string])[];

function verdicts(
  steps: Steps,
  change: { phase?: string; standingLegs?: number } = {},
): Map<string, Verdict> {
  const session = { policy: DEFAULT_POLICY, phase: 'resolved', standingLegs: 0, ...change };
  const milestones = steps.map(([ms, name]) => ({ name, ms, at: (1_000_000 + ms) as Instant }));
  return new Map(judge(session, milestones).map((one) => [one.id, one]));
}

/** Value and verdict of one requirement. */
const of = (id: string, steps: Steps, change = {}): [number | null, boolean | null] => {
  const found = verdicts(steps, change).get(id);
  if (!found) throw new Error(`${id} was not judged`);
  if (found.ok === null) expect(found.reason, id).to.be.a('string');
  return [found.valueMs, found.ok];
};

const PRESSED: Steps = [
  [0, 'activated'],
  [0, 'contact-online'],
  [0, 'operator-assigned'],
  [4, 'panel-told'],
  [12, 'offer-sent'],
];
const STREAM: Steps = [...PRESSED, [700, 'streaming'], [900, 'heard'], [60_000, 'resolved']];
const FALLBACK: Steps = [
  ...PRESSED,
  [20, 'citizen-app-answered'],
  [25, 'operator-app-answered'],
  [3001, 'retry-due'],
  [5002, 'watchdog-due'],
  [5002, 'fallback-initiated'],
  [5008, 'fallback-told'],
  [5030, 'citizen-phone-invited'],
  [8000, 'citizen-phone-ringing'],
  [8500, 'operator-phone-answered'],
  [11_000, 'citizen-phone-answered'],
  [11_040, 'phone-bridged'],
  [11_050, 'citizen-app-ended'],
  [11_060, 'operator-app-ended'],
  [90_000, 'resolved'],
  [90_100, 'citizen-phone-ended'],
];

describe('domain/session/judge', () => {
  it('judges a good stream: all that applies is met, and the rest says why it does not apply', () => {
    const all = verdicts(STREAM);
    const values = [...all.values()].map(({ id, valueMs, ok }) => [id, valueMs, ok]);
    expect(values).to.deep.equal([
      ['RTC-1', 12, true],
      ['RTC-1-from-contact', 12, true],
      ['RTC-2', 900, true],
      ['RTC-5', null, null],
      ['RTC-6', 4, true],
      ['RTC-7', null, null],
      ['time-to-voice', 900, true],
      ['FB-1', null, true],
      ['FB-2', null, null],
      ['FB-5', null, null],
      ['FB-6', null, null],
      ['FB-7', null, null],
      ['FB-8', null, null],
      ['FB-9', null, null],
      ['RTC-9', 0, true],
    ]);
    for (const { ok, reason } of all.values()) if (ok === null) expect(reason).to.be.a('string');
  });

  it('judges a fallback from its trigger, and time to voice from the press', () => {
    const all = [...verdicts(FALLBACK).values()].map(({ id, valueMs, ok }) => [id, valueMs, ok]);
    expect(all).to.deep.equal([
      ['RTC-1', 12, true],
      ['RTC-1-from-contact', 12, true],
      ['RTC-2', null, false],
      ['RTC-5', null, null],
      ['RTC-6', 4, true],
      ['RTC-7', 3001, true],
      ['time-to-voice', 11_040, true],
      ['FB-1', 5002, true],
      ['FB-2', 28, true],
      ['FB-5', 6, true],
      ['FB-6', null, null],
      ['FB-7', null, null],
      ['FB-8', null, null],
      ['FB-9', 20, true],
      ['RTC-9', 100, true],
    ]);
  });

  it('RTC-1: from the activation and from the contact, when her device came late', () => {
    const late: Steps = [
      [0, 'activated'],
      [2000, 'contact-online'],
      [2080, 'offer-sent'],
      [9000, 'resolved'],
    ];
    expect(of('RTC-1', late)).to.deep.equal([2080, null]);
    expect(of('RTC-1-from-contact', late)).to.deep.equal([80, true]);
    const slow: Steps = [
      [0, 'activated'],
      [0, 'contact-online'],
      [501, 'offer-sent'],
      [9000, 'resolved'],
    ];
    expect(of('RTC-1', slow)).to.deep.equal([501, false]);
    expect(
      of('RTC-1', [
        [0, 'activated'],
        [0, 'contact-online'],
        [9000, 'resolved'],
      ]),
    ).to.deep.equal([null, false]);
    expect(
      of('RTC-1', [
        [0, 'activated'],
        [9000, 'resolved'],
      ]),
    ).to.deep.equal([null, null]);
  });

  it('RTC-2, RTC-6: a limit is met at the limit and broken beyond it', () => {
    const active = (ms: number): Steps => [...PRESSED, [700, 'streaming'], [ms, 'heard'], [9e4, 'resolved']];
    expect(of('RTC-2', active(3000))).to.deep.equal([3000, true]);
    expect(of('RTC-2', active(3000.01))).to.deep.equal([3000.01, false]);
    const told = (ms: number): Steps => [
      [0, 'activated'],
      [0, 'operator-assigned'],
      [ms, 'panel-told'],
      [9e4, 'resolved'],
    ];
    expect(of('RTC-6', told(3001))).to.deep.equal([3001, false]);
    expect(
      of('RTC-6', [
        [0, 'activated'],
        [0, 'queued'],
        [9e4, 'resolved'],
      ]),
    ).to.deep.equal([null, null]);
  });

  it('RTC-5: queued is answered by an operator or by the alert at the threshold', () => {
    const queued: Steps = [
      [0, 'activated'],
      [1, 'queued'],
    ];
    expect(of('RTC-5', [...queued, [4001, 'operator-assigned'], [9e4, 'resolved']])).to.deep.equal([
      4000,
      true,
    ]);
    expect(of('RTC-5', [...queued, [10_003, 'no-operator-due'], [9e4, 'resolved']])).to.deep.equal([
      10_002,
      true,
    ]);
    expect(of('RTC-5', [...queued, [12_001, 'no-operator-due'], [9e4, 'resolved']])).to.deep.equal([
      12_000,
      false,
    ]);
  });

  it('RTC-7: the retry comes at three seconds, or at once after a signalling error', () => {
    expect(of('RTC-7', [...PRESSED, [3600, 'retry-due'], [9e4, 'resolved']])).to.deep.equal([3600, false]);
    expect(of('RTC-7', [...PRESSED, [400, 'citizen-app-ended'], [9e4, 'resolved']])).to.deep.equal([
      400,
      true,
    ]);
    expect(of('RTC-7', [...PRESSED, [9e4, 'resolved']])).to.deep.equal([null, false]);
  });

  it('FB-1: a late watchdog is a breach, and so is none', () => {
    expect(of('FB-1', [...PRESSED, [5501, 'watchdog-due'], [9e4, 'resolved']])).to.deep.equal([5501, false]);
    expect(of('FB-1', [...PRESSED, [9e4, 'resolved']])).to.deep.equal([null, false]);
    expect(of('FB-1', [...PRESSED, [900, 'resolved']])).to.deep.equal([null, null]);
    const early: Steps = [...PRESSED, [2000, 'fallback-initiated'], [9e4, 'resolved']];
    expect(of('FB-1', early)).to.deep.equal([null, null]);
  });

  it('FB-2, FB-5: from the trigger to the INVITE, and to the panel', () => {
    const late = FALLBACK.map(([ms, name]) => [name === 'citizen-phone-invited' ? 7003 : ms, name] as const);
    expect(of('FB-2', late)).to.deep.equal([2001, false]);
    const slow = FALLBACK.map(([ms, name]) => [name === 'fallback-told' ? 6003 : ms, name] as const);
    expect(of('FB-5', slow)).to.deep.equal([1001, false]);
    expect(
      of(
        'FB-5',
        FALLBACK.filter(([, name]) => name !== 'fallback-told'),
      ),
    ).to.deep.equal([null, false]);
  });

  it('FB-6, FB-7: nobody answers: known within her ring timeout, after the whole chain', () => {
    const steps = (ringDue: number): Steps => [
      ...FALLBACK.slice(0, 12),
      [13_000, 'operator-phone-ended'],
      [21_000, 'operator-phone-ended'],
      [29_000, 'operator-phone-ended'],
      [ringDue, 'citizen-ring-due'],
      [9e4, 'resolved'],
    ];
    expect(of('FB-6', steps(30_003))).to.deep.equal([25_001, true]);
    expect(of('FB-6', steps(31_002))).to.deep.equal([26_000, false]);
    expect(of('FB-7', steps(30_003))).to.deep.equal([23_998, true]);
  });

  it('FB-8, FB-9: who loses the race is gone at once', () => {
    const won: Steps = [...FALLBACK.slice(0, 12), [8200, 'streaming'], [8300, 'heard']];
    expect(of('FB-8', [...won, [8350, 'citizen-phone-ended'], [9e4, 'resolved']])).to.deep.equal([50, true]);
    expect(of('FB-8', [...won, [9e4, 'resolved']])).to.deep.equal([null, false]);
    const stuck = FALLBACK.filter(([, name]) => name !== 'citizen-app-ended');
    expect(of('FB-9', stuck)).to.deep.equal([null, false]);
  });

  it('RTC-9: what is left after the end is a breach', () => {
    expect(of('RTC-9', STREAM, { standingLegs: 1 })).to.deep.equal([null, false]);
    expect(of('RTC-9', [...STREAM, [63_000, 'citizen-app-ended']])).to.deep.equal([3000, false]);
  });

  it('FB-10: a press that was released calls nobody', () => {
    expect(of('FB-10', [[0, 'armed']], { phase: 'released' })).to.deep.equal([null, true]);
    expect(
      of(
        'FB-10',
        [
          [0, 'armed'],
          [9, 'citizen-phone-invited'],
        ],
        { phase: 'released' },
      ),
    ).to.deep.equal([null, false]);
  });

  it('says of an open session that what is missing may still come', () => {
    const open = verdicts(PRESSED, { phase: 'connecting' });
    expect([...open.values()].filter(({ ok }) => ok === false)).to.deep.equal([]);
    expect(open.get('RTC-2')).to.deep.include({ ok: null, reason: 'it has not happened yet' });
  });

  it('a duty phone joined to her stream hears her too', () => {
    const steps: Steps = [
      ...PRESSED,
      [700, 'streaming'],
      [5001, 'watchdog-due'],
      [5001, 'fallback-initiated'],
      [9000, 'operator-phone-answered'],
      [9e4, 'resolved'],
    ];
    expect(of('time-to-voice', steps)).to.deep.equal([9000, true]);
    expect(of('FB-2', steps)).to.deep.equal([null, null]);
  });
});
