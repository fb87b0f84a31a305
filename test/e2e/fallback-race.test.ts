/** FB-8: the stream against the call. One of them wins, the other goes without a trace, whatever the interleaving. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import type { Location } from '../../control-plane/src/contracts/common.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import type { HeadlessOperator } from '../../control-plane/client/headless/index.ts';
import { useGateway } from './support/gateway.ts';
import { gate, holdAnswers, press, story, told } from './support/sos.ts';

/** A phone of the simulator answers this long after the INVITE (`00`). */
const ANSWERS_AFTER_MS = 1000;
/** Who wins is asked here, not how fast; the limits have tests of their own. */
const PATIENCE_MS = 30_000;

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
    expect(call.times.byeAt! - call.times.answeredAt!, 'at once').to.be.below(2000);
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

  it('FB-8 whatever the interleaving, what was committed first stands, and the other leaves nothing', async function () {
    this.timeout(90_000);
    const district = await gateway.district({ operators: [{ capacity: 20 }] });
    const panel = await gateway.panel(district.operators[0]!.id);
    const ends = await Promise.all(OPENINGS.map((opening) => race(panel, district.location, opening)));

    expect(ends.at(0), 'her phone never answers').to.equal('active');
    expect(ends.at(-1), 'her media come when the phones talk').to.equal('phone-connected');
  });

  /** One SOS whose app answers at `opens`; its settled end is held against what was committed first. Returns it. */
  async function race(
    panel: HeadlessOperator,
    location: Location,
    { name, phone, opens }: Opening,
  ): Promise<SessionView['phase']> {
    const late = gate();
    const citizen = await gateway.armedCitizen(location, phone === undefined ? {} : { phone });
    holdAnswers(citizen, late.opened);
    const id = await press(citizen, location);
    const call = await callTo(gateway, citizen.phone, ({ times }) => times.ringingAt !== null, PATIENCE_MS);
    await opens(call, () => told(panel, id, 'phone-connected', PATIENCE_MS));
    late.open();
    await Promise.race(
      (['sos.active', 'phone-connected'] as const).map((type) => told(panel, id, type, PATIENCE_MS)),
    );
    const view = await eventually(
      `${name}: one of the two stands alone`,
      async () => {
        const legs = (await gateway.witness.channels())
          .map((leg) => leg.id)
          .filter((leg) => leg.startsWith(id));
        const isGone = (part: string): boolean => !legs.some((leg) => leg.includes(part));
        return isGone('-app.') || isGone('-phone.') ? await gateway.view(id) : null;
      },
      PATIENCE_MS,
    );
    expect(view.phase, name).to.equal(await winnerOf(id));
    const columns = await fallbackColumns(id);
    const hers = (await callsTo(gateway, citizen.phone)).at(0)!;
    if (view.phase === 'active') {
      // On a slow machine the duty phone may be answered before her packets come: it joins her stream, and that stays on record.
      const onDutyPhone = view.fallback?.mode === 'operators-only';
      expect(
        columns.map((column) => column !== null),
        name,
      ).to.deep.equal(Array(4).fill(onDutyPhone));
      await callTo(gateway, citizen.phone, ({ state }) => state === 'ended', PATIENCE_MS);
    } else {
      expect(
        columns.every((column) => column !== null),
        name,
      ).to.equal(true);
      expect(hers.state, name).to.equal('live');
      expect(story(panel, id), name).to.not.include('phone-fallback-retracted');
    }
    expect(await callsTo(gateway, citizen.phone), `${name}: no second call`).to.have.length(1);
    return view.phase;
  }

  /** By the order in which the two facts were committed, and by nothing else. */
  async function winnerOf(id: string): Promise<SessionView['phase']> {
    const events = await gateway.sql<{ type: string; leg: string | null }>(
      `SELECT type, event->>'legId' AS leg FROM session_events WHERE session_id = $1 ORDER BY seq`,
      [id],
    );
    const placeOf = (type: string, kind: string): number => {
      const place = events.findIndex((one) => one.type === type && one.leg?.includes(`.${kind}.`));
      return place === -1 ? Infinity : place;
    };
    // A duty phone that is answered joins her stream as soon as there is one.
    const heard = Math.min(placeOf('panel.heard', 'operator-app'), placeOf('pbx.answered', 'operator-phone'));
    const active = Math.max(placeOf('media.streaming', 'citizen-app'), heard);
    return active < placeOf('pbx.answered', 'citizen-phone') ? 'active' : 'phone-connected';
  }
});

/** When her app answers; it is called once her phone rings. */
interface Opening {
  readonly name: string;
  /** The last digits of her number, when it is not one that answers. */
  readonly phone?: string;
  readonly opens: (call: CallReport, phonesTalk: () => Promise<unknown>) => Promise<unknown>;
}

/** Media take some 150 ms from the answer on a quiet machine: the times straddle the moment when her phone answers. */
const AROUND_THE_ANSWER_MS = [-350, -250, -200, -150, -100, -50, 0, 100];

/** The first and the last wait for each other's facts, so that both ends are met on a machine of any speed. */
const OPENINGS: readonly Opening[] = [
  { name: 'her phone rings on', phone: '20', opens: () => Promise.resolve() },
  ...AROUND_THE_ANSWER_MS.map((ms) => ({
    name: `${ms} ms after her phone answers`,
    opens: ({ times }: CallReport) => delay(times.inviteAt + ANSWERS_AFTER_MS + ms - Date.now()),
  })),
  { name: 'the phones talk', opens: (_call, phonesTalk) => phonesTalk() },
];
