import { expect } from 'chai';
import { MilestoneMetrics } from '../../../control-plane/src/app/milestone-metrics.ts';
import { Books } from '../../../control-plane/src/app/books.ts';
import { asOperator, AKRAM, sessionIdOf, startCoreLab } from '../../support/core-lab.ts';
import { silentLog } from '../../support/silent-log.ts';
import type { Metrics } from '../../../control-plane/src/ports/log.ts';

const ID = sessionIdOf(1);

function countingMetrics(): Metrics & { readonly lines: string[] } {
  const lines: string[] = [];
  const line = (name: string, labels: object = {}) =>
    lines.push(`${name} ${Object.values(labels).join(' ')}`);
  return {
    lines,
    count: (name, labels) => line(name, labels),
    observe: (name, _, labels) => line(name, labels),
    gauge: () => undefined,
  };
}

describe('app/books', () => {
  it('enters a session soon after its end, and tells the timeline from the ledger when the events are gone', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.gateway.panelTold(ID, 'sos.activated', lab.clock.now());
    await lab.forward(1000);
    expect(await lab.memory.ledger.find(ID)).to.equal(null);
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    await lab.forward(15_000);
    const entry = await lab.memory.ledger.find(ID);
    expect(entry?.verdicts.find(({ id }) => id === 'RTC-2')).to.include({ ok: true });
    expect(entry?.verdicts.find(({ id }) => id === 'RTC-6')).to.include({ ok: true });
    expect(entry?.milestones.map(({ name }) => name)).to.include.members([
      'activated',
      'streaming',
      'panel-told',
    ]);
    const told = await lab.gateway.timeline(asOperator(AKRAM), ID);
    lab.memory.dropEvents(ID);
    expect(await lab.gateway.timeline(asOperator(AKRAM), ID)).to.deep.equal(told);
  });

  it('loses no session to a crash: what is over is found when the next process looks', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    await lab.forward(0);
    lab.kill();
    expect(await lab.memory.ledger.find(ID)).to.equal(null);
    await lab.boot();
    await lab.forward(15_000);
    expect(await lab.memory.ledger.find(ID)).to.not.equal(null);
  });

  it('counts each verdict once, whoever looks again', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    await lab.forward(0);
    lab.kill();
    const metrics = countingMetrics();
    const { store, ledger } = lab.memory;
    const books = new Books({ store, ledger, clock: lab.clock, log: silentLog, metrics });
    expect([await books.settle(), await books.settle()]).to.deep.equal([1, 0]);
    const counted = metrics.lines.filter((line) => line.startsWith('hamrahi_sos_verdicts_total'));
    expect(counted).to.include('hamrahi_sos_verdicts_total RTC-2 ok');
    expect(new Set(counted).size).to.equal(counted.length);
  });

  it('tries again when the ledger cannot be written', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    lab.mood = 'down';
    await lab.forward(25_000);
    expect(await lab.memory.ledger.find(ID)).to.equal(null);
    lab.mood = 'up';
    await lab.forward(15_000);
    expect(await lab.memory.ledger.find(ID)).to.not.equal(null);
  });
});

describe('app/milestone-metrics', () => {
  it('observes the first of each kind, and the way by which she was heard', async () => {
    const lab = await startCoreLab();
    const metrics = countingMetrics();
    const measured = new MilestoneMetrics(metrics);
    await lab.becomeActive();
    const live = await lab.live();
    const events = (await lab.memory.store.events(ID, 100)).map(({ event, at }) => ({
      event,
      at,
      personal: null,
    }));
    const outcome = { verdict: 'applied', before: null, after: live, seq: 1, events } as const;
    measured.note(outcome);
    measured.note(outcome);
    expect(metrics.lines).to.include('hamrahi_sos_time_to_voice_ms stream');
    expect(metrics.lines).to.include('hamrahi_sos_milestone_ms streaming');
    expect(new Set(metrics.lines).size).to.equal(metrics.lines.length);
  });
});
