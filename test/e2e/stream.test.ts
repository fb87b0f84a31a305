/** The one-way stream, from the activation to the operator's ear and to its end. */
import { expect } from 'chai';
import { since } from '../../control-plane/sandbox/demo/stage.ts';
import type { IncomingLeg } from '../../control-plane/client/incoming-leg.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { countOf, msOf, press, story, told, verdict } from './support/sos.ts';

const HEARD_MS = 10_000;
/** Her app notices nothing: only the gateway's own deadlines act. */
const NEVER_MS = 60_000;

describe('e2e: the stream', function () {
  this.timeout(30_000);
  const gateway = useGateway();

  it('RTC-1 RTC-2 RTC-6 sends the offer within 500 ms, is active and has told the panel within 3 s', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1400 });

    const id = await press(citizen, district.location);
    const [activated, active] = await Promise.all([
      told(panel, id, 'sos.activated'),
      told(panel, id, 'sos.active'),
      panel.tone(1400, HEARD_MS),
    ]);

    const timeline = await gateway.timeline(id);
    expect(since(timeline, citizen.legs[0]!.offeredAt), 'offer at her device').to.be.below(500);
    expect(verdict(timeline, 'RTC-1'), 'RTC-1 as the gateway judges it').to.deep.include({ ok: true });
    expect(verdict(timeline, 'RTC-2'), 'RTC-2 as the gateway judges it').to.deep.include({ ok: true });
    expect(since(timeline, activated.at), 'panel told of the SOS').to.be.below(3000);
    expect(since(timeline, active.at), 'panel told that it is active').to.be.below(3000);
    expect(active.event.data.session.webrtcSessionId).to.equal(citizen.legs[0]!.legId);
    expect(panel.legs[0]!.sessionId, 'the id that joins the audio').to.equal(id);
  });

  it('RTC-1 sends the offer within 500 ms of the contact when the device registers late', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.citizen({ toneHz: 1500 });

    const answer = await gateway.send(citizen.token, 'POST', '/v1/sos', {
      body: { deviceId: 'phone1', location: district.location },
    });
    const { id } = answer.body as { readonly id: string };
    await told(panel, id, 'sos.assigned');
    expect(citizen.legs, 'nobody can be offered anything yet').to.have.length(0);
    citizen.client.resume(id);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1500, HEARD_MS)]);

    const timeline = await gateway.timeline(id);
    expect(msOf(timeline, 'contact-online')).to.be.above(0);
    expect(verdict(timeline, 'RTC-1-from-contact')).to.deep.include({ ok: true });
    expect(countOf(timeline, 'citizen-app-ended'), 'no contact is not a signalling error').to.equal(0);
    expect((await gateway.view(id)).degradedReason).to.equal(null);
  });

  it('RTC-2 RTC-6 counts as active only when an operator hears: streaming and heard apart, and by itself', async () => {
    const district = await gateway.district();
    const citizen = await gateway.armedCitizen(district.location);
    const onlooker = await gateway.panel(district.operators[0]!.id, { onDuty: false });

    const id = await press(citizen, district.location);
    await told(onlooker, id, 'sos.streaming');
    const unheard = await gateway.view(id);
    expect(unheard).to.deep.include({ streaming: true, heard: false, queued: true, phase: 'connecting' });
    await onlooker.beginShift();
    await told(onlooker, id, 'sos.active');

    expect(onlooker.legs, 'the panel answered by itself').to.have.length(1);
    expect(onlooker.legs[0]!.answeredAt).to.not.equal(null);
    expect(await gateway.view(id)).to.deep.include({
      streaming: true,
      heard: true,
      queued: false,
      phase: 'active',
    });
    const order = story(onlooker, id);
    expect(order.indexOf('sos.queued')).to.be.below(order.indexOf('sos.assigned'));
  });

  it('RTC-2 tells sound from packets: a phone that sends silence streams, and is shown as silent', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const loud = await gateway.armedCitizen(district.location, { toneHz: 1600 });
    const silent = await gateway.armedCitizen(district.location, { silent: true });

    const [loudId, silentId] = [await press(loud, district.location), await press(silent, district.location)];
    await Promise.all([
      told(panel, loudId, 'sos.active'),
      told(panel, silentId, 'sos.active'),
      told(panel, loudId, 'sos.sound'),
    ]);

    expect((await gateway.view(loudId)).sound).to.equal(true);
    expect(await gateway.view(silentId)).to.deep.include({ streaming: true, heard: true, sound: false });
  });

  it('RTC-4 has the whole record in one SELECT as soon as the activation is answered', async () => {
    const district = await gateway.district();
    const operatorId = district.operators[0]!.id;
    await gateway.panel(operatorId);
    const citizen = await gateway.armedCitizen(district.location);

    const before = Date.now();
    const id = await press(citizen, district.location);
    const after = Date.now();
    const [record] = await gateway.sql<Record<string, unknown>>(
      'SELECT citizen_id, activated_at, operator_id, webrtc_session_id, latitude, longitude, accuracy_m FROM session_record WHERE session_id = $1',
      [id],
    );

    const { activated_at: activatedAt, ...rest } = record!;
    expect(rest).to.deep.equal({
      citizen_id: citizen.id,
      operator_id: operatorId,
      webrtc_session_id: `${id}.citizen-app.1`,
      latitude: district.location.latitude,
      longitude: district.location.longitude,
      accuracy_m: district.location.accuracyM,
    });
    expect((activatedAt as Date).getTime()).to.be.within(before - 1, after + 1);
  });

  it('RTC-7 degrades at 3 s without media, and retries exactly once beside the first attempt', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { failIce: true, iceTimeoutMs: NEVER_MS });

    const id = await press(citizen, district.location);
    const degraded = await told(panel, id, 'sos.degraded');
    const retried = await told(panel, id, 'sos.retried');
    await eventually('the retry stands beside the first attempt', async () => {
      const names = (await gateway.witness.channels()).map((channel) => channel.id);
      return [1, 2].every((attempt) => names.includes(`${id}.citizen-app.${attempt}`)) ? true : null;
    });
    await told(panel, id, 'phone-fallback-active');

    expect(degraded.event.data).to.deep.include({ detail: { reason: 'timeout-no-media' } });
    expect(degraded.event.data.session.phase).to.equal('degraded');
    expect(retried.event.data.detail).to.deep.equal({ leg: 'citizen-app', reason: 'timeout-no-media' });
    const timeline = await gateway.timeline(id);
    expect(msOf(timeline, 'retry-due')).to.be.within(3000, 5000);
    expect(citizen.legs.map((leg) => leg.legId)).to.deep.equal([
      `${id}.citizen-app.1`,
      `${id}.citizen-app.2`,
    ]);
    expect(story(panel, id).filter((type) => type === 'sos.retried')).to.have.length(1);
    const logged = await gateway.sql<{ type: string; timer: string | null }>(
      `SELECT type, event->>'timer' AS timer FROM session_events WHERE session_id = $1 ORDER BY seq`,
      [id],
    );
    expect(logged).to.deep.include({ type: 'timer.due', timer: 'retry' });
    const legs = await gateway.sql<{ attempt: number }>(
      `SELECT attempt FROM legs WHERE session_id = $1 AND kind = 'citizen-app' ORDER BY attempt`,
      [id],
    );
    expect(legs).to.deep.equal([{ attempt: 1 }, { attempt: 2 }]);
  });

  it('RTC-7 retries at once after a signalling error, and the record tells which it was', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.citizen({ toneHz: 1700 });
    rejectFirst(citizen.client, 488);
    citizen.client.arm(district.location);

    const id = await press(citizen, district.location);
    const degraded = await told(panel, id, 'sos.degraded');
    await told(panel, id, 'sos.retried');
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1700, HEARD_MS)]);

    expect(degraded.event.data.detail).to.deep.equal({ reason: 'signalling-error-sip-488' });
    const timeline = await gateway.timeline(id);
    expect(msOf(timeline, 'retry-due'), 'nobody waited for 3 s').to.equal(null);
    expect(msOf(timeline, 'heard')).to.be.below(3000);
    const [ended] = await gateway.sql(
      `SELECT outcome, sip_status FROM legs WHERE id = $1 AND ended_at IS NOT NULL`,
      [`${id}.citizen-app.1`],
    );
    expect(ended).to.deep.include({ sip_status: 488 });
  });

  it('RTC-9 the operator ends the incident: BYE at her app, microphone off, resolution time, nothing left', async () => {
    const district = await gateway.district();
    const operatorId = district.operators[0]!.id;
    const panel = await gateway.panel(operatorId);
    const citizen = await gateway.armedCitizen(district.location);
    const id = await press(citizen, district.location);
    await told(panel, id, 'sos.active');
    expect(citizen.microphoneOn()).to.equal(true);

    const before = Date.now();
    await panel.client.resolve(id, 'she is safe');
    await told(panel, id, 'sos.resolved');
    const leg = citizen.legs[0]!;
    await eventually('her app has been hung up on', () => leg.ended);
    await eventually('her microphone is off', () => (citizen.microphoneOn() ? null : true), 1_000);
    await gateway.assertNothingLeft();

    expect(leg.ended!.how).to.equal('hung-up');
    expect(citizen.client.state).to.deep.include({ name: 'ended', reason: 'resolved' });
    const [record] = await gateway.sql<{ resolved_at: Date; phase: string; ended_by: string }>(
      'SELECT resolved_at, phase, ended_by FROM session_record WHERE session_id = $1',
      [id],
    );
    expect(record).to.deep.include({ phase: 'resolved', ended_by: `operator:${operatorId}` });
    expect(record!.resolved_at.getTime()).to.be.within(before - 1, Date.now() + 1);
    const why = `SELECT claimed->>'reason' AS reason FROM session_personal WHERE session_id = $1 ORDER BY seq DESC LIMIT 1`;
    expect(await gateway.sql(why, [id])).to.deep.equal([{ reason: 'she is safe' }]);
    expect(await gateway.sql('SELECT * FROM timers WHERE session_id = $1', [id])).to.deep.equal([]);
  });

  it('FB-10 an early release ends a warm-up without a trace at the carrier, and is refused once activated', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const [released, activated] = await Promise.all([
      gateway.armedCitizen(district.location),
      gateway.armedCitizen(district.location, { failIce: true, iceTimeoutMs: NEVER_MS }),
    ]);
    const warmUp = await eventually('the warm-up is on record', async () => {
      const sessions = `SELECT id FROM sessions WHERE citizen_id = $1 AND phase = 'arming'`;
      return (await gateway.sql<{ id: string }>(sessions, [released.id]))[0] ?? null;
    });

    await released.client.release();
    const id = await press(activated, district.location);
    const answer = await gateway.send(activated.token, 'POST', `/v1/sos/${id}/release`, { body: {} });
    // The other one's fallback shows that the time of a watchdog has passed.
    await gateway.carrier.waitForCall((call) => call.number === activated.phone, 10_000);

    expect(answer).to.deep.include({ status: 409 });
    expect(answer.body).to.deep.include({ code: 'ERR_SOS_PHASE' });
    expect((await gateway.view(warmUp.id)).phase).to.equal('released');
    expect(released.microphoneOn()).to.equal(false);
    expect(await gateway.carrier.fetchCalls({ number: released.phone! })).to.deep.equal([]);
    expect(await gateway.sql('SELECT * FROM timers WHERE session_id = $1', [warmUp.id])).to.deep.equal([]);
    expect(story(panel, warmUp.id), 'no panel was told of a warm-up').to.deep.equal([]);
  });

  it('RTC-1 an armed session that is activated by its id keeps its place and its operator', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.citizen();
    const armed = await gateway.send(citizen.token, 'POST', '/v1/sos/arm', {
      body: { deviceId: 'phone1', location: district.location },
    });
    const { id } = armed.body as { readonly id: string };
    const activated = await gateway.send(citizen.token, 'POST', `/v1/sos/${id}/activate`, { body: {} });
    citizen.client.resume(id);
    const { event } = await told(panel, id, 'sos.active');

    expect(armed.body).to.deep.include({ phase: 'arming', activatedAt: null });
    expect(activated.status).to.equal(200);
    expect(activated.body).to.deep.include({ id, phase: 'connecting' });
    expect(event.data.session.location).to.deep.equal(district.location);
  });
});

/** Refuses her first call with this status; the next is answered as usual. */
function rejectFirst(
  client: { on(name: 'leg', listener: (leg: IncomingLeg) => void): () => void },
  status: number,
): void {
  const off = client.on('leg', (leg) => {
    off();
    void leg.reject(status);
  });
}
