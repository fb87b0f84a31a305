import { expect } from 'chai';
import { MediaWatch } from '../../../../control-plane/src/adapters/asterisk/media-watch.ts';
import type { LegId } from '../../../../control-plane/src/domain/ids.ts';
import type { PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const LEG = 'leg-1' as LegId;

function scene(answerAfterMs = 0) {
  const clock = manualClock();
  const startAt = clock.now();
  const events: PbxEvent[] = [];
  const counters = new Map<LegId, number | null>();
  let readings = 0;
  let underWay = 0;
  let mostUnderWay = 0;
  const readAt: number[] = [];
  const watch = new MediaWatch({
    clock,
    emit: (event) => events.push(event),
    readPackets: (legId) => {
      readings += 1;
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      readAt.push(clock.now() - startAt);
      return new Promise((resolve) => {
        const answer = (): void => {
          underWay -= 1;
          resolve(counters.get(legId) ?? null);
        };
        if (answerAfterMs === 0) answer();
        else clock.at((clock.now() + answerAfterMs) as ReturnType<typeof clock.now>, answer);
      });
    },
    confirmEveryMs: 100,
    watchEveryMs: 1_000,
    lostAfterMs: 4_000,
  });
  /** Packets come at 50 a second for so long. */
  const flow = async (forMs: number): Promise<void> => {
    for (let at = 0; at < forMs; at += 20) {
      counters.set(LEG, (counters.get(LEG) ?? 0) + 1);
      await clock.advance(20);
    }
  };
  return {
    clock,
    watch,
    events,
    counters,
    readAt,
    flow,
    told: () => events.map((event) => `${event.at - startAt} ${event.type}`),
    readings: () => readings,
    mostUnderWay: () => mostUnderWay,
  };
}

describe('adapters/asterisk/media-watch (RTC-2)', () => {
  it('tells the first packet at once and the stream after two growths 100 ms apart', async () => {
    const { clock, watch, counters, flow, told } = scene();
    counters.set(LEG, 0);
    watch.start(LEG);
    await clock.advance(250);
    expect(told()).to.deep.equal([]);
    await flow(400);
    expect(told()).to.deep.equal(['300 media.first-packet', '400 media.streaming']);
  });

  it('takes one burst for no stream', async () => {
    const { clock, watch, counters, told } = scene();
    watch.start(LEG);
    await clock.advance(50);
    counters.set(LEG, 40);
    await clock.advance(2_000);
    expect(told()).to.deep.equal(['100 media.first-packet']);
  });

  it('takes fewer than five packets for no stream', async () => {
    const { clock, watch, counters, told } = scene();
    watch.start(LEG);
    for (let packets = 1; packets <= 5; packets += 1) {
      await clock.advance(100);
      counters.set(LEG, packets);
    }
    await clock.advance(100);
    expect(told()).to.deep.equal(['200 media.first-packet', '600 media.streaming']);
  });

  it('reads a confirmed stream once a second', async () => {
    const { clock, watch, flow, readings } = scene();
    watch.start(LEG);
    await flow(400);
    const before = readings();
    await flow(10_000);
    expect(readings() - before).to.be.within(9, 11);
    expect(clock.waiting).to.equal(1);
  });

  it('tells a loss when nothing has come for so long, and the return; neither twice', async () => {
    const { clock, watch, flow, events, told } = scene();
    watch.start(LEG);
    await flow(2_000);
    await clock.advance(6_000);
    await flow(600);
    const lost = events.find(({ type }) => type === 'media.lost');
    expect(lost).to.have.property('silentForMs').within(4_000, 4_100);
    expect(told().map((line) => line.split(' ')[1])).to.deep.equal([
      'media.first-packet',
      'media.streaming',
      'media.lost',
      'media.back',
    ]);
    expect(events.at(-1)!.at - lost!.at).to.be.below(2_000 + 600);
  });

  it('takes a counter that begins anew for packets that came', async () => {
    const { watch, counters, flow, told } = scene();
    watch.start(LEG);
    await flow(3_000);
    counters.set(LEG, 0);
    await flow(10_000);
    expect(told()).to.have.length(2);
  });

  it('concludes nothing from readings that fail', async () => {
    const { clock, watch, counters, flow, told } = scene();
    watch.start(LEG);
    await flow(1_000);
    counters.set(LEG, null);
    await clock.advance(20_000);
    expect(told()).to.have.length(2);
  });

  it('takes the time without engine for no silence', async () => {
    const { clock, watch, counters, flow, told, readings } = scene();
    watch.start(LEG);
    await flow(1_000);
    watch.pause();
    const before = readings();
    await clock.advance(30_000);
    expect(readings()).to.equal(before);
    counters.set(LEG, 1_500);
    watch.resume();
    await flow(3_000);
    expect(told()).to.have.length(2);
  });

  it('has one reading of a leg under way at most, however slow the engine is', async () => {
    const { clock, watch, mostUnderWay, readings } = scene(700);
    watch.start(LEG);
    watch.start(LEG);
    await clock.advance(7_050);
    expect(mostUnderWay()).to.equal(1);
    expect(readings()).to.be.within(10, 11);
  });

  it('spreads the legs over the interval when the engine is back, with one timer for all', async () => {
    const { clock, watch, readAt } = scene();
    watch.pause();
    for (let leg = 0; leg < 10; leg += 1) watch.start(`leg-${leg}` as LegId);
    watch.resume();
    expect(clock.waiting).to.equal(1);
    await clock.advance(99);
    expect(readAt).to.deep.equal([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it('ends with the leg', async () => {
    const { clock, watch, flow, readings } = scene();
    watch.start(LEG);
    await flow(1_000);
    watch.stop(LEG);
    const before = readings();
    await clock.advance(5_000);
    expect(readings()).to.equal(before);
  });
});
