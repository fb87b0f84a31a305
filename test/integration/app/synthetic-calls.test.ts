/** Synthetic calls on a real Asterisk, to phones of the carrier simulator: it hears their tone itself. */
import { expect } from 'chai';
import { phoneToneHz } from '../../../control-plane/sandbox/audio/tones.ts';
import { randomIds, systemClock } from '../../../control-plane/src/adapters/clock/system-clock.ts';
import { SyntheticCalls } from '../../../control-plane/src/app/probes/synthetic-calls.ts';
import type { PhoneNumber } from '../../../control-plane/src/domain/numbering/phone-number.ts';
import { startFailoverLab, type FailoverLab } from '../../support/failover-lab.ts';
import { silentLog } from '../../support/silent-log.ts';

/** A price that no deployment would pay. */
const MANY_A_DAY = 10_000_000;
const DONE_MS = 40_000;

describe('app/probes/synthetic-calls on Asterisk', function () {
  this.timeout(60_000);
  let lab: FailoverLab;
  before('starts two trunks', async () => {
    lab = await startFailoverLab();
  });
  after('stops them', () => lab.stop());
  beforeEach(() => {
    lab.play('100 Trying', '503 Service Unavailable');
    lab.trunks = [lab.second];
  });
  afterEach('leaves nothing in Asterisk', () => lab.witness.assertNothingLeft(lab.names, 4000));

  /** Places calls until so many have come to an end; what they came to, and what was raised and resolved. */
  async function called(number: PhoneNumber, calls: number, toneOffHz = 0) {
    const results: string[] = [];
    const delays: number[] = [];
    const alerts: string[] = [];
    const enough = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => enough.reject(new Error(`there were ${results.join(', ')}`)), DONE_MS);
    const gauges = new Map<string, number>();
    const synthetic = new SyntheticCalls({
      settings: {
        number,
        toneHz: phoneToneHz(number.reveal()) + toneOffHz,
        everyMs: 100,
        callsPerDay: MANY_A_DAY,
      },
      telephony: lab.lines,
      trunks: () => lab.trunks,
      isSosOpen: () => false,
      alerts: {
        raise: ({ kind, subject }) => alerts.push(`raised ${kind} ${subject}`),
        resolve: (kind, subject) => alerts.push(`resolved ${kind} ${subject}`),
      },
      clock: systemClock(),
      ids: randomIds,
      log: silentLog,
      metrics: {
        count: (name, labels = {}) => {
          if (name !== 'hamrahi_synthetic_calls_total') return;
          results.push(`${labels['trunk'] ?? ''} ${labels['result'] ?? ''}`);
        },
        observe: (_name, ms) => delays.push(ms),
        gauge: (name, value, labels = {}) => {
          gauges.set(`${name.slice('hamrahi_synthetic_call_'.length)} ${labels['trunk'] ?? ''}`, value);
          // The last thing that is told of a call.
          if (name === 'hamrahi_synthetic_call_at_seconds' && results.length >= calls)
            setImmediate(() => enough.resolve(undefined));
        },
      },
    });
    synthetic.start();
    try {
      await enough.promise;
    } finally {
      clearTimeout(timer);
      await synthetic.stop();
    }
    return { results: results.slice(0, calls), delays, alerts, gauges };
  }

  it('TEL-8: a number that plays its tone: rung, answered, heard', async () => {
    const { results, delays, alerts, gauges } = await called(lab.number('answer-tone'), 1);
    expect(results).to.deep.equal(['sandbox good']);
    expect(delays[0]).to.be.within(150, 1500);
    expect(alerts).to.include('resolved synthetic-call sandbox');
    expect(gauges.get('tone_heard sandbox')).to.equal(1);
    expect(lab.reports.filter(({ purpose }) => purpose !== 'synthetic')).to.deep.equal([]);
  });

  it('TEL-8: a number that answers and says nothing: the second time an alert', async () => {
    const { results, alerts, gauges } = await called(lab.number('answer-silent'), 2);
    expect(results).to.deep.equal(['sandbox no-tone', 'sandbox no-tone']);
    expect(alerts).to.deep.equal(['raised synthetic-call sandbox']);
    expect(gauges.get('answered sandbox')).to.equal(1);
    expect(gauges.get('tone_heard sandbox')).to.equal(0);
  });

  it('TEL-8: a number that plays another tone is not what was expected', async () => {
    const { results } = await called(lab.number('answer-tone'), 1, 80);
    expect(results).to.deep.equal(['sandbox no-tone']);
  });

  it('TEL-8: a number that is busy: the second time an alert', async () => {
    const { results, alerts } = await called(lab.number('busy'), 2);
    expect(results).to.deep.equal(['sandbox refused', 'sandbox refused']);
    expect(alerts).to.deep.equal(['raised synthetic-call sandbox']);
  });

  it('TEL-8: a carrier that fails is told by its own name, and no other trunk takes its call', async () => {
    lab.trunks = [lab.first, lab.second];
    const { results, alerts } = await called(lab.number('answer-tone'), 4);
    expect(results).to.deep.equal(['first refused', 'sandbox good', 'first refused', 'sandbox good']);
    expect(alerts).to.deep.equal([
      'resolved synthetic-call sandbox',
      'raised synthetic-call first',
      'resolved synthetic-call sandbox',
    ]);
  });
});
