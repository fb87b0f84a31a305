import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { AudioReading } from '../../../control-plane/client/audio-monitor.ts';
import type { FeedMessage } from '../../../control-plane/src/contracts/panel-feed.ts';
import type { SessionView } from '../../../control-plane/src/contracts/session-view.ts';
import { CLIENT_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import { wallClockMs } from '../../../control-plane/client/headless/index.ts';
import { eventually, useCast } from './cast.ts';
import { sessionView } from './fake-gateway.ts';

function changed(session: SessionView, seq: number): FeedMessage {
  return {
    seq,
    sessionSeq: session.sessionSeq,
    type: 'sos.streaming',
    at: new Date().toISOString(),
    sessionId: session.id,
    data: { session, detail: {} },
  };
}

describe('control-plane/client/panel-client on real Asterisk', function () {
  this.timeout(20_000);
  const cast = useCast();

  it('RTC-2: reports the first packet at once, then each second', async () => {
    const [priya, akram] = await Promise.all([cast.citizen(), cast.operator()]);
    const { sessionId, operatorLeg } = await cast.connect(priya, akram);
    const reports = (): unknown[] => cast.gateway.panelMessages.filter(({ type }) => type === 'audio.report');
    await eventually('a report', () => reports().length > 0);
    const first = akram.heard()[0]!.firstPacketAt!;
    expect(wallClockMs() - first).to.be.below(900);
    expect(reports()[0]).to.include({ sessionId, legId: operatorLeg });
    await eventually('two more', () => reports().length >= 3, 5_000);
    expect(wallClockMs() - first).to.be.within(1_900, 3_900);
  });

  it('RTC-8: five sessions at once, five tones, no crossing', async () => {
    const tones = CLIENT_TONES_HZ.slice(0, 5);
    const pairs = await Promise.all(
      tones.map(async (toneHz) => {
        const [priya, akram] = await Promise.all([cast.citizen({ toneHz }), cast.operator()]);
        return { toneHz, priya, akram };
      }),
    );
    await Promise.all(pairs.map(({ priya, akram }) => cast.connect(priya, akram)));
    await Promise.all(pairs.map(({ toneHz, akram }) => akram.tone(toneHz, 5_000)));
    await eventually('a second of sound at each', () =>
      pairs.every(({ akram }) => akram.heard().every(({ packets }) => packets > 50)),
    );
    const heard = pairs.map(({ akram }) => [
      ...new Set(akram.heard().flatMap((leg) => leg.tones.map(({ hz }) => hz))),
    ]);
    expect(heard).to.deep.equal(tones.map((hz) => [hz]));
  });

  it('tells packets without sound from sound, and both from a lost stream', async () => {
    const [priya, akram] = await Promise.all([cast.citizen({ silent: true }), cast.operator()]);
    const readings: AudioReading[] = [];
    akram.client.on('audio', (reading) => readings.push(reading));
    const { citizenLeg } = await cast.connect(priya, akram);
    await eventually('silence', () => readings.at(-1)?.state === 'silence', 6_000);
    expect(readings.at(-1)!.packets).to.be.above(100);
    await priya.vanish();
    await eventually('lost', () => readings.at(-1)?.state === 'lost', 4_000);
    await cast.engine.hangUp(citizenLeg);
  });

  it('takes no call before its shift and after it', async () => {
    const akram = await cast.operator();
    akram.client.endShift();
    const leg = await cast.call(akram, randomUUID(), 'operator-app.1');
    const destroyed = await cast.engine.event(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === leg,
    );
    expect(Number(destroyed.tech_cause)).to.equal(480);
    expect(cast.gateway.panelMessages.map(({ type }) => type)).to.deep.equal(['shift.begin', 'shift.end']);
  });

  it('keeps the newest state of each card, whatever the order of the events', async () => {
    const akram = await cast.operator();
    const id = randomUUID();
    cast.gateway.feed(changed(sessionView(id, { sessionSeq: 5, phase: 'active' }), 12));
    cast.gateway.feed(changed(sessionView(id, { sessionSeq: 4, phase: 'connecting' }), 11));
    cast.gateway.feed(changed(sessionView(id, { sessionSeq: 5, phase: 'active' }), 12));
    await eventually('three events', () => akram.events.length === 3);
    expect(akram.client.cards.map(({ phase }) => phase)).to.deep.equal(['active']);
  });

  it('resumes the feed where it broke off, and asks for its shift again', async () => {
    const akram = await cast.operator();
    cast.gateway.feed(changed(sessionView(randomUUID()), 41));
    await eventually('the event', () => akram.events.length === 1);
    cast.gateway.cut('feed');
    const feeds = (): URL[] =>
      cast.gateway.connections.filter(({ kind }) => kind === 'feed').map(({ url }) => url);
    await eventually('a second connection', () => feeds().length === 2);
    expect(feeds().map((url) => url.searchParams.get('since'))).to.deep.equal([null, '41']);
    expect(feeds()[0]!.searchParams.get('ticket')).not.to.equal(feeds()[1]!.searchParams.get('ticket'));
    const begins = (): number =>
      cast.gateway.panelMessages.filter(({ type }) => type === 'shift.begin').length;
    await eventually('a second shift.begin', () => begins() === 2);
    await eventually('on duty', () => akram.client.shift === 'on');
  });

  it('does not fight another tab of the same client for its shift', async () => {
    const akram = await cast.operator();
    const states: string[] = [];
    akram.client.on('feed', (state) => states.push(state));
    cast.gateway.closeFeeds(4001);
    await eventually('it gave way', () => states.includes('taken'));
    const { length } = cast.gateway.connections;
    // Longer than any first reconnection would take.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(cast.gateway.connections).to.have.lengthOf(length);
  });

  it('says what an operator orders', async () => {
    const akram = await cast.operator();
    const id = randomUUID();
    cast.gateway.sessions.set(id, sessionView(id));
    await akram.client.resolve(id, 'safe');
    await akram.client.redial(id);
    expect(akram.client.acknowledge(id, 'no-operator')).to.equal(true);
    await eventually('the acknowledgement', () =>
      cast.gateway.panelMessages.some(({ type }) => type === 'alert.acknowledge'),
    );
    const orders = cast.gateway.requests.filter(({ path }) => path.includes(id));
    expect(orders.map(({ path, body }) => [path.split('/').at(-1), body])).to.deep.equal([
      ['resolve', { reason: 'safe' }],
      ['redial', {}],
    ]);
  });
});
