/** The phone fallback with the times that servers have: five seconds, then both phones, then one bridge. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import { since } from '../../control-plane/sandbox/demo/stage.ts';
import { callTo, callsTo, heardAt } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { msOf, press, story, told } from './support/sos.ts';

/** Her app notices nothing: only the gateway's own deadlines act. */
const NEVER_MS = 60_000;
/** From the answers on; nobody commands for longer, with the time that the answers took. */
const CORE_AWAY_MS = 1_500;
const NO_MEDIA = { failIce: true, iceTimeoutMs: NEVER_MS } as const;

interface FallbackRecord {
  readonly fallback_failed_at: Date | null;
  readonly fallback_initiated_at: Date | null;
  readonly fallback_call_reference: string | null;
  readonly fallback_reason: string | null;
}

describe('e2e: the phone fallback', function () {
  this.timeout(40_000);
  const gateway = useGateway();

  const recordOf = async (id: string): Promise<FallbackRecord> => {
    const [record] = await gateway.sql<FallbackRecord>(
      `SELECT fallback_failed_at, fallback_initiated_at, fallback_call_reference, fallback_reason
       FROM session_record WHERE session_id = $1`,
      [id],
    );
    return record!;
  };

  it('FB-1 a stream that is active in time cancels the watchdog without side effects', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const well = await gateway.armedCitizen(district.location);
    const failing = await gateway.armedCitizen(district.location, NO_MEDIA);

    const id = await press(well, district.location);
    const timers = await gateway.sql<{ due_at: Date }>(
      `SELECT due_at FROM timers WHERE session_id = $1 AND timer = 'watchdog'`,
      [id],
    );
    await told(panel, id, 'sos.active');
    // Pressed later: when its watchdog has fired, the first one's time is over too.
    await press(failing, district.location);
    await callTo(gateway, failing.phone);

    const { activatedAt, fallback, phase } = await gateway.view(id);
    expect(timers[0]!.due_at.getTime() - Date.parse(activatedAt!)).to.be.within(4999, 5001);
    expect(
      await gateway.sql(`SELECT 1 FROM timers WHERE session_id = $1 AND timer = 'watchdog'`, [id]),
    ).to.have.length(0);
    expect({ phase, fallback }).to.deep.equal({ phase: 'active', fallback: null });
    expect(await callsTo(gateway, well.phone)).to.deep.equal([]);
    expect(Object.values(await recordOf(id))).to.deep.equal([null, null, null, null]);
    expect(story(panel, id)).to.not.include('phone-fallback-active');
  });

  it('FB-2 FB-3 FB-4 FB-5 FB-9 calls both phones at five seconds, bridges them, and lets go of WebRTC', async () => {
    const district = await gateway.district();
    const [operator] = district.operators;
    const panel = await gateway.panel(operator!.id);
    const citizen = await gateway.armedCitizen(district.location, NO_MEDIA);

    const id = await press(citizen, district.location);
    const initiated = await told(panel, id, 'phone-fallback-active');
    const [hers, his] = await Promise.all([
      callTo(gateway, citizen.phone),
      callTo(gateway, operator!.dutyPhone),
    ]);
    const connected = await told(panel, id, 'phone-connected');
    await Promise.all([
      heardAt(gateway, citizen.phone, phoneToneHz(operator!.dutyPhone)),
      heardAt(gateway, operator!.dutyPhone, phoneToneHz(citizen.phone!)),
    ]);
    const bridge = await eventually('the two phones alone are bridged', async () => {
      const channels = (await gateway.witness.channels()).map((channel) => channel.id);
      const [only, ...others] = await gateway.witness.bridges();
      return channels.length === 2 && others.length === 0 ? (only ?? null) : null;
    });

    const timeline = await gateway.timeline(id);
    const due = msOf(timeline, 'watchdog-due')!;
    const started = msOf(timeline, 'fallback-initiated')!;
    expect(due, 'FB-1: five seconds from the activation').to.be.at.least(5000);
    for (const { times } of [hers, his])
      expect(since(timeline, times.inviteAt)! - 5000, 'FB-2: INVITE after the watchdog').to.be.within(
        0,
        2000,
      );
    expect(since(timeline, initiated.at)! - started, 'FB-5: panel told').to.be.within(-1, 1000);
    expect(initiated.event.data.detail).to.deep.include({ reason: 'timeout', mode: 'both' });
    expect(bridge.id).to.equal(`${id}.phone`);
    expect(bridge.technology, 'FB-3: two legs joined, nothing mixed').to.be.oneOf([
      'native_rtp',
      'simple_bridge',
    ]);
    expect(bridge.members).to.have.members([`${id}.citizen-phone.1`, `${id}.operator-phone.1`]);
    expect(connected.event.data.session.phase).to.equal('phone-connected');
    await eventually('FB-9: her app was hung up on', () =>
      citizen.legs.every((leg) => leg.endedAt !== null) ? true : null,
    );
    await eventually('FB-9: so was the panel', () =>
      panel.legs.every((leg) => leg.endedAt !== null) ? true : null,
    );
    const record = await recordOf(id);
    expect(record.fallback_reason).to.equal('timeout');
    expect(record.fallback_call_reference, "FB-4: the provider's own reference").to.equal(hers.callId);
    expect(record.fallback_failed_at!.getTime() - Date.parse(timeline.activatedAt!)).to.be.within(4999, 7000);
    expect(record.fallback_initiated_at!.getTime()).to.be.at.least(record.fallback_failed_at!.getTime());
    for (const call of [hers, his]) {
      expect(call.pAssertedIdentity?.user, 'TEL-2').to.equal('+911140000100');
      expect(call.privacy, 'TEL-2').to.equal(null);
    }
  });

  it('RTC-7 FB-2 FB-4 calls at once after two signalling errors, and the record tells them from a timeout', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { rejectWith: 488 });

    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-fallback-active');
    const hers = await callTo(gateway, citizen.phone);

    const timeline = await gateway.timeline(id);
    expect(since(timeline, hers.times.inviteAt), 'five seconds are a ceiling').to.be.below(5000);
    expect(citizen.legs, 'the attempt and its one retry').to.have.length(2);
    expect(await recordOf(id)).to.deep.include({ fallback_reason: 'signalling-error' });
    expect((await gateway.view(id)).fallback).to.deep.include({ detail: 'sip-488', mode: 'both' });
  });

  it('FB-2 FB-3 both phones are answered while no core runs: the same two calls go on when it is back', async () => {
    const district = await gateway.district({ operators: [{ phone: '33' }] });
    const [operator] = district.operators;
    const citizen = await gateway.armedCitizen(district.location, { rejectWith: 488, phone: '33' });
    const id = await press(citizen, district.location);
    const phones = [citizen.phone, operator!.dutyPhone];
    await Promise.all(
      phones.map((number) => callTo(gateway, number, ({ times }) => times.ringingAt !== null)),
    );

    const { sandbox } = gateway;
    await sandbox.controlPlane().kill();
    await Promise.all(phones.map((number) => callTo(gateway, number, ({ state }) => state === 'live')));
    await delay(CORE_AWAY_MS);
    await sandbox.restartControlPlane();

    await Promise.all([
      heardAt(gateway, citizen.phone, phoneToneHz(operator!.dutyPhone)),
      heardAt(gateway, operator!.dutyPhone, phoneToneHz(citizen.phone!)),
    ]);
    expect((await gateway.view(id)).phase).to.equal('phone-connected');
    for (const number of phones)
      expect(await callsTo(gateway, number), 'calls to one phone').to.have.length(1);
    const ids = (await gateway.witness.channels()).map((channel) => channel.id);
    expect(ids).to.have.members([`${id}.citizen-phone.1`, `${id}.operator-phone.1`]);
  });

  it('FB-2 an app that answers with an error of its own is a signalling error too', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { rejectWith: 500 });

    const id = await press(citizen, district.location);
    const degraded = await told(panel, id, 'sos.degraded');
    await told(panel, id, 'phone-fallback-active');

    expect(degraded.event.data.detail).to.deep.equal({ reason: 'signalling-error-sip-500' });
    expect(await recordOf(id)).to.deep.include({ fallback_reason: 'signalling-error' });
    expect(msOf(await gateway.timeline(id), 'fallback-initiated')).to.be.below(5000);
  });

  it('FB-4 an app whose ICE fails says so, and the fallback does not wait for the ceiling', async () => {
    const district = await gateway.district();
    const panel = await gateway.panel(district.operators[0]!.id);
    const citizen = await gateway.armedCitizen(district.location, { failIce: true, iceTimeoutMs: 500 });

    const id = await press(citizen, district.location);
    await told(panel, id, 'phone-fallback-active');

    expect((await gateway.view(id)).fallback).to.deep.include({
      reason: 'signalling-error',
      detail: 'media-failed',
    });
    expect(msOf(await gateway.timeline(id), 'fallback-initiated')).to.be.below(5000);
  });
});
