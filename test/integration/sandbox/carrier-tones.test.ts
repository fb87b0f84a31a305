import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIENT_TONES_HZ, phoneToneHz } from '../../../control-plane/sandbox/audio/tones.ts';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import { nowMs } from '../../../control-plane/sandbox/carrier/heard-tones.ts';
import { startCarrier, type Carrier } from '../../../control-plane/sandbox/carrier/start-carrier.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';
import { openSipCaller, type SipCall, type SipCaller } from '../../support/sip-caller.ts';

/** How far a tone's reported time may be from the time it was sent at. */
const ONSET_TOLERANCE_MS = 50;

describe('sandbox/carrier: tones in both directions (TEL-1)', function () {
  this.timeout(20_000);
  const runs = [makeRunDir('carrier'), makeRunDir('carrier')] as const;
  let carrier: Carrier;
  let report: CarrierReport;
  let caller: SipCaller;

  before(async () => {
    carrier = await startCarrier({ root: asteriskRootDir(), runDir: runs[0].runDir });
    report = createCarrierReport(carrier.reportUrl);
    caller = await openSipCaller(carrier);
  });
  after(async () => {
    caller.close();
    await carrier.stop();
    await Promise.all(runs.map(({ remove }) => remove()));
  });

  async function answered(to: string): Promise<SipCall> {
    const call = await caller.call({ to });
    await call.waitForStatus(200, 3_000);
    return call;
  }

  /** Looks every 10 ms until it holds. */
  async function eventually(holds: () => boolean, what: string, deadlineMs = 2_000): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
      await delay(10);
    }
  }

  it('each third digit plays its own tone', async () => {
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `+919812345${digit}00`);
    const calls = await Promise.all(numbers.map(answered));
    for (const [at, call] of calls.entries()) {
      const hz = phoneToneHz(numbers[at]!);
      await eventually(() => call.media.tones.some((tone) => tone.hz === hz), `${hz} Hz`);
      expect(call.media.tones).to.have.length(1);
      expect((await report.fetchCall(call.callId))?.phoneHz).to.equal(hz);
      call.bye();
    }
  });

  it('the phone hears a tone within 50 ms of its sending, tells its end and the next one', async () => {
    const call = await answered('+919812345000');
    await delay(300);
    const sent: { hz: number; atMs: number }[] = [];
    for (const hz of [1_300, 440, 1_900]) {
      sent.push({ hz, atMs: nowMs() });
      call.media.play(hz);
      await delay(300);
    }
    const stoppedAtMs = nowMs();
    call.media.play(undefined);
    const { heard } = await report.waitForCall(
      ({ callId, heard: tones }) => callId === call.callId && tones.length === 3,
      1_000,
    );
    await delay(150);
    const last = (await report.fetchCall(call.callId))?.heard.at(-1);
    expect(heard.map(({ hz }) => hz)).to.deep.equal(sent.map(({ hz }) => hz));
    for (const [at, { atMs }] of sent.entries())
      expect(heard[at]!.fromMs - atMs).to.be.within(-ONSET_TOLERANCE_MS, ONSET_TOLERANCE_MS);
    expect(last!.toMs! - stoppedAtMs).to.be.within(-ONSET_TOLERANCE_MS, ONSET_TOLERANCE_MS);
    for (const { levelDbfs } of heard) expect(levelDbfs).to.be.closeTo(-12.2, 1);
    call.bye();
  });

  it('01 plays its tone for 2 s, then sends back what it hears', async () => {
    const call = await answered('+919812345701');
    call.media.play(1_500);
    await eventually(() => call.media.tones.length === 1, 'its own tone');
    await eventually(() => call.media.tones.length === 2, 'the echo', 6_000);
    expect(call.media.tones.map(({ hz }) => hz)).to.deep.equal([phoneToneHz('+919812345701'), 1_500]);
    const [tone, echo] = call.media.tones;
    expect(echo!.recognisedAt - tone!.recognisedAt).to.be.within(1_900, 3_500);
    call.bye();
  });

  it('02 sends silence, and hears', async () => {
    const call = await answered('+919812345702');
    call.media.play(1_500);
    await report.waitForCall(({ callId, heard }) => callId === call.callId && heard[0]?.hz === 1_500, 1_000);
    expect(call.media.tones).to.deep.equal([]);
    expect(call.media.hears()).to.deep.include({ kind: 'silence', levelDbfs: call.media.hears().levelDbfs });
    await eventually(() => call.media.packetsReceived() > 10, 'packets of silence');
    call.bye();
  });

  it('RTC-8 carries twenty calls at once, each hearing its own tone and no other', async () => {
    const numbers = Array.from(
      { length: 20 },
      (_, at) => `+9198123${String(at).padStart(2, '0')}${at % 8}00`,
    );
    const calls = await Promise.all(numbers.map(answered));
    for (const [at, call] of calls.entries()) call.media.play(CLIENT_TONES_HZ[at % 8]);
    await delay(2_000);
    for (const [at, call] of calls.entries()) {
      const seen = await report.fetchCall(call.callId);
      // A machine that stands still for a moment breaks a tone in two: it is the same one.
      expect([...new Set(seen?.heard.map(({ hz }) => hz))]).to.deep.equal([CLIENT_TONES_HZ[at % 8]]);
      expect([...new Set(call.media.tones.map(({ hz }) => hz))]).to.deep.equal([phoneToneHz(numbers[at]!)]);
      expect(seen?.audio?.frames).to.be.greaterThan(90);
      call.bye();
    }
  });

  it('talks with a real Asterisk at the other end: a second carrier dials the first', async () => {
    const other = await startCarrier({
      root: asteriskRootDir(),
      runDir: runs[1].runDir,
      host: '127.0.0.3',
      gateway: carrier,
    });
    try {
      const otherReport = createCarrierReport(other.reportUrl);
      const placed = await otherReport.placeCall({ to: '+919812345703', from: '+911140000000' });
      expect(placed).to.deep.include({ finalStatus: 200, statuses: [100, 180, 200] });
      const here = await report.waitForCall(
        ({ callId, heard, byeBy }) => callId === placed.callId && heard.length > 0 && byeBy !== null,
        5_000,
      );
      const there = await otherReport.fetchCall(placed.callId);
      expect(here).to.deep.include({ behaviour: 'answer-hang-up', byeBy: 'carrier', phoneHz: 1_180 });
      expect(here.heard.map(({ hz }) => hz)).to.deep.equal([620]);
      expect(there?.heard.map(({ hz }) => hz)).to.deep.equal([1_180]);
      expect(there).to.include({ direction: 'into-gateway', state: 'ended' });
    } finally {
      await other.stop();
    }
  });
});
