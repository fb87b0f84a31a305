import { expect } from 'chai';
import { OpsAlertDesk } from '../../control-plane/src/app/ops-alert-desk.ts';
import { TrunkMonitor } from '../../control-plane/src/app/trunk-monitor.ts';
import type { LegOutcome } from '../../control-plane/src/domain/session/leg.ts';
import type {
  AlertMinders,
  AlertSender,
  OpsAlertNews,
  OpsAlertRecord,
  OpsAlertStore,
} from '../../control-plane/src/ports/ops-alerts.ts';
import { AKRAM, asOperator, CoreLab, PRIYA_AOR, sessionIdOf } from '../support/core-lab.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';
import { silentMetrics } from '../support/silent-metrics.ts';

const TRUNK = { name: 'carrier', optionsIntervalSeconds: 5, optionsTimeoutSeconds: 2, registers: false };
const MINUTE_MS = 60_000;
const ID = sessionIdOf(1);

/** An on-call phone, the desk that calls it, and who watches the trunks. */
function onCall(clock: ManualClock) {
  const told: string[] = [];
  const phone: AlertSender = {
    name: 'phone',
    resendMs: null,
    send: (news: readonly OpsAlertNews[]) => {
      told.push(...news.map(({ what, record }) => `${what} ${record.kind} ${record.subject}`));
      return Promise.resolve();
    },
    close: () => undefined,
  };
  let ids = 0;
  const ports = { clock, log: silentLog, metrics: silentMetrics };
  const desk = new OpsAlertDesk({
    ...ports,
    senders: [phone],
    repeatMs: 15 * MINUTE_MS,
    newId: () => `alert${(ids += 1)}`,
  });
  const history = { since: () => Promise.resolve([]) };
  const monitor = new TrunkMonitor({ ...ports, trunks: [TRUNK], alerts: desk, history });
  return { told, desk, monitor };
}

async function lab() {
  const core = new CoreLab();
  const { told, desk, monitor } = onCall(core.clock);
  core.onCall = { alerts: desk, trunkHealth: monitor };
  await core.fillDirectory();
  await core.boot();
  await monitor.start();
  return { core, told, desk, monitor };
}

