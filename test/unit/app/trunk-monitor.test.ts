import { expect } from 'chai';
import { TrunkMonitor } from '../../../control-plane/src/app/trunk-monitor.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import type { LegOutcome } from '../../../control-plane/src/domain/session/leg.ts';
import type { Metrics } from '../../../control-plane/src/ports/log.ts';
import { StoreError } from '../../../control-plane/src/ports/session-store.ts';
import type { TryHistory, TryReport } from '../../../control-plane/src/ports/trunk-health.ts';
import { keptAlerts } from '../../support/kept-alerts.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

const TATA = { name: 'tata', optionsIntervalSeconds: 5, optionsTimeoutSeconds: 2, registers: false };
const EXOTEL = { name: 'exotel', optionsIntervalSeconds: 30, optionsTimeoutSeconds: 3, registers: true };
const NOTHING: TryHistory = { since: () => Promise.resolve([]) };

function lab(history: TryHistory = NOTHING, metrics: Metrics = silentMetrics) {
  const clock = manualClock();
  const alerts = keptAlerts();
  const monitor = new TrunkMonitor({
    trunks: [TATA, EXOTEL],
    alerts,
    history,
    clock,
    log: silentLog,
    metrics,
  });
  let tries = 0;
  const call = (outcome: LegOutcome, more: Partial<TryReport> = {}): void => {
    const base = {
      trunk: 'tata',
      id: `leg.${(tries += 1)}`,
      purpose: 'sos',
      at: clock.now(),
      afterMs: 100,
    } as const;
    const end = { outcome, sipStatus: null, q850: null, silent: false, wasAnswered: false } as const;
    monitor.report({ ...base, what: 'ended', ...end, ...more });
  };
  return { clock, alerts, monitor, call };
}

