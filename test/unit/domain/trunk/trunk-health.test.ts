import { expect } from 'chai';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { evidenceTimes } from '../../../../control-plane/src/domain/trunk/trunk-evidence.ts';
import { TrunkHealthRecord } from '../../../../control-plane/src/domain/trunk/trunk-health.ts';
import type { TryReport } from '../../../../control-plane/src/domain/trunk/try-report.ts';

const NOW = 50_000_000 as Instant;

function report(
  what: 'dialled' | 'progress' | 'ringing' | 'answered',
  more: Partial<TryReport> = {},
): TryReport {
  return { trunk: 'tata', purpose: 'sos', at: NOW, afterMs: 3000, what, ...more } as TryReport;
}

function ended(more: Partial<Extract<TryReport, { what: 'ended' }>> = {}): TryReport {
  return {
    trunk: 'tata',
    purpose: 'sos',
    at: NOW,
    afterMs: 3000,
    what: 'ended',
    outcome: 'trunk-unreachable',
    sipStatus: 403,
    q850: 21,
    silent: false,
    wasAnswered: false,
    ...more,
  };
}

describe('domain/trunk/trunk-health', () => {
  const record = (): TrunkHealthRecord => new TrunkHealthRecord(evidenceTimes(5, 2));

  it('TEL-8: counts each try once: when it is answered, or when it ends unanswered', () => {
    const trunk = record();
    trunk.note(report('dialled'));
    trunk.note(report('ringing'));
    trunk.note(report('answered'));
    trunk.note(ended({ outcome: 'completed', wasAnswered: true }));
    trunk.note(ended({ outcome: 'busy' }));
    trunk.note(ended({ outcome: 'cancelled' }));
    trunk.note(ended());
    const { attempts, successRate, answerSeizureRatio } = trunk.overview(NOW);
    expect({ attempts, successRate, answerSeizureRatio }).to.deep.equal({
      attempts: 3,
      successRate: 2 / 3,
      answerSeizureRatio: 1 / 3,
    });
  });

  it('TEL-8: synthetic calls are evidence, and count for no rate and no delay', () => {
    const trunk = record();
    for (let index = 0; index < 30; index += 1) {
      expect(trunk.note(report('ringing', { purpose: 'synthetic' }))).to.deep.equal({ firstRingMs: null });
      trunk.note(ended({ purpose: 'synthetic' }));
    }
    const { attempts, p95PostDialDelayMs, isRateLow, state } = trunk.overview(NOW);
    expect({ attempts, p95PostDialDelayMs, isRateLow }).to.deep.equal({
      attempts: 0,
      p95PostDialDelayMs: null,
      isRateLow: false,
    });
    expect(state).to.equal('doubtful');
  });

  it('measures the first 18x of a try, and not a second one', () => {
    const trunk = record();
    expect(trunk.note(report('progress', { id: 'leg.1' }))).to.deep.equal({ firstRingMs: 3000 });
    expect(trunk.note(report('ringing', { id: 'leg.1', afterMs: 6000 }))).to.deep.equal({
      firstRingMs: null,
    });
    expect(trunk.note(report('ringing', { id: 'leg.2', afterMs: 4000 }))).to.deep.equal({
      firstRingMs: 4000,
    });
  });

  it('tells half and 95 % of the delays once there are enough', () => {
    const trunk = record();
    for (let index = 1; index <= 100; index += 1)
      trunk.note(report('ringing', { id: `leg.${index}`, afterMs: index * 10 }));
    const { p50PostDialDelayMs, p95PostDialDelayMs } = trunk.overview(NOW);
    expect([p50PostDialDelayMs, p95PostDialDelayMs]).to.deep.equal([500, 950]);
  });

  it('names the last failure, with the carrier’s own word', () => {
    const trunk = record();
    trunk.note(ended({ outcome: 'congestion', sipStatus: 503, q850: 34 }));
    trunk.note(ended({ outcome: 'busy', sipStatus: 486, q850: 17 }));
    expect(trunk.overview(NOW).lastFailure).to.deep.equal({
      at: NOW,
      outcome: 'congestion',
      sipStatus: 503,
      q850: 34,
      silent: false,
    });
  });

  it('remembers no more tries than may be under way', () => {
    const trunk = record();
    for (let index = 0; index < 10_000; index += 1) trunk.note(report('ringing', { id: `leg.${index}` }));
    // The oldest is forgotten: its second 18x would be measured again, and no memory grows.
    expect(trunk.note(report('ringing', { id: 'leg.0' })).firstRingMs).to.equal(3000);
    expect(trunk.note(report('ringing', { id: 'leg.9999' })).firstRingMs).to.equal(null);
  });
});