describe('scenario: whoever is on call', () => {
  it('TEL-8: the rate of a trunk falls under 90 % over five minutes: told once; it recovers: told', async () => {
    const { core, told, monitor } = await lab();
    let calls = 0;
    /** Calls a minute, of which these fail. */
    const minute = async (good: number, bad: number): Promise<void> => {
      for (let index = 0; index < good + bad; index += 1) {
        const at = core.clock.now();
        const one = { trunk: 'carrier', id: `call.${(calls += 1)}`, purpose: 'call', at } as const;
        const ends = (outcome: LegOutcome, wasAnswered: boolean): void =>
          monitor.report({
            ...one,
            afterMs: 20_000,
            what: 'ended',
            outcome,
            sipStatus: null,
            q850: null,
            silent: false,
            wasAnswered,
          });
        monitor.report({ ...one, afterMs: 0, what: 'dialled' });
        if (index < good) {
          monitor.report({ ...one, afterMs: 3000, what: 'ringing' });
          monitor.report({ ...one, afterMs: 9000, what: 'answered' });
          ends('completed', true);
        } else ends('congestion', false);
        await core.forward(MINUTE_MS / (good + bad));
      }
    };
    for (let index = 0; index < 5; index += 1) await minute(19, 1);
    expect(monitor.overview('carrier')?.successRate).to.be.closeTo(0.95, 0.005);
    expect(told).to.deep.equal([]);
    // From 95 % to 80 % by the minute: within five minutes that is 92 %, then 89 %.
    await minute(16, 4);
    expect(told).to.deep.equal([]);
    await minute(16, 4);
    expect(told).to.deep.equal(['raised trunk-success-rate carrier']);
    // It has no room, which is a doubt: it is tried after others, and it is not down.
    expect(monitor.stateOf('carrier')).to.equal('doubtful');
    for (let index = 0; index < 4; index += 1) await minute(20, 0);
    expect(told).to.deep.equal(['raised trunk-success-rate carrier', 'resolved trunk-success-rate carrier']);
  });

  it('TEL-8: the carrier answers no OPTIONS: told, and an SOS calls by it all the same', async () => {
    const { core, told } = await lab();
    core.pbx.emit({ type: 'trunk.down', trunk: 'carrier', at: core.clock.now() });
    await core.forward(10_000);
    expect(told).to.deep.equal(['raised trunk-down carrier']);
    await core.connect(PRIYA_AOR);
    await core.activate();
    await core.forward(6000);
    expect(core.legs('citizen-phone')).to.have.length(1);
    core.pbx.ring(core.leg('citizen-phone'));
    await core.forward(0);
    expect(told).to.include('resolved trunk-down carrier');
  });

  it('TEL-8: the database is away: told although it is; a hiccup is not', async () => {
    const { core, told } = await lab();
    await core.connect(PRIYA_AOR);
    core.mood = 'down';
    await core.activate();
    await core.forward(4000);
    core.mood = 'up';
    await core.forward(3000);
    expect(told.filter((one) => one.includes('database'))).to.deep.equal([]);
    core.mood = 'silent';
    await core.forward(MINUTE_MS);
    expect(told).to.include('raised database-away database');
    core.mood = 'up';
    await core.forward(MINUTE_MS);
    expect(told).to.include('resolved database-away database');
  });

  it('TEL-8: nobody is free for an SOS while the database is away: told; acknowledged on the panel: over', async () => {
    const { core, told, desk } = await lab();
    await core.connect(PRIYA_AOR);
    core.mood = 'down';
    await core.activate();
    await core.forward(11_000);
    expect(told).to.include(`raised session-alert ${ID}`);
    const [standing] = desk.standing().filter(({ kind }) => kind === 'session-alert');
    expect(standing?.summary).to.include('no operator is free');
    core.mood = 'up';
    await core.forward(5000);
    const live = await core.live();
    for (const { kind, acknowledgedBy } of live.alerts)
      if (acknowledgedBy === null) await core.gateway.acknowledgeAlert(asOperator(AKRAM), ID, kind);
    await core.forward(0);
    expect(told).to.include(`resolved session-alert ${ID}`);
  });

  it('TEL-8: Asterisk is gone for longer than its restart takes: told', async () => {
    const { core, told, monitor } = await lab();
    core.pbx.emit({ type: 'trunk.down', trunk: 'carrier', at: core.clock.now() });
    core.pbx.lose();
    await core.forward(4000);
    expect(told).to.deep.equal([]);
    await core.forward(MINUTE_MS);
    // Whether the carrier answers nobody could hear meanwhile.
    expect(told).to.deep.equal(['raised engine-away engine']);
    expect(monitor.stateOf('carrier')).to.equal('up');
    await core.pbx.start();
    await core.forward(1000);
    expect(told).to.deep.equal(['raised engine-away engine', 'resolved engine-away engine']);
  });

  it('TEL-8: a node that is started anew calls nothing over that nobody has looked at since', async () => {
    const rows = new Map<string, OpsAlertRecord>();
    const store: OpsAlertStore = {
      load: () => Promise.resolve([...rows.values()]),
      save: (records) => {
        for (const record of records) rows.set(record.id, record);
        return Promise.resolve();
      },
    };
    const { core, desk, monitor } = await lab();
    const minders = (watcher: TrunkMonitor): AlertMinders => ({
      ...core.core.minders,
      'trunk-down': (alert) => watcher.minds(alert),
    });
    await desk.keepIn(store, minders(monitor));
    const [critical, summary] = ['critical', 'It did not go.'] as const;
    desk.raise({ kind: 'trunks-dead', subject: 'all', severity: critical, summary });
    desk.raise({ kind: 'synthetic-sos', subject: 'probe', severity: critical, summary });
    for (let call = 0; call < 3; call += 1)
      monitor.report({
        trunk: 'carrier',
        id: `call.${call}`,
        purpose: 'sos',
        at: core.clock.now(),
        afterMs: 100,
        what: 'ended',
        outcome: 'trunk-unreachable',
        sipStatus: 403,
        q850: null,
        silent: false,
        wasAnswered: false,
      });
    await core.forward(3_600_000);
    core.kill();
    const next = onCall(core.clock);
    core.onCall = { alerts: next.desk, trunkHealth: next.monitor };
    await core.boot();
    await next.monitor.start();
    await next.desk.keepIn(store, minders(next.monitor));
    await core.forward(3 * MINUTE_MS);
    // Nobody expects a synthetic SOS here.
    expect(next.told).to.deep.equal(['resolved synthetic-sos probe']);
    await core.connect(PRIYA_AOR);
    await core.activate();
    await core.forward(6000);
    core.pbx.ring(core.leg('citizen-phone'));
    await core.forward(0);
    expect(next.told).to.include('resolved trunk-down carrier');
    core.pbx.answer(core.leg('citizen-phone'));
    await core.forward(0);
    expect(next.told).to.include('resolved trunks-dead all');
  });

  it('TEL-8: a node that is started anew tells of the sessions that still need somebody', async () => {
    const { core } = await lab();
    await core.connect(PRIYA_AOR);
    await core.activate();
    await core.forward(11_000);
    core.kill();
    const { told, desk, monitor } = onCall(core.clock);
    core.onCall = { alerts: desk, trunkHealth: monitor };
    await core.boot();
    await core.forward(0);
    expect(told).to.include(`raised session-alert ${ID}`);
  });
});
