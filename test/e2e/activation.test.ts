/** One SOS of one citizen, however often it is pressed, from whichever device, and whatever becomes of her app meanwhile. */
import { expect } from 'chai';
import type { Activated } from '../../control-plane/src/contracts/sos-api.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';
import type { District } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen } from './support/gateway.ts';
import type { Answer } from './support/http.ts';
import { press, story, told } from './support/sos.ts';

const TONE_HZ = 1300;
const HEARD_MS = 10_000;
/** Half a second of voice. */
const MORE_PACKETS = 25;

describe('e2e: one citizen, one SOS', function () {
  this.timeout(20_000);
  const gateway = useGateway({ env: { HAMRAHI_MEDIA_LOST_MS: '1000' } });
  let district: District;
  let panel: HeadlessOperator;
  let citizen: Citizen;

  beforeEach(async () => {
    district = await gateway.district();
    panel = await gateway.panel(district.operators[0]!.id);
    citizen = await gateway.armedCitizen(district.location, { toneHz: TONE_HZ });
  });

  const activate = (token: string, body: Record<string, unknown>): Promise<Answer> =>
    gateway.send(token, 'POST', '/v1/sos', { body: { location: district.location, ...body } });

  const pressUntilActive = async (): Promise<string> => {
    const id = await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(TONE_HZ, HEARD_MS)]);
    return id;
  };

  const appLegs = (id: string): Promise<{ attempt: number; ended_at: Date | null }[]> =>
    gateway.sql(
      `SELECT attempt, ended_at FROM legs WHERE session_id = $1 AND kind = 'citizen-app' ORDER BY attempt`,
      [id],
    );

  /** Her voice reaches the panel from now on. */
  const voiceGoesOn = async (): Promise<void> => {
    const packets = (): number => panel.heard().reduce((sum, leg) => sum + leg.packets, 0);
    const before = packets();
    await eventually('her voice goes on', () => (packets() > before + MORE_PACKETS ? true : null));
  };

  it('RTC-10 a second press is the same session, told to the panel, and its voice goes on', async () => {
    const id = await pressUntilActive();
    const answer = await activate(citizen.token, { deviceId: 'phone1' });
    await told(panel, id, 'sos.folded');
    await voiceGoesOn();

    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.include({ id, folded: true });
    expect(await gateway.view(id)).to.deep.include({ phase: 'active', streaming: true, heard: true });
    expect(await appLegs(id), 'no second call').to.deep.equal([{ attempt: 1, ended_at: null }]);
  });

  it('RTC-8 RTC-10 ten presses at the same instant are one session, one call and one card', async () => {
    // Her app's own press among them, so that it takes the call.
    const [id, ...answers] = await Promise.all([
      press(citizen, district.location),
      ...Array.from({ length: 9 }, () => activate(citizen.token, { deviceId: 'phone1' })),
    ]);
    await told(panel, id, 'sos.active');

    expect(new Set(answers.map((answer) => (answer.body as unknown as Activated).id))).to.deep.equal(
      new Set([id]),
    );
    expect(answers.filter((answer) => answer.status === 201).length).to.be.at.most(1);
    expect(await gateway.sql('SELECT 1 FROM sessions WHERE citizen_id = $1', [citizen.id])).to.have.length(1);
    expect(await appLegs(id)).to.have.length(1);
    expect(story(panel, id).filter((type) => type === 'sos.activated')).to.have.length(1);
  });

  it('RTC-1 RTC-10 an activation that names no device calls the one that is connected', async () => {
    const answer = await activate(citizen.token, {});
    const { id, flags, sipUri } = answer.body as unknown as Activated;
    await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(TONE_HZ, HEARD_MS)]);

    expect(flags).to.deep.equal(['unknown-device']);
    expect(sipUri).to.match(new RegExp(`^sip:citizen-${citizen.id}-phone1@`));
  });

  it("RTC-10 a backend's activation streams as her own does", async () => {
    const answer = await activate(gateway.file.tokens.backend.token, {
      citizenId: citizen.id,
      deviceId: 'phone1',
    });
    const { id } = answer.body as unknown as Activated;
    // The push message that follows wakes her app.
    await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(TONE_HZ, HEARD_MS)]);

    expect(answer.status).to.equal(201);
    expect(citizen.client.sessionId).to.equal(id);
  });

  it('RTC-2 losing the signalling while packets flow is not losing the session', async () => {
    const id = await pressUntilActive();
    const registered = new Promise<void>((resolve) => {
      citizen.client.on('connection', (state) => {
        if (state === 'registered') resolve();
      });
    });
    citizen.cutSignalling();
    await registered;
    await voiceGoesOn();
    await gateway.resolve(id);
    await eventually('the BYE reaches her on the new connection', () => citizen.legs[0]!.ended);
    await eventually('her microphone is off', () => (citizen.microphoneOn() ? null : true));

    expect(story(panel, id)).to.not.include('sos.degraded');
    expect(await appLegs(id)).to.have.length(1);
  });

  it('RTC-2 an app that died and is started again is offered anew, in the same session', async () => {
    const id = await pressUntilActive();
    await citizen.vanish();
    const restarted = await gateway.app(citizen.token, { toneHz: 1700 });
    restarted.client.resume(id);
    await told(panel, id, 'sos.media-lost');
    await panel.tone(1700, HEARD_MS);
    const view = await gateway.viewWhen(id, 'active again', ({ phase }) => phase === 'active');

    expect(view).to.deep.include({ id, streaming: true, heard: true, fallback: null });
    expect(view.webrtcSessionId).to.equal(restarted.legs.at(-1)!.legId);
    expect(await gateway.carrier.fetchCalls({ number: citizen.phone! })).to.deep.equal([]);
    const legs = await appLegs(id);
    expect(
      legs.filter((leg) => leg.ended_at === null),
      'one of them is left',
    ).to.have.length(1);
  });

  it('RTC-10 her second device joins the session, and takes over when the first one dies', async () => {
    const id = await pressUntilActive();
    const second = await gateway.app(citizen.token, { deviceId: 'phone2', toneHz: 1800 });
    const other = await press(second, district.location);
    await told(panel, id, 'sos.folded');
    await voiceGoesOn();
    expect(other).to.equal(id);
    expect(second.legs, 'the voice of the first is good').to.have.length(0);

    await citizen.vanish();
    await panel.tone(1800, HEARD_MS);
    const view = await gateway.viewWhen(id, 'active by the second device', ({ phase }) => phase === 'active');

    expect(view.webrtcSessionId).to.equal(second.legs.at(-1)!.legId);
    expect(await gateway.carrier.fetchCalls({ number: citizen.phone! })).to.deep.equal([]);
  });
});