describe('app/trunk-monitor', () => {
  it('TEL-8: a trunk that answers no OPTIONS is told as down, once, and as back once it is', async () => {
    const { clock, alerts, monitor } = lab();
    await monitor.start();
    monitor.qualified('tata', false, clock.now());
    expect(monitor.stateOf('tata')).to.equal('doubtful');
    await clock.advance(7000);
    expect(alerts.told).to.deep.equal([]);
    await clock.advance(1000);
    expect(monitor.stateOf('tata')).to.equal('down');
    expect(alerts.byName.get('trunk-down tata')).to.deep.equal({
      kind: 'trunk-down',
      subject: 'tata',
      severity: 'critical',
      summary: 'Trunk tata is down: it does not answer OPTIONS.',
    });
    await clock.advance(3_600_000);
    monitor.qualified('tata', true, clock.now());
    await clock.advance(6000);
    expect(alerts.told).to.deep.equal(['raise trunk-down tata']);
    await clock.advance(1000);
    expect(alerts.told).to.deep.equal(['raise trunk-down tata', 'resolve trunk-down tata']);
    monitor.stop();
  });

  it('TEL-8: calls that it does not take bring it down at once, and one that rings brings it back', () => {
    const { clock, alerts, monitor, call } = lab();
    for (let index = 0; index < 3; index += 1) call('trunk-unreachable', { sipStatus: 403 });
    expect(alerts.byName.get('trunk-down tata')?.summary).to.equal(
      'Trunk tata is down: it did not take the last calls. The last one: trunk-unreachable (SIP 403).',
    );
    monitor.report({ trunk: 'tata', purpose: 'call', at: clock.now(), afterMs: 900, what: 'ringing' });
    expect(alerts.told).to.deep.equal(['raise trunk-down tata', 'resolve trunk-down tata']);
    expect(monitor.stateOf('tata')).to.equal('up');
  });

  it('TEL-8: under 90 % of ten calls in five minutes is told; ours that we cancelled do not count', async () => {
    const { clock, alerts, monitor, call } = lab();
    await monitor.start();
    for (let index = 0; index < 30; index += 1) call('cancelled');
    for (let index = 0; index < 8; index += 1) call('busy');
    call('unreachable');
    expect(alerts.told).to.deep.equal([]);
    call('unreachable', { sipStatus: 480 });
    expect(alerts.byName.get('trunk-success-rate tata')).to.deep.include({
      severity: 'warning',
      summary:
        'Of the last 10 calls by trunk tata 80 % went well, in 5 minutes. The last failure: unreachable (SIP 480).',
    });
    await clock.advance(299_000);
    expect(alerts.told).to.have.length(1);
    await clock.advance(1000);
    expect(alerts.told).to.deep.equal(['raise trunk-success-rate tata', 'resolve trunk-success-rate tata']);
    monitor.stop();
  });

  it('TEL-8: the rate is well again as soon as enough calls went well', () => {
    const { alerts, call } = lab();
    for (let index = 0; index < 10; index += 1) call(index < 4 ? 'congestion' : 'no-answer');
    expect(alerts.told).to.deep.equal(['raise trunk-success-rate tata']);
    for (let index = 0; index < 39; index += 1) call('busy');
    expect(alerts.told).to.have.length(1);
    call('busy');
    expect(alerts.told).to.deep.equal(['raise trunk-success-rate tata', 'resolve trunk-success-rate tata']);
  });

  it('TEL-8: a registration that is refused for a minute is told, and one that nobody can tell of is not', async () => {
    const { clock, alerts, monitor } = lab();
    await monitor.start();
    monitor.registered('exotel', false, clock.now());
    await clock.advance(50_000);
    monitor.registered('exotel', null, clock.now());
    await clock.advance(60_000);
    expect(alerts.told).to.deep.equal([]);
    monitor.registered('exotel', false, clock.now());
    await clock.advance(60_000);
    expect(alerts.byName.get('trunk-down exotel')?.summary).to.equal(
      'Trunk exotel is down: our registration is refused or not answered.',
    );
    monitor.stop();
  });

  it('knows nothing by an engine that is gone', async () => {
    const { clock, alerts, monitor } = lab();
    await monitor.start();
    monitor.qualified('tata', false, clock.now());
    monitor.engineLost();
    await clock.advance(600_000);
    expect(alerts.told).to.deep.equal([]);
    monitor.stop();
  });

  it('measures how long calls take to ring, and says so once it knows', () => {
    const { clock, monitor } = lab();
    for (let index = 1; index <= 40; index += 1)
      monitor.report({
        trunk: 'tata',
        id: `leg.${index}`,
        purpose: 'sos',
        at: clock.now(),
        afterMs: index * 100,
        what: 'ringing',
      });
    expect(monitor.p95PostDialDelayMs('tata')).to.equal(3800);
    expect(monitor.p95PostDialDelayMs('exotel')).to.equal(null);
    expect(monitor.overview('tata')).to.deep.include({ p50PostDialDelayMs: 2000, state: 'up' });
  });

  it('what it does not watch is up, and told of without harm', () => {
    const { clock, alerts, monitor, call } = lab();
    call('trunk-unreachable', { trunk: 'other' });
    monitor.qualified('other', false, clock.now());
    monitor.registered('other', false, clock.now());
    expect(monitor.stateOf('other')).to.equal('up');
    expect(monitor.overview('other')).to.equal(null);
    expect(alerts.told).to.deep.equal([]);
  });

  it('TEL-8: after a restart the last five minutes are known again, from what is written down', async () => {
    const asked: number[] = [];
    const history: TryHistory = {
      since: (at) => {
        asked.push(at);
        return Promise.resolve(
          Array.from({ length: 12 }, (_, index): TryReport => ({
            trunk: index === 11 ? 'gone' : 'tata',
            id: `old.${index}`,
            purpose: 'sos',
            at: (1_000_000 - 1000 + index) as Instant,
            afterMs: 200,
            what: 'ended',
            outcome: index < 3 ? 'unreachable' : 'busy',
            sipStatus: null,
            q850: null,
            silent: false,
            wasAnswered: false,
          })),
        );
      },
    };
    const { clock, alerts, monitor } = lab(history);
    await monitor.start();
    expect(asked).to.deep.equal([clock.now() - 420_000]);
    expect(monitor.overview('tata')).to.deep.include({ attempts: 11, isRateLow: true });
    expect(alerts.told).to.deep.equal(['raise trunk-success-rate tata']);
    monitor.stop();
  });

  it('begins without a past that cannot be read, or not in time', async () => {
    const failing = lab({ since: () => Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'away')) });
    await failing.monitor.start();
    const silent = lab({ since: () => new Promise(() => undefined) });
    const started = silent.monitor.start();
    await silent.clock.advance(2100);
    await started;
    for (const { monitor } of [failing, silent]) {
      expect(monitor.stateOf('tata')).to.equal('up');
      monitor.stop();
    }
  });

  it('TEL-9: follows trunk files that change: new ones, other times, and none that is gone', async () => {
    const { clock, alerts, monitor } = lab();
    await monitor.start();
    monitor.qualified('tata', false, clock.now());
    monitor.qualified('exotel', false, clock.now());
    await clock.advance(120_000);
    expect(alerts.standing).to.deep.equal(['trunk-down exotel', 'trunk-down tata']);
    monitor.follow([EXOTEL, { ...TATA, name: 'vi' }]);
    expect(alerts.standing, 'of what is gone nothing stands').to.deep.equal(['trunk-down exotel']);
    expect(monitor.stateOf('exotel'), 'what is known stays').to.equal('down');
    monitor.qualified('vi', false, clock.now());
    await clock.advance(10_000);
    expect(monitor.stateOf('vi')).to.equal('down');
    monitor.follow([{ ...EXOTEL, optionsIntervalSeconds: 0 }]);
    await clock.advance(1_000);
    expect(alerts.standing, 'it is not asked any more').to.deep.equal([]);
    expect(monitor.stateOf('exotel')).to.equal('up');
  });

  it('TEL-9: a trunk whose file says that it registers no more is not held to what was said of that', async () => {
    const { clock, alerts, monitor } = lab();
    await monitor.start();
    monitor.registered('exotel', false, clock.now());
    await clock.advance(60_000);
    expect(alerts.standing).to.deep.equal(['trunk-down exotel']);
    monitor.follow([TATA, { ...EXOTEL, registers: false }]);
    // From a reading that was under way.
    monitor.registered('exotel', false, clock.now());
    await clock.advance(20_000);
    expect(alerts.standing).to.deep.equal([]);
    expect(monitor.stateOf('exotel')).to.equal('up');
    await clock.advance(120_000);
    expect(alerts.told).to.deep.equal(['raise trunk-down exotel', 'resolve trunk-down exotel']);
    monitor.follow([TATA, EXOTEL]);
    monitor.registered('exotel', false, clock.now());
    await clock.advance(60_000);
    expect(alerts.standing, 'once it registers again it is').to.deep.equal(['trunk-down exotel']);
    monitor.stop();
  });

  it('measures nothing as missing of a registration that is not asked for any more', () => {
    const gauges = new Map<string, number>();
    const gauge = (name: string, value: number, labels: Readonly<Record<string, string>> = {}): void =>
      void gauges.set(`${name} ${labels['trunk'] ?? ''}`, value);
    const { clock, monitor } = lab(NOTHING, { ...silentMetrics, gauge });
    for (const next of [{ ...EXOTEL, registers: false }, EXOTEL, null]) {
      monitor.registered('exotel', false, clock.now());
      monitor.follow(next ? [TATA, next] : [TATA]);
    }
    expect(gauges.get('hamrahi_trunk_registered exotel')).to.equal(1);
    expect(gauges.has('hamrahi_trunk_registered tata')).to.equal(false);
  });

  describe('what an earlier process left', () => {
    const DOWN = 'Trunk tata is down: ';
    const NO_OPTIONS = `${DOWN}it does not answer OPTIONS.`;
    const NO_CALLS = `${DOWN}it did not take the last calls. The last one: trunk-unreachable (SIP 403).`;
    const rings = { trunk: 'tata', purpose: 'call', afterMs: 900, what: 'ringing' } as const;

    it('TEL-8: by calls it stands until one rings, whatever OPTIONS say', async () => {
      const { clock, alerts, monitor } = lab();
      const left = { subject: 'tata', summary: NO_CALLS };
      alerts.raise({ kind: 'trunk-down', severity: 'critical', ...left });
      await monitor.start();
      monitor.qualified('tata', true, clock.now());
      await clock.advance(3_600_000);
      expect(monitor.minds(left)).to.equal(true);
      monitor.report({ ...rings, at: clock.now() });
      expect(monitor.minds(left)).to.equal(false);
      expect(alerts.standing).to.deep.equal([]);
      monitor.stop();
    });

    it('TEL-8: by OPTIONS or registration it stands until those say otherwise, or nobody asks for them', async () => {
      const { clock, monitor } = lab();
      await monitor.start();
      const options = { subject: 'tata', summary: NO_OPTIONS };
      const both = {
        subject: 'exotel',
        summary:
          'Trunk exotel is down: it does not answer OPTIONS and our registration is refused or not answered.',
      };
      expect([monitor.minds(options), monitor.minds(both)]).to.deep.equal([true, true]);
      monitor.qualified('tata', true, clock.now());
      monitor.qualified('exotel', true, clock.now());
      expect([monitor.minds(options), monitor.minds(both)]).to.deep.equal([false, true]);
      monitor.registered('exotel', true, clock.now());
      expect(monitor.minds(both)).to.equal(false);
      monitor.registered('exotel', false, clock.now());
      expect(monitor.minds(both)).to.equal(true);
      monitor.follow([
        { ...TATA, optionsIntervalSeconds: 0 },
        { ...EXOTEL, registers: false },
      ]);
      expect(monitor.minds(both), 'while it is doubtful').to.equal(true);
      await clock.advance(20_000);
      expect([monitor.minds(options), monitor.minds(both)]).to.deep.equal([false, false]);
      monitor.stop();
    });

    it('stands of no trunk that is none any more', () => {
      const { monitor } = lab();
      monitor.follow([EXOTEL]);
      expect(monitor.minds({ subject: 'tata', summary: NO_CALLS })).to.equal(false);
    });
  });
});
