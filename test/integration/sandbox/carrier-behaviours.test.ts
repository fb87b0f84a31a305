import { expect } from 'chai';
import { BEHAVIOURS, type Behaviour } from '../../../control-plane/sandbox/carrier/behaviours.ts';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import { startCarrier, type Carrier } from '../../../control-plane/sandbox/carrier/start-carrier.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';
import { openSipCaller, type SipCall, type SipCaller } from '../../support/sip-caller.ts';

/** How much earlier and later than the table a message may come, on a machine that does other work. */
const EARLY_MS = 10;
const LATE_MS = 900;

/** What a row of the table must look like on the wire. */
function expectedStatuses(behaviour: Behaviour): { status: number; atMs: number }[] {
  return behaviour.steps.flatMap((step) => {
    switch (step.do) {
      case 'ring':
        return [{ status: 180, atMs: step.atMs }];
      case 'early-media':
        return [{ status: 183, atMs: step.atMs }];
      case 'answer':
        return [{ status: 200, atMs: step.atMs }];
      case 'refuse':
        return [{ status: step.status, atMs: step.atMs }];
      case 'hang-up':
        return [];
    }
  });
}

describe('sandbox/carrier: every behaviour on the wire (TEL-5)', function () {
  this.timeout(25_000);
  const { runDir, remove } = makeRunDir('carrier');
  const calls = new Map<string, SipCall>();
  let carrier: Carrier;
  let report: CarrierReport;
  let caller: SipCaller;

  before(async () => {
    carrier = await startCarrier({ root: asteriskRootDir(), runDir });
    report = createCarrierReport(carrier.reportUrl);
    caller = await openSipCaller(carrier);
    // All at once: the rows do not disturb each other, and the slowest takes 12 s.
    for (const behaviour of BEHAVIOURS)
      calls.set(behaviour.name, await caller.call({ to: `+9198100120${behaviour.digits}` }));
  });
  after(async () => {
    caller.close();
    await carrier.stop();
    await remove();
  });
  const callOf = ({ name }: { name: string }): SipCall => calls.get(name)!;

  for (const behaviour of BEHAVIOURS.filter(({ steps }) => steps.length > 0)) {
    const expected = expectedStatuses(behaviour);
    const sequence = expected.map(({ status, atMs }) => `${status} at ${atMs} ms`).join(', ');

    it(`${behaviour.digits} ${behaviour.name}: ${sequence}`, async () => {
      const call = callOf(behaviour);
      for (const { status, atMs } of expected) {
        const { afterMs } = await call.waitForStatus(status, 15_000);
        expect(afterMs, `${status}`).to.be.within(atMs - EARLY_MS, atMs + LATE_MS);
      }
      expect(call.responses.map(({ status }) => status)).to.deep.equal(expected.map(({ status }) => status));

      const seen = await report.waitForCall(
        ({ callId, statuses }) => callId === call.callId && statuses.length === expected.length + 1,
        1_000,
      );
      expect(seen.statuses.map(({ status }) => status)).to.deep.equal([
        100,
        ...expected.map(({ status }) => status),
      ]);
      expect(seen.behaviour).to.equal(behaviour.name);
      for (const { status, atMs } of expected) {
        const { at } = seen.statuses.find((one) => one.status === status)!;
        expect(at - seen.times.inviteAt).to.be.within(atMs - EARLY_MS, atMs + LATE_MS);
      }
    });
  }

  it('99 no-reply: not even 100, but OPTIONS is answered and the INVITE is reported', async () => {
    expect(await caller.options(1_000)).to.equal(200);
    const call = calls.get('no-reply')!;
    const seen = await report.fetchCall(call.callId);
    expect(seen).to.include({ behaviour: 'no-reply', finalStatus: null, state: 'live' });
    expect(seen?.statuses).to.deep.equal([]);
    expect(performance.now() - call.invitedAt).to.be.greaterThan(2_000);
    expect((await report.fetchMessages(call.callId)).map(({ fate }) => fate)).to.deep.equal(['unanswered']);
  });

  it('20 ring-for-ever: rings until it is cancelled, then 487', async () => {
    const call = calls.get('ring-for-ever')!;
    expect(performance.now() - call.invitedAt).to.be.greaterThan(2_000);
    call.cancel('Q.850;cause=16;text="Normal Clearing", SIP;cause=487');
    await call.waitForStatus(487, 1_000);
    const seen = await report.fetchCall(call.callId);
    expect(seen).to.include({ state: 'ended', finalStatus: 487 });
    expect(seen?.cancelReasons).to.deep.equal([
      { protocol: 'Q.850', cause: 16, text: 'Normal Clearing' },
      { protocol: 'SIP', cause: 487, text: null },
    ]);
    expect(seen?.times.cancelAt).to.be.within(seen?.times.ringingAt ?? Infinity, seen?.times.endedAt ?? 0);
  });

  it('03 answer-hang-up: BYE 3 s after the answer, with the reason of a normal clearing', async () => {
    const call = calls.get('answer-hang-up')!;
    const { afterMs } = await call.waitForBye(5_000);
    expect(afterMs).to.be.within(4_000 - EARLY_MS, 4_000 + LATE_MS);
    const seen = await report.fetchCall(call.callId);
    expect(seen).to.include({ byeBy: 'carrier', state: 'ended' });
    expect(seen?.byeReasons).to.deep.equal([{ protocol: 'Q.850', cause: 16, text: null }]);
    expect(seen?.times.byeAt).to.equal(seen?.times.endedAt);
  });

  it('63 declined: 603 on the wire and in the report, with its Q.850 cause', async () => {
    const seen = await report.fetchCall(calls.get('declined')!.callId);
    expect(seen).to.include({ finalStatus: 603 });
    expect(seen?.finalReasons).to.deep.equal([{ protocol: 'Q.850', cause: 21, text: null }]);
    expect(calls.get('declined')?.responses.at(-1)).to.include({ status: 603, phrase: 'Decline' });
  });

  it('an answered phone stays on the line though it hears nothing', async () => {
    for (const name of ['answer-tone', 'answer-echo', 'answer-silent', 'early-media-answer']) {
      const call = calls.get(name)!;
      expect(performance.now() - call.invitedAt).to.be.greaterThan(8_000);
      const seen = await report.fetchCall(call.callId);
      expect(seen, JSON.stringify(seen)).to.include({ state: 'live', byeBy: null });
    }
  });

  it('183 carries SDP and sound before the answer', () => {
    for (const name of ['early-media-answer', 'slow-mobile', 'switched-off']) {
      const call = calls.get(name)!;
      const progress = call.responses.find(({ status }) => status === 183)!;
      expect(progress.message.body).to.match(/^m=audio \d+ RTP\/AVP 8 /m);
      expect(call.media.packetsReceived(), name).to.be.greaterThan(20);
    }
  });

  it('TEL-5 a number whose last digits are in no row answers like 00, in each of the four forms', async () => {
    for (const to of ['+919810012077', '919810012077', '09810012077', '9810012077']) {
      const call = await caller.call({ to });
      await call.waitForStatus(200, 2_000);
      call.bye();
      const seen = await report.fetchCall(call.callId);
      expect(seen).to.include({ behaviour: 'answer-tone', number: '+919810012077', dialled: to });
    }
  });

  it('TEL-5 what is no Indian number is refused with 404', async () => {
    for (const to of ['112', '+14155550100', '+91981001200', 'anybody']) {
      const call = await caller.call({ to });
      await call.waitForStatus(404, 1_000);
      expect(await report.fetchCall(call.callId)).to.include({ number: null, behaviour: null, dialled: to });
    }
  });
});
