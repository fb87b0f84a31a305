import { expect } from 'chai';
import { sessionIn, sessionNumber } from '../../../support/fake-feed-source.ts';
import { startFeedLab, type FeedLab, type TestPanel } from '../../../support/feed-lab.ts';

describe('adapters/feed changes', () => {
  let lab: FeedLab;
  beforeEach(async () => {
    lab = await startFeedLab();
  });
  afterEach(() => lab.close());

  /** Waits for this change, and tells all that came so far. */
  const seqsUpTo = async (panel: TestPanel, seq: number): Promise<number[]> => {
    await panel.until(`seq ${seq}`, () => panel.seqs().includes(seq));
    return panel.seqs();
  };

  it('RTC-6 begins with a snapshot, then health, then every change with its whole card', async () => {
    lab.source.commit('north', 1);
    const panel = await lab.connect();
    await panel.take('health');
    const snapshot = await panel.take('snapshot');
    expect(snapshot.seq).to.equal(1);
    expect(snapshot.data.sessions.map(({ id }) => id)).to.deep.equal([sessionNumber(1)]);
    expect(snapshot.data.onShift).to.equal(false);
    const row = lab.source.commit('north', 2, {
      type: 'phone-fallback-active',
      detail: { reason: 'timeout' },
    });
    const event = await panel.take('phone-fallback-active');
    expect(event).to.deep.include({ seq: 2, sessionSeq: 2, sessionId: row.sessionId });
    expect(event.at).to.equal(new Date(row.at).toISOString());
    expect(event.data.detail).to.deep.equal({ reason: 'timeout' });
    expect(event.data.session.id).to.equal(row.sessionId);
  });

  it('shows an operator the own zones, sessions of no zone and own sessions; a supervisor all', async () => {
    const operator = await lab.connect();
    const supervisor = await lab.connect({ role: 'supervisor', subject: 'boss' });
    await Promise.all([operator.take('snapshot'), supervisor.take('snapshot')]);
    lab.source.commit('north', 1);
    lab.source.commit('south', 2);
    lab.source.commit(null, 3);
    lab.source.commit('south', 4, { session: sessionIn('south', 4, 'akram') });
    lab.source.commit('south', 5, { session: sessionIn('south', 5, 'bina') });
    lab.source.commit('north', 6);
    expect(await seqsUpTo(operator, 6)).to.deep.equal([1, 3, 4, 6]);
    expect(await seqsUpTo(supervisor, 6)).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('takes a card away whose session is no longer for this panel', async () => {
    const panel = await lab.connect();
    await panel.take('snapshot');
    lab.source.commit('north', 1);
    lab.source.commit('south', 1);
    lab.source.commit('south', 1);
    lab.source.commit('north', 2);
    const gone = await panel.take('session.gone');
    expect(gone).to.deep.include({ seq: 2, sessionId: sessionNumber(1) });
    expect(await seqsUpTo(panel, 4)).to.deep.equal([1, 4]);
    expect(panel.messages.filter(({ type }) => type === 'session.gone')).to.deep.equal([]);
  });

  it('begins anew with a snapshot when the zones of the operator change', async () => {
    const panel = await lab.connect();
    await panel.take('snapshot');
    lab.source.commit('south', 1);
    lab.source.zones = ['south'];
    await lab.feed.refreshScopes();
    const snapshot = await panel.take('snapshot');
    expect(snapshot.data.sessions.map(({ id }) => id)).to.deep.equal([sessionNumber(1)]);
    lab.source.commit('north', 2);
    lab.source.commit('south', 3);
    expect(await seqsUpTo(panel, 3)).to.deep.equal([3]);
    await lab.feed.refreshScopes();
    lab.source.commit('south', 3);
    await seqsUpTo(panel, 4);
    expect(
      panel.messages.map(({ type }) => type),
      'no snapshot without a change',
    ).not.to.include('snapshot');
  });

  it('loses and doubles nothing that is committed while the snapshot is read', async () => {
    lab.source.commit('north', 1);
    lab.source.afterRead = () => {
      for (let n = 0; n < 50; n++) lab.source.commit('north', 1);
      return new Promise((resolve) => setTimeout(resolve, 20));
    };
    const panel = await lab.connect();
    expect((await panel.take('snapshot')).seq).to.equal(1);
    lab.source.commit('north', 1);
    expect(await seqsUpTo(panel, 52)).to.deep.equal(Array.from({ length: 51 }, (_, index) => index + 2));
  });

  it('resumes where the panel left, and loses nothing that is committed meanwhile', async () => {
    for (let n = 0; n < 10; n++) lab.source.commit(n % 2 ? 'south' : 'north', 1);
    lab.source.afterRead = () => {
      lab.source.commit('north', 2);
      return Promise.resolve();
    };
    const panel = await lab.connect({ since: 4 });
    expect(await seqsUpTo(panel, 11)).to.deep.equal([5, 7, 9, 11]);
    await panel.take('health');
    expect(panel.messages.map(({ type }) => type)).not.to.include('snapshot');
  });

  it('sends a snapshot when the gap is too old, too long, or of another database', async () => {
    for (let n = 0; n < 1500; n++) lab.source.commit('north', 1);
    lab.source.floor = 1000;
    for (const since of [999, 100, 400, 99_999]) {
      const panel = await lab.connect({ since });
      expect((await panel.take('snapshot')).seq, `since ${since}`).to.equal(1500);
    }
  });

  it('tells a panel that comes and goes every change once and in order', async function () {
    this.timeout(20_000);
    const total = 400;
    let committed = 0;
    const writer = setInterval(() => {
      for (let n = 0; n < 5 && committed < total; n++, committed++) lab.source.commit('north', 1);
    }, 5);
    lab.source.afterRead = () => new Promise((resolve) => setTimeout(resolve, 3));
    const heard: number[] = [];
    let first = await lab.connect({ since: 0 });
    while ((heard.at(-1) ?? 0) < total) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      first.socket.terminate();
      await first.untilClosed();
      heard.push(...first.seqs());
      first = await lab.connect({ since: heard.at(-1) ?? 0 });
    }
    clearInterval(writer);
    expect(heard).to.deep.equal(Array.from({ length: total }, (_, index) => index + 1));
  });

  it('tells panels when engine or database go and come back', async () => {
    await lab.close();
    lab = await startFeedLab({ healthIntervalMs: 50 });
    const panel = await lab.connect();
    expect((await panel.take('health')).data).to.deep.equal({ engine: true, database: true });
    lab.gateway.healthy = { engine: false, database: true };
    expect((await panel.take('health')).data).to.deep.equal({ engine: false, database: true });
    lab.gateway.before = () => Promise.reject(new Error('down'));
    expect((await panel.take('health')).data).to.deep.equal({ engine: false, database: false });
  });

  it('says something now and then, so that a panel can tell quiet from a dead connection', async () => {
    await lab.close();
    lab = await startFeedLab({ healthIntervalMs: 20, repeatHealthMs: 60 });
    const panel = await lab.connect();
    const told: number[] = [];
    while (told.length < 3) told.push(Date.parse((await panel.take('health')).at));
    expect(told[2]! - told[1]!, 'no oftener than it must').to.be.at.least(55);
  });

  it('ends a connection whose beginning cannot be read', async () => {
    lab.source.afterRead = () => Promise.reject(new Error('the database is down'));
    const panel = await lab.connect();
    expect(await panel.untilClosed()).to.deep.equal({ code: 1011, reason: 'ERR_GATEWAY_UNAVAILABLE' });
  });

  it('ends a connection whose beginning takes too long', async () => {
    await lab.close();
    lab = await startFeedLab({ startTimeoutMs: 100 });
    lab.source.afterRead = () => new Promise(() => undefined);
    const panel = await lab.connect();
    expect((await panel.untilClosed()).code).to.equal(1011);
  });

  it('sends panels away when the node goes down, and lets go of its source', async () => {
    const panel = await lab.connect();
    await panel.take('snapshot');
    await lab.feed.close(500);
    expect(await panel.untilClosed()).to.deep.equal({ code: 1001, reason: 'ERR_FEED_CLOSING' });
    expect(lab.source.listeners).to.equal(0);
  });
});
