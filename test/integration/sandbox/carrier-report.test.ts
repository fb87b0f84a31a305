import { expect } from 'chai';
import {
  createCarrierReport,
  type CarrierReport,
} from '../../../control-plane/sandbox/carrier/carrier-report.ts';
import { startCarrier, type Carrier } from '../../../control-plane/sandbox/carrier/start-carrier.ts';
import { asteriskRootDir, makeRunDir } from '../../support/sandbox-roots.ts';
import { openSipCaller, type SipCaller } from '../../support/sip-caller.ts';

describe('sandbox/carrier: what it reports and what it does on request (TEL-2, TEL-5)', function () {
  this.timeout(15_000);
  const { runDir, remove } = makeRunDir('carrier');
  let carrier: Carrier;
  let report: CarrierReport;
  let caller: SipCaller;

  before(async () => {
    carrier = await startCarrier({ root: asteriskRootDir(), runDir });
    report = createCarrierReport(carrier.reportUrl);
    caller = await openSipCaller(carrier);
  });
  after(async () => {
    caller.close();
    await carrier.stop();
    await remove();
  });
  beforeEach(async () => {
    await report.clearFaults();
    await report.reset();
  });

  it('tells the identity that the gateway presented, header by header', async () => {
    const call = await caller.call({
      to: '09412345046',
      from: '+911140000001',
      userPhone: true,
      payloadTypes: '8 0 101',
      headers: [
        'P-Asserted-Identity: "Ham Rahi SOS" <sip:+911140000002@trunk.example;user=phone>',
        'P-Preferred-Identity: <sip:+911140000003@trunk.example>',
        'Privacy: none',
        'User-Agent: gateway under test',
      ],
    });
    await call.waitForStatus(486, 2_000);
    const seen = await report.fetchCall(call.callId);
    expect(seen).to.deep.include({
      direction: 'from-gateway',
      dialled: '09412345046',
      number: '+919412345046',
      numberForm: 'national_0',
      operatorSeries: 'bsnl',
      behaviour: 'busy',
      userPhone: true,
      privacy: 'none',
      userAgent: 'gateway under test',
      mediaDirection: 'sendrecv',
      finalStatus: 486,
      state: 'ended',
      finalReasons: [{ protocol: 'Q.850', cause: 17, text: null }],
      codecs: [
        { payloadType: 8, name: 'PCMA', clockRateHz: 8_000 },
        { payloadType: 0, name: 'PCMU', clockRateHz: 8_000 },
        { payloadType: 101, name: 'TELEPHONE-EVENT', clockRateHz: 8_000 },
      ],
    });
    expect(seen?.requestUri).to.equal(`sip:09412345046@${carrier.host}:${carrier.port};user=phone`);
    expect(seen?.from).to.include({ displayName: 'Ham Rahi', user: '+911140000001', userPhone: true });
    expect(seen?.to).to.include({ user: '09412345046', userPhone: true });
    expect(seen?.pAssertedIdentity).to.include({
      displayName: 'Ham Rahi SOS',
      user: '+911140000002',
      userPhone: true,
    });
    expect(seen?.pPreferredIdentity).to.include({ displayName: null, user: '+911140000003' });
  });

  it('reports what is absent as null', async () => {
    const call = await caller.call({ to: '+911123456746' });
    await call.waitForStatus(486, 2_000);
    expect(await report.fetchCall(call.callId)).to.include({
      operatorSeries: 'landline',
      pAssertedIdentity: null,
      pPreferredIdentity: null,
      privacy: null,
      userPhone: false,
      audio: null,
    });
  });

  it('TEL-1 tells the four operators apart by series', async () => {
    const operators = {
      '+917012345046': 'jio',
      '+919812345046': 'airtel',
      '+919912345046': 'vi',
      '+919412345046': 'bsnl',
    };
    for (const [to, operator] of Object.entries(operators)) {
      const call = await caller.call({ to });
      await call.waitForStatus(486, 2_000);
      expect((await report.fetchCall(call.callId))?.operatorSeries).to.equal(operator);
    }
  });

  it('dates every step, in order, on the wall clock', async () => {
    const before = Date.now();
    const call = await caller.call({ to: '+919812345000' });
    await call.waitForStatus(200, 2_000);
    call.bye('SIP;cause=200;text="fallback won; stream ended", Q.850;cause=16');
    const seen = await report.waitForCall(({ state }) => state === 'ended', 2_000);
    const { inviteAt, tryingAt, ringingAt, answeredAt, ackAt, byeAt, endedAt, progressAt, cancelAt } =
      seen.times;
    const inOrder = [before - 2, inviteAt, tryingAt, ringingAt, answeredAt, ackAt, byeAt, Date.now() + 2].map(
      Number,
    );
    expect(inOrder).to.deep.equal(inOrder.toSorted((one, other) => one - other));
    expect([progressAt, cancelAt]).to.deep.equal([null, null]);
    expect(endedAt).to.equal(byeAt);
    expect(seen.byeBy).to.equal('gateway');
    expect(seen.byeReasons).to.deep.equal([
      { protocol: 'SIP', cause: 200, text: 'fallback won; stream ended' },
      { protocol: 'Q.850', cause: 16, text: null },
    ]);
  });

  it('lists calls by number in any form, keeps their messages, and forgets them on demand', async () => {
    const first = await caller.call({ to: '+919812345046' });
    const second = await caller.call({ to: '+919812345146' });
    await first.waitForStatus(486, 2_000);
    await second.waitForStatus(486, 2_000);
    expect((await report.fetchCalls()).map(({ callId }) => callId)).to.deep.equal([
      first.callId,
      second.callId,
    ]);
    for (const number of ['+919812345146', '09812345146', '9812345146'])
      expect((await report.fetchCalls({ number })).map(({ callId }) => callId)).to.deep.equal([
        second.callId,
      ]);
    const messages = await report.fetchMessages(first.callId);
    expect(messages.map(({ startLine }) => startLine.replace(/ sip:\S+/, ''))).to.deep.equal([
      'INVITE SIP/2.0',
      'SIP/2.0 100 Trying',
      'SIP/2.0 486 Busy Here',
      'ACK SIP/2.0',
    ]);
    const times = messages.map(({ monotonicMs }) => monotonicMs);
    expect(times).to.deep.equal(times.toSorted((one, other) => one - other));
    await report.reset();
    expect(await report.fetchCalls()).to.deep.equal([]);
    expect(await report.fetchCall(first.callId)).to.equal(undefined);
  });

  it('answers OPTIONS with 200, through the front, and keeps it', async () => {
    expect(await caller.options(1_000)).to.equal(200);
    const lines = (await report.fetchMessagesOutsideCalls()).map(
      ({ from, startLine }) => `${from} ${startLine}`,
    );
    expect(lines).to.deep.equal([
      `gateway OPTIONS sip:${carrier.host}:${carrier.port} SIP/2.0`,
      'carrier SIP/2.0 200 OK',
    ]);
  });

  it('leaves no trace of the front in what the gateway receives', async () => {
    const call = await caller.call({ to: '+919812345003' });
    const { message } = await call.waitForStatus(200, 2_000);
    expect(message.headers.get('via')?.[0]).to.match(
      new RegExp(`^SIP/2.0/UDP ${caller.host}:${caller.port};rport=${caller.port};received=${caller.host};`),
    );
    expect(message.headers.get('contact')?.[0]).to.include(`${carrier.host}:${carrier.port}`);
    const { message: bye } = await call.waitForBye(5_000);
    expect(bye.start).to.deep.equal({
      kind: 'request',
      method: 'BYE',
      uri: `sip:gateway@${caller.host}:${caller.port}`,
    });
  });

  it('a waiting reader gives up at its deadline and says what was seen', async () => {
    const call = await caller.call({ to: '+919812345046' });
    await call.waitForStatus(486, 2_000);
    const startedAt = performance.now();
    const failure = await report
      .waitForCall(({ state }) => state === 'live', 300)
      .then(
        () => undefined,
        (error: unknown) => error as Error & { code: string },
      );
    expect(performance.now() - startedAt).to.be.within(290, 1_000);
    expect(failure?.code).to.equal('ERR_CARRIER_WAIT_DEADLINE');
    expect(failure?.message).to.include('+919812345046 busy ended [100 486]');
  });

  it('drops the messages a fault asks for, and only these', async () => {
    await report.addFault({ number: '+919812345000', method: 'INVITE', status: 180, action: { do: 'drop' } });
    const call = await caller.call({ to: '+919812345000' });
    const other = await caller.call({ to: '+919812345100' });
    await call.waitForStatus(200, 2_000);
    await other.waitForStatus(200, 2_000);
    expect(call.responses.map(({ status }) => status)).to.deep.equal([200]);
    expect(other.responses.map(({ status }) => status)).to.deep.equal([180, 200]);
    const seen = await report.fetchCall(call.callId);
    expect(seen?.times.ringingAt).to.equal(null);
    expect((await report.fetchMessages(call.callId)).filter(({ fate }) => fate === 'dropped')).to.have.length(
      1,
    );
    call.bye();
    other.bye();
  });

  it('drops everything, OPTIONS too, while a fault without conditions lasts', async () => {
    await report.addFault({ from: 'gateway', action: { do: 'drop' } });
    expect(await caller.options(300).catch(() => 'no answer')).to.equal('no answer');
    await report.clearFaults();
    expect(await caller.options(1_000)).to.equal(200);
  });

  it('delays as long as a fault asks for, as often as it asks for', async () => {
    // Less than the 500 ms after which the refusal is sent again.
    const fault = { method: 'INVITE', status: 486, action: { do: 'delay', delayMs: 400 }, times: 1 } as const;
    await report.addFault(fault);
    const first = await caller.call({ to: '+919812345046' });
    const delayed = await first.waitForStatus(486, 3_000);
    expect(delayed.afterMs).to.be.within(690, 2_000);
    const second = await caller.call({ to: '+919812345046' });
    expect((await second.waitForStatus(486, 3_000)).afterMs).to.be.within(290, delayed.afterMs);
  });

  it('places a call into the gateway and tells the status it got', async () => {
    await caller.options(1_000);
    const placed = await report.placeCall({ to: '+911140000000', from: '+919812345000' });
    expect(placed).to.include({ finalStatus: 480 });
    const invite = caller.invites.at(-1)!;
    expect(invite.start).to.deep.include({
      method: 'INVITE',
      uri: `sip:+911140000000@${caller.host}:${caller.port}`,
    });
    expect(invite.headers.get('from')?.[0]).to.include('sip:+919812345000@');
    expect(await report.fetchCall(placed.callId)).to.include({
      direction: 'into-gateway',
      dialled: '+911140000000',
      behaviour: null,
      finalStatus: 480,
      state: 'ended',
    });
  });

  it('refuses what it does not understand, with a code', async () => {
    const send = async (method: string, path: string, body?: string): Promise<[number, unknown]> => {
      const response = await fetch(new URL(path, carrier.reportUrl), {
        method,
        ...(body === undefined ? {} : { body }),
      });
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    expect(await send('POST', '/calls', '{"to":"+91'), 'cut off').to.deep.equal([
      400,
      'ERR_CARRIER_BAD_REQUEST',
    ]);
    expect(await send('POST', '/calls', '{"to":"a b","from":"1"}')).to.deep.equal([
      400,
      'ERR_CARRIER_BAD_REQUEST',
    ]);
    expect(await send('POST', '/faults', '{"action":{"do":"burn"}}')).to.deep.equal([
      400,
      'ERR_CARRIER_BAD_REQUEST',
    ]);
    expect(await send('POST', '/calls', JSON.stringify({ to: 'x'.repeat(20_000), from: '1' }))).to.deep.equal(
      [400, 'ERR_CARRIER_BAD_REQUEST'],
    );
    expect(await send('GET', '/calls/nobody')).to.deep.equal([404, 'ERR_CARRIER_NO_SUCH_CALL']);
    expect(await send('GET', '/elsewhere')).to.deep.equal([404, 'ERR_CARRIER_NO_SUCH_RESOURCE']);
  });
});
