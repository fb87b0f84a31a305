/** FB-8: the stream against the call. One of them wins, the other goes without a trace, whatever the interleaving. */
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { Location } from '../../control-plane/src/contracts/common.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import type { HeadlessOperator } from '../support/headless/index.ts';
import { useGateway } from './support/gateway.ts';
import { gate, holdAnswers, press, story, told } from './support/sos.ts';

/** A phone of the simulator answers this long after the INVITE (`00`). */
const ANSWERS_AFTER_MS = 1000;

describe('e2e: the stream against the call', function () {
  this.timeout(30_000);
  const gateway = useGateway({
    env: {
      HAMRAHI_WATCHDOG_MS: '1000',
      HAMRAHI_FIRST_RETRY_MS: '600',
      HAMRAHI_OPERATOR_RING_MS: '2500',
    },
  });

  const fallbackColumns = async (id: string): Promise<unknown[]> => {
    const [record] = await gateway.sql<Record<string, unknown>>(
      `SELECT fallback_failed_at, fallback_initiated_at, fallback_call_reference, fallback_reason
       FROM session_record WHERE session_id = $1`,
      [id],
    );
    return Object.values(record!);
  };

  it('FB-8 the stream wins while the phones ring: both calls cancelled, the record nulled, the feed retracts', async () => {
    const district = await gateway.district({ operators: [{ phone: '20' }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const late = gate();
    const citizen = await gateway.armedCitizen(district.location, { phone: '20', toneHz: 1300 });
    holdAnswers(citizen, late.opened);

    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-fallback-active');
    const numbers = [citizen.phone, district.operators[0]!.dutyPhone];
    for (const number of numbers) await callTo(gateway, number, ({ times }) => times.ringingAt !== null);
    late.open();
    const retracted = await told(panel, id, 'phone-fallback-retracted');
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1300, 10_000)]);

    for (const number of numbers) {
      const call = await callTo(gateway, number, ({ state }) => state === 'ended');
      expect(call.times.cancelAt, 'the carrier saw our CANCEL').to.not.equal(null);
      expect(call.finalStatus).to.equal(487);
      expect(
        call.cancelReasons.map(({ protocol, cause }) => `${protocol} ${String(cause)}`),
        'completed elsewhere: no missed call is shown',
      ).to.include('Q.850 26');
      expect(await callsTo(gateway, number)).to.have.length(1);
    }
    expect(await fallbackColumns(id)).to.deep.equal([null, null, null, null]);
    expect(retracted.event.data.session.fallback).to.equal(null);
    expect(await gateway.view(id)).to.deep.include({ phase: 'active', fallback: null });
    await eventually('no phone leg is left', async () => {
      const ids = (await gateway.witness.channels()).map((channel) => channel.id);
      return ids.some((leg) => leg.includes('-phone.')) ? null : true;
    });
    const kept = await gateway.sql<{ kind: string }>(
      `SELECT kind FROM legs WHERE session_id = $1 AND kind LIKE '%-phone' ORDER BY kind`,
      [id],
    );
    expect(
      kept.map(({ kind }) => kind),
      'the call records stay',
    ).to.deep.equal(['citizen-phone', 'operator-phone']);
  });

  it('FB-8 her 200 that crosses the CANCEL is answered and hung up at once: no ring, no voice, no record', async () => {
    const district = await gateway.district({ operators: [{ phone: '20' }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const late = gate();
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1300 });
    holdAnswers(citizen, late.opened);
    // The carrier gets the CANCEL only after its 200 has gone out.
    await gateway.carrier.addFault({
      number: citizen.phone!,
      from: 'gateway',
      method: 'CANCEL',
      action: { do: 'delay', delayMs: ANSWERS_AFTER_MS },
    });

    const id = await press(citizen, district.location);
    await callTo(gateway, citizen.phone, ({ times }) => times.ringingAt !== null);
    late.open();
    await told(panel, id, 'phone-fallback-retracted');
    const call = await callTo(gateway, citizen.phone, ({ state }) => state === 'ended');
    const leg = await eventually('the call is on its record', async () => {
      const [row] = await gateway.sql<{ outcome: string | null }>(
        `SELECT outcome FROM legs WHERE session_id = $1 AND kind = 'citizen-phone'`,
        [id],
      );
      return row?.outcome ?? null;
    });

    expect(call.times.answeredAt, 'the 200 crossed').to.not.equal(null);
    expect(call.times.ackAt, 'it was acknowledged').to.not.equal(null);
    expect(call.byeBy).to.equal('gateway');
    expect(call.times.byeAt! - call.times.answeredAt!, 'at once').to.be.below(500);
    expect(call.heard, 'she heard nobody').to.deep.equal([]);
    expect(await callsTo(gateway, citizen.phone), 'and her phone rings no more').to.have.length(1);
    expect(await gateway.view(id)).to.deep.include({ phase: 'active', fallback: null, heard: true });
    expect(await fallbackColumns(id)).to.deep.equal([null, null, null, null]);
    expect(story(panel, id)).to.not.include('phone-connected');
    expect(leg).to.be.oneOf(['completed', 'cancelled']);
  });

  it('FB-8 a device that registers only while her phone rings wins too', async () => {
    const district = await gateway.district({ operators: [{ phone: '20' }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.citizen({ phone: '20' });
    const answer = await gateway.send(citizen.token, 'POST', '/v1/sos', {
      body: { deviceId: 'phone1', location: district.location },
    });
    const { id } = answer.body as { readonly id: string };

    const fallback = await told(panel, id, 'phone-fallback-active');
    await callTo(gateway, citizen.phone, ({ times }) => times.ringingAt !== null);
    citizen.client.resume(id);
    await told(panel, id, 'sos.active');

    expect(fallback.event.data.detail).to.deep.include({ reason: 'timeout', detail: 'timeout-no-contact' });
    const call = await callTo(gateway, citizen.phone, ({ state }) => state === 'ended');
    expect(call.times.cancelAt).to.not.equal(null);
    expect(await fallbackColumns(id)).to.deep.equal([null, null, null, null]);
  });

  it('FB-8 the call wins once her phone has answered: a stream that comes later is given up cleanly', async () => {
    // The first duty phone never answers, so that she waits in her call while her app comes up.
    const district = await gateway.district({ operators: [{ phone: '20' }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const late = gate();
    const citizen = await gateway.armedCitizen(district.location);
    holdAnswers(citizen, late.opened);

    const id = await press(citizen, district.location);
    await gateway.viewWhen(id, 'her phone answered', ({ phase }) => phase === 'phone-connected', 10_000);
    late.open();
    await told(panel, id, 'sos.streaming');
    const whileHeld = await gateway.view(id);
    const connected = await told(panel, id, 'phone-connected', 15_000);
    await heardAt(gateway, district.supervisor!.dutyPhone, phoneToneHz(citizen.phone!));
    await eventually('WebRTC is gone from Asterisk', async () => {
      const ids = (await gateway.witness.channels()).map((channel) => channel.id);
      return ids.some((leg) => leg.includes('-app.')) ? null : true;
    });
    await eventually('her app was hung up on', () =>
      citizen.legs.every((leg) => leg.endedAt !== null) ? true : null,
    );

    expect(whileHeld).to.deep.include({ phase: 'phone-connected' });
    expect(connected.event.data.session.phase).to.equal('phone-connected');
    expect(story(panel, id)).to.not.include('phone-fallback-retracted');
    expect(story(panel, id)).to.not.include('sos.active');
    expect((await fallbackColumns(id)).every((column) => column !== null)).to.equal(true);
    expect(
      citizen.legs.filter((leg) => leg.ended?.how === 'cancelled' || leg.ended?.how === 'hung-up'),
    ).to.have.length(citizen.legs.length);
  });

  it('FB-8 whatever the interleaving, exactly one of them stands, and the other leaves nothing', async function () {
    this.timeout(60_000);
    const district = await gateway.district({ operators: [{ capacity: 20 }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    // Media take some 150 ms from the answer: the openings straddle the moment when her phone answers.
    const openings = [-750, -350, -250, -200, -150, -100, -50, 100].map(
      (offset) => ANSWERS_AFTER_MS + offset,
    );

    const ends = await Promise.all(openings.map((afterMs) => race(panel, district.location, afterMs)));

    const kinds = new Set(ends.map(({ phase }) => phase));
    for (const phase of kinds) expect(phase).to.be.oneOf(['active', 'phone-connected']);
    expect([...kinds], 'both outcomes were met, or the offsets no longer straddle').to.have.length(2);
  });

  /** One SOS whose media come `afterMs` after the carrier got the INVITE for her phone; its settled end is checked. */
  async function race(panel: HeadlessOperator, location: Location, afterMs: number): Promise<SessionView> {
    const late = gate();
    const citizen = await gateway.armedCitizen(location);
    holdAnswers(citizen, late.opened);
    const id = await press(citizen, location);
    const call = await callTo(gateway, citizen.phone);
    const waitMs = call.times.inviteAt + afterMs - Date.now();
    setTimeout(late.open, Math.max(0, waitMs));
    await Promise.race([told(panel, id, 'sos.active'), told(panel, id, 'phone-connected')]);
    const view = await eventually('one of the two stands alone', async () => {
      const legs = (await gateway.witness.channels())
        .map((leg) => leg.id)
        .filter((leg) => leg.startsWith(id));
      const [apps, phones] = ['-app.', '-phone.'].map(
        (part) => legs.filter((leg) => leg.includes(part)).length,
      );
      return apps === 0 || phones === 0 ? await gateway.view(id) : null;
    });
    const ended = await callTo(gateway, citizen.phone).then(({ callId }) =>
      gateway.carrier.fetchCall(callId),
    );
    const columns = await fallbackColumns(id);
    if (view.phase === 'active') {
      expect(columns, `opened after ${afterMs} ms`).to.deep.equal([null, null, null, null]);
      expect(ended?.state).to.equal('ended');
    } else {
      expect(columns.every((column) => column !== null)).to.equal(true);
      expect(ended?.state).to.equal('live');
      expect(story(panel, id)).to.not.include('phone-fallback-retracted');
    }
    return view;
  }
});
