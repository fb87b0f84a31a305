import { expect } from 'chai';
import { AlertCourier } from '../../../control-plane/src/app/alert-courier.ts';
import type { Instant } from '../../../control-plane/src/domain/ids.ts';
import { AlertError } from '../../../control-plane/src/ports/ops-alerts.ts';
import type {
  AlertSender,
  OpsAlertNews,
  OpsAlertRecord,
} from '../../../control-plane/src/ports/ops-alerts.ts';
import { keptLog } from '../../support/kept-log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

function recordOf(id: string, change: Partial<OpsAlertRecord> = {}): OpsAlertRecord {
  return {
    id,
    kind: 'trunk-down',
    subject: id,
    severity: 'critical',
    summary: 'Down.',
    raisedAt: 1 as Instant,
    acknowledged: null,
    resolvedAt: null,
    toldAt: 1 as Instant,
    returns: 0,
    ...change,
  };
}

const raised = (id: string): OpsAlertNews => ({ what: 'raised', record: recordOf(id) });
const resolved = (id: string): OpsAlertNews => ({
  what: 'resolved',
  record: recordOf(id, { resolvedAt: 2 as Instant }),
});

/** A channel that does what the test says. */
class Channel implements AlertSender {
  readonly name = 'webhook-1';
  resendMs: number | null = null;
  mood: 'takes' | 'refuses' | 'hangs' | 'throws' = 'takes';
  readonly tries: { readonly at: number; readonly told: readonly string[] }[] = [];
  closed = false;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }
  send(news: readonly OpsAlertNews[]): Promise<void> {
    this.tries.push({ at: this.#now(), told: news.map(({ what, record }) => `${what} ${record.id}`) });
    switch (this.mood) {
      case 'takes':
        return Promise.resolve();
      case 'refuses':
        return Promise.reject(new AlertError('ERR_ALERT_REFUSED', 'answered 500'));
      case 'hangs':
        return new Promise(() => undefined);
      case 'throws':
        return Promise.reject(new TypeError('a bug'));
    }
  }
  close(): void {
    this.closed = true;
  }
}

describe('app/alert-courier', () => {
  function lab(change: (channel: Channel) => void = () => undefined) {
    const clock = manualClock();
    const start = clock.now();
    const channel = new Channel(() => clock.now() - start);
    change(channel);
    const log = keptLog();
    const standing: OpsAlertRecord[] = [];
    const courier = new AlertCourier({
      sender: channel,
      standing: () => standing,
      clock,
      log,
      metrics: silentMetrics,
    });
    return { clock, channel, courier, log, standing };
  }
  const times = ({ tries }: Channel): number[] => tries.map(({ at }) => at / 1000);

  it('brings each alert once, at once', async () => {
    const { clock, channel, courier } = lab();
    courier.tell(raised('a'));
    await clock.advance(60_000);
    courier.tell(resolved('a'));
    await clock.advance(600_000);
    expect(channel.tries.map(({ told }) => told)).to.deep.equal([['raised a'], ['resolved a']]);
    expect(courier.failing).to.equal(null);
  });

  it('TEL-8: tries again after 1, 2, 5, 10, 30 and 60 s, and goes on for ever', async () => {
    const { clock, channel, courier } = lab((one) => (one.mood = 'refuses'));
    courier.tell(raised('a'));
    await clock.advance(230_000);
    expect(times(channel)).to.deep.equal([0, 1, 3, 8, 18, 48, 108, 168, 228]);
    expect(courier.failing).to.equal('ERR_ALERT_REFUSED');
    channel.mood = 'takes';
    await clock.advance(600_000);
    expect(times(channel)).to.have.length(10);
    expect(courier.failing).to.equal(null);
  });

  it('what waits is told in its newest state, in the order in which it came, in one message', async () => {
    const { clock, channel, courier } = lab((one) => (one.mood = 'refuses'));
    for (const news of [raised('a'), raised('b'), raised('c'), resolved('a')]) courier.tell(news);
    await clock.advance(500);
    channel.mood = 'takes';
    await clock.advance(600_000);
    expect(channel.tries.at(-1)?.told).to.deep.equal(['resolved a', 'raised b', 'raised c']);
  });

  it('what changes while it is under way is told once more', async () => {
    const { clock, channel, courier } = lab();
    courier.tell(raised('a'));
    courier.tell(resolved('a'));
    await clock.advance(1000);
    expect(channel.tries.map(({ told }) => told)).to.deep.equal([['raised a'], ['resolved a']]);
  });

  it('TEL-8: a new alert is tried at once, though the next try was a minute away, and no more than once a second', async () => {
    const { clock, channel, courier } = lab((one) => (one.mood = 'refuses'));
    courier.tell(raised('a'));
    await clock.advance(110_000);
    const before = channel.tries.length;
    courier.tell(raised('b'));
    courier.tell(raised('c'));
    await clock.advance(500);
    expect(channel.tries.length).to.equal(before + 1);
    courier.tell(raised('d'));
    await clock.advance(600);
    expect(channel.tries.length).to.equal(before + 2);
  });

  it('one that hangs is given up after its deadline, and one that throws counts as failed', async () => {
    const { clock, channel, courier, log } = lab((one) => (one.mood = 'hangs'));
    courier.tell(raised('a'));
    await clock.advance(14_000);
    expect(channel.tries).to.have.length(1);
    channel.mood = 'throws';
    await clock.advance(3000);
    expect(courier.failing).to.equal('ERR_ALERT_UNREACHABLE');
    expect(log.lines.join('\n')).to.include('ERR_ALERT_TIMEOUT');
    channel.mood = 'takes';
    await clock.advance(60_000);
    expect(courier.failing).to.equal(null);
  });

  it('takes no more than fifty to a message, and keeps no more than two thousand', async () => {
    const { clock, channel, courier } = lab((one) => (one.mood = 'refuses'));
    for (let index = 0; index < 2500; index += 1) courier.tell(raised(`a${index}`));
    await clock.advance(900);
    channel.mood = 'takes';
    channel.tries.splice(0);
    await clock.advance(60_000);
    expect(channel.tries).to.have.length(40);
    expect(channel.tries.flatMap(({ told }) => told).at(-1)).to.equal('raised a2499');
    expect(channel.tries[0]?.told).to.have.length(50);
  });

  it('tells a channel that forgets what stands, each minute', async () => {
    const { clock, channel, courier, standing } = lab((one) => (one.resendMs = 60_000));
    standing.push(recordOf('a'));
    courier.tell(raised('a'));
    await clock.advance(121_000);
    expect(channel.tries.map(({ told }) => told)).to.deep.equal([
      ['raised a'],
      ['repeated a'],
      ['repeated a'],
    ]);
    standing.pop();
    courier.tell(resolved('a'));
    await clock.advance(180_000);
    expect(channel.tries.at(-1)?.told).to.deep.equal(['resolved a']);
    await courier.close(0);
  });

  it('on its end tries what waits once more, and waits no longer than it may', async () => {
    const { clock, channel, courier } = lab((one) => (one.mood = 'refuses'));
    courier.tell(raised('a'));
    await clock.advance(100);
    channel.mood = 'takes';
    await courier.close(2000);
    expect(channel.tries).to.have.length(2);
    expect(channel.closed).to.equal(true);
    const hanging = lab((one) => (one.mood = 'hangs'));
    hanging.courier.tell(raised('a'));
    const closing = hanging.courier.close(2000);
    await hanging.clock.advance(2100);
    await closing;
    await hanging.clock.advance(600_000);
    expect(hanging.channel.tries).to.have.length(1);
  });
});
