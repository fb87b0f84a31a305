/** RTC-5: who hears her. The next operator when one cannot, the queue when nobody can, and nobody of another zone. */
import { expect } from 'chai';
import { eventually } from './support/eventually.ts';
import { useGateway, type Gateway } from './support/gateway.ts';
import { press, story, told } from './support/sos.ts';

const HEARD_MS = 10_000;
const REOFFER_MS = 2000;

describe('e2e: which operator hears', function () {
  this.timeout(30_000);
  const gateway = useGateway({
    env: { HAMRAHI_OPERATOR_REOFFER_MS: String(REOFFER_MS), HAMRAHI_NO_OPERATOR_ALERT_MS: '500' },
  });

  it("RTC-5 RTC-7 offers the next operator when a panel refuses, and uses up no retry of the citizen's", async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const refusing = await gateway.panel(first!.id, { rejectWith: 486 });
    const taking = await gateway.panel(second!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1300 });

    const id = await press(citizen, district.location);
    await Promise.all([told(taking, id, 'sos.active'), taking.tone(1300, HEARD_MS)]);

    expect(refusing.legs, 'asked once').to.have.length(1);
    expect((await gateway.view(id)).operatorId).to.equal(second!.id);
    expect(await citizenLegs(gateway, id)).to.equal(1);
    expect(story(taking, id)).to.not.include('sos.retried');
  });

  it('RTC-5 queues an SOS when everybody is at capacity, alerts, and assigns it when somebody comes free', async () => {
    const district = await gateway.district({ operators: [{ capacity: 1 }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const one = await gateway.armedCitizen(district.location, { toneHz: 1300 });
    const other = await gateway.armedCitizen(district.location, { toneHz: 1400 });

    const first = await press(one, district.location);
    await told(panel, first, 'sos.active');
    const second = await press(other, district.location);
    await told(panel, second, 'sos.queued');
    const alert = await told(panel, second, 'sos.alert');
    const queued = await gateway.view(second);
    await panel.client.resolve(first);
    await Promise.all([told(panel, second, 'sos.active'), panel.tone(1400, HEARD_MS)]);

    expect(alert.event.data.detail).to.deep.equal({ kind: 'no-operator' });
    expect(queued, 'she streams all the same').to.deep.include({ queued: true, operatorId: null });
    expect(await gateway.view(second)).to.deep.include({
      queued: false,
      operatorId: district.operators[0]!.id,
    });
    expect(await citizenLegs(gateway, second), 'her stream was there already').to.equal(1);
  });

  it('RTC-5 a panel that dies without a word is noticed by its silence, and the next one hears her', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const dying = await gateway.panel(first!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1500 });
    const id = await press(citizen, district.location);
    await told(dying, id, 'sos.active');
    const next = await gateway.panel(second!.id);

    await dying.vanish();
    const degraded = await told(next, id, 'sos.degraded');
    await next.tone(1500, HEARD_MS);
    const view = await gateway.viewWhen(id, 'active again', ({ phase }) => phase === 'active');

    expect(degraded.event.data.detail).to.deep.equal({ reason: 'operator-silent' });
    expect(view).to.deep.include({ operatorId: second!.id, streaming: true, heard: true, fallback: null });
    expect(await citizenLegs(gateway, id), 'her own call was not touched').to.equal(1);
    expect(await gateway.carrier.fetchCalls()).to.deep.equal([]);
  });

  it('RTC-5 a panel that is closed is waited for, then the next one hears her; her stream runs on', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const leaving = await gateway.panel(first!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1600 });
    const id = await press(citizen, district.location);
    await told(leaving, id, 'sos.active');
    const next = await gateway.panel(second!.id);

    const closedAt = Date.now();
    await leaving.close();
    const { at } = await next.tone(1600, HEARD_MS);
    const view = await gateway.viewWhen(id, 'active again', ({ phase }) => phase === 'active');

    expect(at - closedAt, 'he had his time to come back').to.be.at.least(REOFFER_MS);
    expect(at - closedAt, 'and no more').to.be.below(REOFFER_MS + 2000);
    expect(story(next, id)).to.include.members(['sos.reoffered', 'sos.degraded']);
    expect(view.operatorId).to.equal(second!.id);
    expect(await citizenLegs(gateway, id)).to.equal(1);
    expect(await gateway.carrier.fetchCalls()).to.deep.equal([]);
  });

  it('RTC-5 a panel that is loaded again gets her back, though another operator is free', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const before = await gateway.panel(first!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1700 });
    const id = await press(citizen, district.location);
    await told(before, id, 'sos.active');
    const other = await gateway.panel(second!.id);

    await before.close();
    const back = await gateway.panel(first!.id);
    await back.tone(1700, HEARD_MS);
    const view = await gateway.viewWhen(id, 'active again', ({ phase }) => phase === 'active');

    expect(view.operatorId).to.equal(first!.id);
    expect(other.legs, 'nobody else was asked').to.deep.equal([]);
    expect(await citizenLegs(gateway, id)).to.equal(1);
  });

  it("RTC-5 neither offers nor shows an SOS to another zone's operator", async () => {
    const [hers, other] = [await gateway.district(), await gateway.district()];
    const stranger = await gateway.panel(other.operators[0]!.id);
    const citizen = await gateway.armedCitizen(hers.location);

    const id = await press(citizen, hers.location);
    await gateway.viewWhen(id, 'nobody is free', ({ queued, streaming }) => queued && streaming);
    const own = await gateway.panel(hers.operators[0]!.id);
    await told(own, id, 'sos.active');
    // The stranger's own feed works meanwhile: what it was told of this session has come by now.
    const second = await gateway.armedCitizen(other.location);
    await told(stranger, await press(second, other.location), 'sos.active');

    expect(stranger.legs.map((leg) => leg.sessionId)).to.not.include(id);
    expect(story(stranger, id)).to.deep.equal([]);
    expect(stranger.client.cards.map((card) => card.id)).to.not.include(id);
    await eventually('his own card is there', () => (stranger.client.cards.length === 1 ? true : null));
  });
});

async function citizenLegs(gateway: Gateway, id: string): Promise<number> {
  const legs = `SELECT 1 FROM legs WHERE session_id = $1 AND kind = 'citizen-app'`;
  return (await gateway.sql(legs, [id])).length;
}
