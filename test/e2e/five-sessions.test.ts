/** RTC-8: sessions at the same time, each with a tone of its own, and no tone where it does not belong. */
import { expect } from 'chai';
import type { HeardSound } from '../../control-plane/client/headless/tone-detector.ts';
import { CLIENT_TONES_HZ } from '../../control-plane/sandbox/audio/tones.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen, type Gateway } from './support/gateway.ts';
import type { District } from './support/district.ts';
import { press, told } from './support/sos.ts';

const TONES = CLIENT_TONES_HZ.slice(0, 5);
/** Two seconds of packets on every leg: long enough to hear a foreign tone. */
const MANY_PACKETS = 100;

describe('e2e: five sessions at once', function () {
  this.timeout(40_000);
  const gateway = useGateway();

  it('RTC-8 one operator hears five citizens who pressed at the same instant, each on her own leg alone', async () => {
    const district = await gateway.district({ operators: [{ capacity: 20 }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const ids = await pressTogether(gateway, district, [panel]);

    await expectOwnToneOnly([panel], ids);
    expect(panel.legs, 'one call for each').to.have.length(TONES.length);
  });

  it('RTC-8 five operators with room for one each hear one citizen each', async () => {
    const district = await gateway.district({ operators: TONES.map(() => ({ capacity: 1 })) });
    const panels = await Promise.all(district.operators.map(({ id }) => gateway.panel(id)));
    const ids = await pressTogether(gateway, district, panels);

    await expectOwnToneOnly(panels, ids);
    for (const panel of panels) expect(panel.legs, 'nobody has two').to.have.length(1);
    const assigned = await Promise.all(
      [...ids.keys()].map(async (id) => (await gateway.view(id)).operatorId),
    );
    expect(assigned).to.have.members(district.operators.map(({ id }) => id));
  });

  it('RTC-8 a stream, a fallback and a warm-up side by side end without touching each other', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const [streaming, falling, arming] = await Promise.all([
      gateway.armedCitizen(district.location, { toneHz: 1600 }),
      gateway.armedCitizen(district.location, { rejectWith: 488 }),
      gateway.armedCitizen(district.location),
    ]);
    const [streamId, fallbackId] = await Promise.all([
      press(streaming, district.location),
      press(falling, district.location),
    ]);
    await Promise.all([told(panel, streamId, 'sos.active'), told(panel, fallbackId, 'phone-connected')]);
    await arming.client.release();
    await gateway.resolve(fallbackId);

    const leg = panel.heard().find(({ legId }) => legId.startsWith(streamId))!;
    await eventually('her voice goes on', () => {
      const now = panel.heard().find(({ legId }) => legId === leg.legId)!;
      return now.packets > leg.packets + MANY_PACKETS ? true : null;
    });
    const now = panel.heard().find(({ legId }) => legId === leg.legId)!;
    expect(now.now, 'her tone alone').to.deep.include({ kind: 'tone', hz: 1600 });
    expect(await gateway.view(streamId)).to.deep.include({ phase: 'active', streaming: true });
    expect(streaming.rtp().packetsReceived).to.equal(0);
  });
});

/** Five citizens, one tone each, press at once. The sessions with their tones, once all are active. */
async function pressTogether(
  gateway: Gateway,
  { location }: District,
  panels: readonly HeadlessOperator[],
): Promise<ReadonlyMap<string, number>> {
  const citizens = await Promise.all(
    TONES.map((toneHz): Promise<Citizen> => gateway.armedCitizen(location, { toneHz })),
  );
  const ids = await Promise.all(citizens.map((citizen) => press(citizen, location)));
  const [anyPanel] = panels;
  await Promise.all(ids.map((id) => told(anyPanel!, id, 'sos.active')));
  expect(new Set(ids).size, 'five different ids').to.equal(TONES.length);
  return new Map(ids.map((id, index) => [id, TONES[index]!]));
}

async function expectOwnToneOnly(
  panels: readonly HeadlessOperator[],
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  const heard = await eventually(
    'two seconds of voice on every leg',
    () => {
      const legs = panels.flatMap((panel) => panel.heard());
      return legs.length === ids.size && legs.every(({ packets }) => packets >= MANY_PACKETS) ? legs : null;
    },
    10_000,
  );
  for (const [id, hz] of ids) {
    const legs = heard.filter(({ legId }) => legId.startsWith(id));
    expect(legs, 'one leg for this session').to.have.length(1);
    const { tones, now } = legs[0]!;
    const heardHere = new Set(tones.map((tone) => tone.hz));
    expect(heardHere, `what is heard where ${hz} Hz belongs`).to.deep.equal(new Set([hz]));
    expect(now, 'to the end her tone alone').to.deep.include({ kind: 'tone', hz });
    expect((now as Extract<HeardSound, { kind: 'tone' }>).share, 'nothing is mixed in').to.be.above(0.9);
  }
}
