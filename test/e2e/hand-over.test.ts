/** Handing her over, joining by her session's id, listening in: on real calls, one way as ever. */
import { expect } from 'chai';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press, story, told } from './support/sos.ts';
import { startSipTap, type SipTap } from './support/sip-tap.ts';

const HEARD_MS = 10_000;
const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/gm;
/** Two seconds of packets. */
const MANY_PACKETS = 100;

describe('e2e: handing over, joining, listening in', function () {
  this.timeout(40_000);
  let tap: SipTap;
  const gateway = useGateway(async () => {
    tap = await startSipTap();
    return { env: { HAMRAHI_ENGINE_SIP_WS_URL: tap.url } };
  });
  before(() => tap.lead(`${gateway.file.ari.url.replace('http', 'ws')}/ws`));
  after(() => tap.close());

  const post = async (token: string, path: string, body: unknown = {}): Promise<string> => {
    const { status, body: answer } = await gateway.send(token, 'POST', path, { body });
    return status === 200 ? 'ok' : String((answer as { code?: string }).code);
  };

  it('TEL-10 hands a stream to the next operator without a gap in her call; the old panel is let go', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const old = await gateway.panel(first!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1300 });
    const id = await press(citizen, district.location);
    await told(old, id, 'sos.active');
    const next = await gateway.panel(second!.id);
    const mine = await gateway.token('operator', first!.id);

    expect(
      await post(await gateway.token('operator', second!.id), `/v1/sos/${id}/transfer`, { to: 'next' }),
    ).to.equal('ERR_SOS_FOREIGN');
    expect(await post(mine, `/v1/sos/${id}/transfer`, { to: 'nobody' })).to.equal(
      'ERR_SOS_OPERATOR_UNAVAILABLE',
    );
    expect(await post(mine, `/v1/sos/${id}/transfer`, { to: 'next', reason: 'end of shift' })).to.equal('ok');
    await Promise.all([told(next, id, 'sos.handed-over'), next.tone(1300, HEARD_MS)]);
    await eventually('the old leg has ended', () =>
      old.legs.every((leg) => leg.endedAt !== null) ? true : null,
    );
    const view = await gateway.view(id);

    expect(view).to.deep.include({ operatorId: second!.id, phase: 'active', handOver: null, fallback: null });
    expect(story(next, id)).to.not.include('sos.degraded');
    expect(await post(mine, `/v1/sos/${id}/transfer`, { to: 'next' }), 'she is not his any more').to.equal(
      'ERR_SOS_FOREIGN',
    );
    expect(
      (await gateway.sql(`SELECT 1 FROM legs WHERE session_id = $1 AND kind = 'citizen-app'`, [id])).length,
    ).to.equal(1);
  });

  it('TEL-10 leaves her with the old operator when the new one refuses', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const old = await gateway.panel(first!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1400 });
    const id = await press(citizen, district.location);
    await told(old, id, 'sos.active');
    await gateway.panel(second!.id, { rejectWith: 486 });
    await post(gateway.file.tokens.admin.token, `/v1/sos/${id}/transfer`, { to: second!.id });
    const failed = await told(old, id, 'sos.hand-over-failed');
    const packets = old.heard()[0]!.packets;
    await eventually('he hears her on', () => (old.heard()[0]!.packets > packets + 25 ? true : null));

    expect(failed.event.data.detail).to.deep.equal({ to: second!.id, reason: 'busy' });
    expect(await gateway.view(id)).to.deep.include({
      operatorId: first!.id,
      phase: 'active',
      handOver: null,
    });
  });

  it('RTC-6 calls a panel that knows nothing but the session id into her stream', async () => {
    const district = await gateway.district();
    const operator = district.operators[0]!;
    const panel = await gateway.panel(operator.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1500 });
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    const token = await gateway.token('operator', operator.id);
    const tablet = await gateway.panel(operator.id, { clientId: 'tablet' });

    expect(await post(token, `/v1/sos/${id}/join`, { deviceId: 'elsewhere' })).to.equal(
      'ERR_SOS_PANEL_ABSENT',
    );
    expect(await post(token, `/v1/sos/${id}/join`, { deviceId: 'tablet' })).to.equal('ok');
    await tablet.tone(1500, HEARD_MS);
    await told(tablet, id, 'sos.handed-over');

    expect(await gateway.view(id)).to.deep.include({ operatorId: operator.id, phase: 'active', heard: true });
  });

  it('RTC-3 lets a supervisor listen in, who is heard by nobody whatever his client sends, and counts for nothing', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const chief = district.supervisor!.id;
    const ear = await gateway.panel(chief, { role: 'supervisor', sendAnywayHz: 1900 });
    const token = await gateway.token('supervisor', chief);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1600 });
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    const stranger = (await gateway.district()).supervisor!.id;

    expect(await post(await gateway.token('supervisor', stranger), `/v1/sos/${id}/listen`)).to.equal(
      'ERR_SOS_FOREIGN',
    );
    expect(await post(token, `/v1/sos/${id}/listen`)).to.equal('ok');
    await Promise.all([told(panel, id, 'sos.listening'), ear.tone(1600, HEARD_MS)]);
    await eventually('he has sent for two seconds', () =>
      ear.rtp().packetsSent >= MANY_PACKETS ? true : null,
    );
    const listening = await gateway.view(id);
    const { status } = await gateway.send(token, 'DELETE', `/v1/sos/${id}/listen`);
    await told(panel, id, 'sos.listening-ended');

    expect(listening).to.deep.include({ listeners: [chief], operatorId: district.operators[0]!.id });
    expect(status).to.equal(200);
    const passed = tap.messages
      .filter((one) => one.from === 'edge' && one.aor === `operator-${chief}-panel1`)
      .flatMap(({ message }) => [...message.matchAll(DIRECTION)].map(([, word]) => word));
    expect(new Set(passed), 'what the edge passed on of him').to.deep.equal(new Set(['recvonly']));
    expect(citizen.rtp().packetsReceived, 'she hears nothing').to.equal(0);
    const heard = new Set(panel.heard()[0]!.tones.map(({ hz }) => hz));
    expect(heard, 'nor does the operator hear him').to.deep.equal(new Set([1600]));
    expect(await gateway.view(id)).to.deep.include({ listeners: [], phase: 'active' });
  });

  it('TEL-10 FB-3 hands a telephone call over to another duty phone, and a supervisor hears both of it', async () => {
    const district = await gateway.district({ operators: [{}, {}] });
    const [first, second] = district.operators;
    const watching = await gateway.panel(first!.id);
    const chief = district.supervisor!.id;
    const ear = await gateway.panel(chief, { role: 'supervisor' });
    // She has no app that answers: at 5 s both phones ring.
    const citizen = await gateway.citizen();
    const { body } = await gateway.send(citizen.token, 'POST', '/v1/sos', {
      body: { deviceId: 'phone2', location: district.location },
    });
    const { id } = body as unknown as { readonly id: string };
    await told(watching, id, 'phone-connected', 20_000);
    await post(await gateway.token('supervisor', chief), `/v1/sos/${id}/listen`);
    await told(watching, id, 'sos.listening');
    await eventually('he hears the call', () => ((ear.heard()[0]?.packets ?? 0) > 25 ? true : null));
    expect(
      await post(await gateway.token('supervisor', chief), `/v1/sos/${id}/transfer`, { to: second!.id }),
    ).to.equal('ok');
    await told(watching, id, 'sos.handed-over');
    const calls = await gateway.sql<{ party_id: string; outcome: string | null }>(
      `SELECT party_id, outcome FROM legs WHERE session_id = $1 AND kind = 'operator-phone' ORDER BY attempt`,
      [id],
    );

    expect(await gateway.view(id)).to.deep.include({ operatorId: second!.id, phase: 'phone-connected' });
    expect(calls.map(({ party_id: party }) => party)).to.deep.equal([first!.id, second!.id]);
    await eventually('she, the new one and the listener stand in the bridge, and nobody else', async () => {
      const bridge = (await gateway.witness.bridges()).find((one) => one.id === `${id}.phone`);
      const members = [...(bridge?.members ?? [])].toSorted().join();
      const wanted = ['citizen-phone.1', 'operator-phone.2', 'supervisor-app.1'].map((leg) => `${id}.${leg}`);
      return members === wanted.join() ? true : null;
    });
  });
});
