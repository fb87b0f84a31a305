/** Who is called when somebody is not reached, and who is not called at all. With short times. */
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen } from './support/gateway.ts';
import { press, story, told } from './support/sos.ts';

const NO_MEDIA = { failIce: true, iceTimeoutMs: 60_000 } as const;
const TIMES = {
  watchdogMs: 1200,
  citizenRingMs: 4000,
  operatorRingMs: 1500,
  redialAfterMs: 800,
  operatorAcceptMs: 2500,
} as const;
/** A phone that is called or let go so much later was so on time: a busy machine is not what is asked for here. */
const LATE_MS = 2000;

describe('e2e: whom the fallback calls', function () {
  this.timeout(30_000);
  const gateway = useGateway({
    env: {
      HAMRAHI_WATCHDOG_MS: String(TIMES.watchdogMs),
      HAMRAHI_FIRST_RETRY_MS: '600',
      HAMRAHI_CITIZEN_RING_MS: String(TIMES.citizenRingMs),
      HAMRAHI_OPERATOR_RING_MS: String(TIMES.operatorRingMs),
      HAMRAHI_OPERATOR_ACCEPT_MS: String(TIMES.operatorAcceptMs),
      HAMRAHI_CITIZEN_REDIAL_AFTER_MS: String(TIMES.redialAfterMs),
      HAMRAHI_CITIZEN_REDIALS: '1',
      HAMRAHI_NO_OPERATOR_ALERT_MS: '500',
    },
  });

  const legsOf = (
    id: string,
    kind: string,
  ): Promise<{ outcome: string | null; party_role: string; party_id: string }[]> =>
    gateway.sql(
      `SELECT outcome, party_role, party_id FROM legs WHERE session_id = $1 AND kind = $2 ORDER BY attempt`,
      [id, kind],
    );

  const alertsOf = async (id: string): Promise<readonly string[]> =>
    (await gateway.view(id)).alerts.map(({ kind }) => kind);

  it('FB-6 logs an unanswered call, alerts a supervisor, calls once more, and lets the operator redial', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: '20' });

    const id = await press(citizen, district.location);
    const alert = await panel.event(
      (event) => event.type === 'sos.alert' && event.data.detail['kind'] === 'citizen-unanswered',
      15_000,
    );
    const first = await callTo(gateway, citizen.phone, ({ state }) => state === 'ended');
    await gateway.viewWhen(id, 'the fallback gave up', ({ phase }) => phase === 'degraded', 15_000);

    const rangMs = first.times.cancelAt! - first.times.inviteAt;
    expect(rangMs, 'rang for its whole time').to.be.within(
      TIMES.citizenRingMs - 150,
      TIMES.citizenRingMs + LATE_MS,
    );
    expect(first.finalStatus).to.equal(487);
    expect(alert.event.data.session.phase).to.equal('phone-fallback-active');
    const [attempt] =
      alert.event.data.session.fallback?.attempts.filter(({ role }) => role === 'citizen') ?? [];
    expect(attempt, 'the alert brings the history').to.deep.include({ answeredAt: null });
    expect(Date.parse(attempt!.ringingAt!)).to.be.within(first.times.inviteAt, first.times.cancelAt!);
    const calls = await callsTo(gateway, citizen.phone);
    expect(calls, 'one more by itself').to.have.length(2);
    expect(calls[1]!.times.inviteAt - first.times.cancelAt!).to.be.within(
      TIMES.redialAfterMs - 150,
      TIMES.redialAfterMs + LATE_MS,
    );
    const legs = await eventually('the end of both legs', async () => {
      const all = await legsOf(id, 'citizen-phone');
      return all.every(({ outcome }) => outcome !== null) ? all : null;
    });
    expect(legs.map(({ outcome }) => outcome)).to.deep.equal(['no-answer', 'no-answer']);
    // The operator's word brings one more call, although the session has given up by itself.
    await panel.client.redial(id);
    await eventually('the third call', async () =>
      (await callsTo(gateway, citizen.phone)).length === 3 ? true : null,
    );
    expect((await gateway.view(id)).fallback).to.deep.include({ reason: 'redial' });
  });

  it('FB-7 calls the next operator, then the supervisor, while her phone rings, and bridges whoever answers', async () => {
    const district = await gateway.district({ operators: [{ phone: '46' }, { phone: '20' }] });
    const [busy, absent] = district.operators;
    const panel = await gateway.panel(busy!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);

    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-connected');
    const supervisorPhone = district.supervisor!.dutyPhone;
    await Promise.all([
      heardAt(gateway, citizen.phone, phoneToneHz(supervisorPhone)),
      heardAt(gateway, supervisorPhone, phoneToneHz(citizen.phone!)),
    ]);

    const [first, second, third] = await Promise.all(
      [busy!.dutyPhone, absent!.dutyPhone, supervisorPhone].map((number) => callTo(gateway, number)),
    );
    expect(first!.finalStatus).to.equal(486);
    expect(second!.times.inviteAt, 'at once after the busy one').to.be.below(
      first!.times.endedAt! + TIMES.operatorRingMs,
    );
    const rangMs = second!.times.cancelAt! - second!.times.inviteAt;
    expect(rangMs).to.be.within(TIMES.operatorRingMs - 150, TIMES.operatorRingMs + LATE_MS);
    expect(third!.times.inviteAt).to.be.at.least(second!.times.inviteAt + TIMES.operatorRingMs - 150);
    expect(await alertsOf(id), 'the chain came first').to.not.include('citizen-unanswered');
    const legs = await eventually('the end of the first two', async () => {
      const all = await legsOf(id, 'operator-phone');
      return all.slice(0, 2).every(({ outcome }) => outcome !== null) ? all : null;
    });
    expect(legs.map(({ outcome }) => outcome).slice(0, 2)).to.deep.equal(['busy', 'no-answer']);
    expect(legs[2]).to.deep.include({ party_role: 'supervisor', party_id: district.supervisor!.id });
  });

  it('FB-7 a duty phone that must accept counts once it has pressed 1; a voicemail does not, and the next is called', async () => {
    const district = await gateway.district({
      operators: [
        { phone: '00', pressToAccept: true },
        { phone: '06', pressToAccept: true },
      ],
    });
    const [voicemail, there] = district.operators;
    const panel = await gateway.panel(voicemail!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);

    const id = await press(citizen, district.location);
    const accepted = await told(panel, id, 'phone.accepted');
    await told(panel, id, 'phone-connected');
    await heardAt(gateway, citizen.phone, phoneToneHz(there!.dutyPhone));

    const [first, second] = await Promise.all(
      [voicemail!.dutyPhone, there!.dutyPhone].map((number) => callTo(gateway, number)),
    );
    const hers = await callTo(gateway, citizen.phone);
    expect(first!.times.answeredAt, 'it answered').to.not.equal(null);
    expect(first!.byeBy, 'and was let go').to.equal('gateway');
    const waitedMs = first!.times.endedAt! - first!.times.answeredAt!;
    expect(waitedMs).to.be.within(TIMES.operatorAcceptMs - 150, TIMES.operatorAcceptMs + LATE_MS);
    expect(accepted.at).to.be.at.least(second!.times.answeredAt! + 1400);
    const spoken = hers.heard.filter(({ hz }) => hz === phoneToneHz(there!.dutyPhone));
    expect(
      spoken.every(({ fromMs }) => fromMs >= second!.times.answeredAt! + 1400),
      'she never heard the voicemail',
    ).to.equal(true);
    const view = await gateway.view(id);
    expect(view.fallback?.attempts.map(({ role, operatorId }) => [role, operatorId])).to.deep.equal([
      ['citizen', null],
      ['operator', voicemail!.id],
      ['operator', there!.id],
    ]);
    expect(view.alerts).to.deep.equal([]);
  });

  it('FB-7 exhausts the chain before it alerts that she does not answer', async () => {
    const district = await gateway.district({
      operators: [{ phone: '46' }, { phone: '63' }],
      supervisor: '40',
    });
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: '20' });

    const id = await press(citizen, district.location);
    await gateway.viewWhen(
      id,
      'both alerts',
      ({ alerts }) =>
        ['operators-unreachable', 'citizen-unanswered'].every((kind) =>
          alerts.some((one) => one.kind === kind),
        ),
      12_000,
    );

    const alerts = panel.events
      .filter(({ event }) => event.sessionId === id && event.type === 'sos.alert')
      .map(({ event }) => event.data.detail['kind']);
    expect(alerts.indexOf('operators-unreachable')).to.be.below(alerts.indexOf('citizen-unanswered'));
    const dialled = [...district.operators, district.supervisor!];
    for (const { dutyPhone } of dialled) expect((await callsTo(gateway, dutyPhone)).length).to.be.at.least(1);
  });

  it('FB-2 streaming but unheard: her phone does not ring; a duty phone joins her stream, one way', async () => {
    const district = await gateway.district();
    const onlooker = await gateway.panel(district.operators[0]!.id, { onDuty: false });
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1900 });

    const id = await press(citizen, district.location);
    const initiated = await told(onlooker, id, 'phone-fallback-active');
    await heardAt(gateway, district.operators[0]!.dutyPhone, 1900);
    const view = await gateway.viewWhen(id, 'active by the phone', ({ phase }) => phase === 'active');

    expect(initiated.event.data.detail).to.deep.include({
      reason: 'operator-absent',
      mode: 'operators-only',
    });
    expect(view).to.deep.include({ streaming: true, heard: true });
    expect(view.fallback).to.deep.include({ citizenPhone: 'idle', operatorPhone: 'answered' });
    expect(await alertsOf(id)).to.include.members(['no-operator', 'operator-absent']);
    expect(await callsTo(gateway, citizen.phone), 'her phone stays silent').to.deep.equal([]);
    expect(citizen.rtp().packetsReceived, 'RTC-3: nothing of the duty phone reaches her').to.equal(0);
  });

  it('FB-7 the duty phone that joined her stream is replaced by the next when it drops', async () => {
    const district = await gateway.district({ operators: [{ phone: '03' }] });
    const onlooker = await gateway.panel(district.operators[0]!.id, { onDuty: false });
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 2000 });

    const id = await press(citizen, district.location);
    await heardAt(gateway, district.operators[0]!.dutyPhone, 2000);
    await told(onlooker, id, 'sos.degraded');
    await eventually(
      'somebody is called again',
      async () => {
        const calls = await callsTo(gateway, district.operators[0]!.dutyPhone);
        return calls.length >= 2 ? true : null;
      },
      10_000,
    );

    expect(await callsTo(gateway, citizen.phone)).to.deep.equal([]);
    expect((await gateway.view(id)).streaming, 'her stream went on').to.equal(true);
  });

  const quiet: readonly {
    name: string;
    wishes: Parameters<typeof gateway.citizen>[0];
    alert: string | null;
  }[] = [
    { name: 'a silent profile', wishes: { silentProfile: true }, alert: null },
    { name: 'an unverified phone', wishes: { phoneVerified: false }, alert: 'phone-unusable' },
    { name: 'no phone', wishes: { phone: null }, alert: 'phone-unusable' },
  ];
  for (const { name, wishes, alert } of quiet) {
    it(`FB-2 never rings ${name}: only the operators are called`, async () => {
      const district = await gateway.district();
      const panel = await gateway.panel(district.operators[0]!.id);
      const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, ...wishes });

      const id = await press(citizen, district.location);
      const initiated = await told(panel, id, 'phone-fallback-active');
      await callTo(gateway, district.operators[0]!.dutyPhone, ({ times }) => times.answeredAt !== null);
      const refused = await panel.client.redial(id).then(
        () => null,
        (error: unknown) => (error as { readonly code: string }).code,
      );

      expect(initiated.event.data.detail).to.deep.include({ mode: 'operators-only' });
      expect(await callsTo(gateway, citizen.phone ?? '+919800000000')).to.deep.equal([]);
      if (alert !== null) expect(await alertsOf(id)).to.include(alert);
      expect(refused, 'nor on the operator’s word').to.equal('ERR_SOS_PHASE');
      const calls = await gateway.carrier.fetchCalls();
      expect(calls.map((call: CallReport) => call.number)).to.deep.equal([district.operators[0]!.dutyPhone]);
    });
  }

  describe('redial', () => {
    let citizen: Citizen;

    it('FB-6 not reached, redial: the answered call is given up and she is called anew, into the same bridge', async () => {
      const district = await gateway.district();
      const panel = await gateway.panel(district.operators[0]!.id);
      citizen = await gateway.armedCitizen(district.location, NO_MEDIA);
      const id = await press(citizen, district.location);
      await told(panel, id, 'phone-connected');

      await panel.client.redial(id);
      const first = await callTo(gateway, citizen.phone, ({ state }) => state === 'ended');
      const second = await callTo(
        gateway,
        citizen.phone,
        (call) =>
          call.callId !== first.callId &&
          call.heard.some(({ hz }) => hz === phoneToneHz(district.operators[0]!.dutyPhone)),
      );

      expect(first.byeBy).to.equal('gateway');
      expect(second.times.inviteAt).to.be.above(first.times.answeredAt!);
      const view = await gateway.viewWhen(id, 'connected again', ({ phase }) => phase === 'phone-connected');
      expect(view.fallback?.callReference).to.equal(second.callId);
      expect(await callsTo(gateway, district.operators[0]!.dutyPhone), 'his call was held').to.have.length(1);
    });

    it('FB-6 is refused while her stream is live', async () => {
      const district = await gateway.district();
      const panel = await gateway.panel(district.operators[0]!.id);
      citizen = await gateway.armedCitizen(district.location);
      const id = await press(citizen, district.location);
      await told(panel, id, 'sos.active');

      const { token } = gateway.file.tokens.admin;
      const answer = await gateway.send(token, 'POST', `/v1/sos/${id}/redial`, { body: {} });

      expect(answer.status).to.equal(409);
      expect(answer.body).to.deep.include({ code: 'ERR_SOS_PHASE' });
      expect(await callsTo(gateway, citizen.phone)).to.deep.equal([]);
      expect(story(panel, id)).to.not.include('phone-fallback-active');
    });

    it('FB-6 nobody rings her by himself after she hung up: the operator is told, and may redial', async () => {
      const district = await gateway.district();
      const panel = await gateway.panel(district.operators[0]!.id);
      citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: '03' });
      const id = await press(citizen, district.location);
      await told(panel, id, 'phone-connected');
      const degraded = await panel.event(
        (event) =>
          event.sessionId === id &&
          event.type === 'sos.degraded' &&
          event.data.detail['reason'] === 'citizen-hung-up',
        10_000,
      );
      expect(degraded.event.data.session.alerts.map(({ kind }) => kind)).to.include('citizen-hung-up');
      expect(await callsTo(gateway, citizen.phone)).to.have.length(1);

      await panel.client.redial(id);
      await eventually('she is called again', async () =>
        (await callsTo(gateway, citizen.phone)).length === 2 ? true : null,
      );
    });
  });
});
