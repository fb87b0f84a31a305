import { expect } from 'chai';
import { startFeedLab, type FeedLab, type TestPanel } from '../../../support/feed-lab.ts';

const TATA = { kind: 'trunk-down', subject: 'tata', severity: 'critical', summary: 'Down.' } as const;

describe('adapters/feed alerts about the gateway', () => {
  let lab: FeedLab;
  beforeEach(async () => {
    lab = await startFeedLab();
  });
  afterEach(() => lab.close());

  const alertOf = async (panel: TestPanel) => (await panel.take('ops.alert')).data;

  it('TEL-8: a supervisor is told what stands after the snapshot, and each change', async () => {
    lab.alerts.raise(TATA);
    lab.alerts.raise({ ...TATA, subject: 'exotel' });
    lab.alerts.resolve('trunk-down', 'exotel');
    const panel = await lab.connect({ role: 'supervisor', subject: 'chief' });
    const standing = await alertOf(panel);
    expect(standing).to.deep.include({ subject: 'tata', state: 'standing', acknowledged: null });
    // The snapshot was before it.
    expect(panel.messages[0]?.type).to.equal('snapshot');
    lab.alerts.acknowledge(standing.id, 'chief');
    expect((await alertOf(panel)).acknowledged?.by).to.equal('chief');
    lab.alerts.resolve('trunk-down', 'tata');
    expect(await alertOf(panel)).to.deep.include({ id: standing.id, state: 'resolved' });
    await panel.take('health');
    expect(panel.messages.filter(({ type }) => type === 'ops.alert')).to.deep.equal([]);
  });

  it('whoever resumes is told what stands, too', async () => {
    const before = lab.source.commit('north');
    lab.alerts.raise(TATA);
    const panel = await lab.connect({ role: 'admin', subject: 'root', since: before.seq });
    expect((await alertOf(panel)).subject).to.equal('tata');
    expect(panel.messages.map(({ type }) => type)).to.not.include('snapshot');
  });

  it('operators are told nothing of it', async () => {
    lab.alerts.raise(TATA);
    const panel = await lab.connect({ role: 'operator', subject: 'akram' });
    await panel.take('health');
    lab.alerts.resolve('trunk-down', 'tata');
    lab.source.commit('north');
    await panel.until('a change', () => panel.seqs().length > 0);
    expect(panel.messages.map(({ type }) => type)).to.not.include('ops.alert');
  });
});
