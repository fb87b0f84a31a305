import { expect } from 'chai';
import { audioDirection } from '../../../control-plane/client/sdp.ts';
import type { SipRecord } from '../../../control-plane/client/headless/index.ts';
import { eventually, useCast } from './cast.ts';
import { sessionView } from './fake-gateway.ts';

/** The direction in every SDP that a client sent. */
function sentDirections(sip: readonly SipRecord[]): string[] {
  return sip
    .filter(({ direction, message }) => direction === 'sent' && message.includes('m=audio'))
    .map(({ message }) => audioDirection(message.slice(message.indexOf('\r\n\r\n') + 4)));
}

function sentRequests(sip: readonly SipRecord[], method: string): string[] {
  return sip
    .filter(({ direction, message }) => direction === 'sent' && message.startsWith(`${method} `))
    .map(({ message }) => message);
}

describe('control-plane/client/citizen-client on real Asterisk', function () {
  this.timeout(20_000);
  const cast = useCast();

  it('RTC-2 RTC-3: sends her microphone one way, and nothing comes back', async () => {
    const [priya, akram] = await Promise.all([cast.citizen({ toneHz: 1500 }), cast.operator()]);
    const { citizenLeg } = await cast.connect(priya, akram);
    const tone = await akram.tone(1500, 3_000);
    expect(tone.at - priya.legs[0]!.offeredAt).to.be.below(3_000);
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    expect(priya.legs.map(({ legId }) => legId)).to.deep.equal([citizenLeg]);
    expect(sentDirections(priya.sip)).to.deep.equal(['sendonly']);
    expect(sentDirections(akram.sip)).to.deep.equal(['recvonly']);
    expect(priya.rtp().packetsSent).to.be.above(0);
    expect(priya.rtp().packetsReceived).to.equal(0);
    expect(akram.rtp().packetsSent).to.equal(0);
  });

  it("RTC-3: hears nothing of an operator's client that sends all the same", async () => {
    const [priya, akram] = await Promise.all([
      cast.citizen({ toneHz: 1500 }),
      cast.operator({ sendAnywayHz: 1900 }),
    ]);
    await cast.connect(priya, akram);
    await akram.tone(1500, 3_000);
    await eventually('the operator sends', () => akram.rtp().packetsSent > 50);
    expect(sentDirections(akram.sip)).to.deep.equal(['sendrecv']);
    expect(priya.rtp().packetsReceived).to.equal(0);
  });

  it('RTC-9: stops the microphone when the gateway hangs up and the session is over', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    expect(priya.microphoneOn()).to.equal(true);
    cast.gateway.sessions.set(sessionId, sessionView(sessionId, { phase: 'resolved' }));
    await cast.engine.hangUp(leg);
    await eventually('the microphone is off', () => !priya.microphoneOn(), 1_000);
    expect(priya.client.state).to.include({ name: 'ended', reason: 'resolved' });
    expect(priya.legs[0]!.ended).to.include({ how: 'hung-up' });
  });

  it('RTC-9: stops the microphone when only the API says that the session is over', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    cast.gateway.accept('sip', false);
    cast.gateway.cut('sip');
    cast.gateway.sessions.set(sessionId, sessionView(sessionId, { phase: 'resolved' }));
    await eventually('the microphone is off', () => !priya.microphoneOn(), 6_000);
    expect(priya.client.state).to.include({ name: 'ended', reason: 'resolved' });
  });

  it('RTC-7: answers a second call beside the first, and streams on when one of them ends', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    const [first] = await Promise.all([
      cast.call(priya, sessionId, 'citizen-app.1'),
      cast.call(priya, sessionId, 'citizen-app.2'),
    ]);
    await eventually(
      'both are connected',
      () => priya.legs.filter((leg) => leg.connectedAt !== null).length === 2,
    );
    await cast.engine.hangUp(first);
    await eventually('the first has ended', () => priya.legs.some((leg) => leg.ended !== null));
    const { packetsSent } = priya.rtp();
    await eventually('the second sends', () => priya.rtp().packetsSent > packetsSent + 20);
    expect(priya.client.state.name).to.equal('streaming');
    expect(priya.microphoneOn()).to.equal(true);
  });

  it('keeps the microphone for two seconds after the last call, and opens it for the next', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    const first = await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    await cast.engine.hangUp(first);
    await eventually('she waits for an offer', () => priya.client.state.name === 'calling');
    expect(priya.microphoneOn()).to.equal(true);
    await eventually('the microphone is off', () => !priya.microphoneOn(), 3_000);
    await cast.call(priya, sessionId, 'citizen-app.2');
    await eventually('she streams again', () => priya.client.state.name === 'streaming');
    expect(priya.microphoneOn()).to.equal(true);
  });

  it('RTC-7: gives a call up 2 s after its 200 when ICE does not connect, and says why', async () => {
    const priya = await cast.citizen({ failIce: true });
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    const { tech_cause: techCause } = await cast.engine.event(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === leg,
    );
    expect(Number(techCause)).to.equal(408);
    const [times] = priya.legs;
    expect(times!.ended).to.include({ how: 'ice-failed' });
    expect(times!.endedAt! - times!.answeredAt!).to.be.within(1_990, 4_000);
    expect(sentRequests(priya.sip, 'BYE')[0]).to.match(/^Reason: ?SIP;cause=408;text="ice failed"/im);
  });

  it('connects again with a fresh ticket, and the call goes on meanwhile', async () => {
    const priya = await cast.citizen({ credentials: 'ticket' });
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    cast.gateway.accept('sip', false);
    cast.gateway.cut('sip');
    const { packetsSent } = priya.rtp();
    await eventually('packets flow', () => priya.rtp().packetsSent > packetsSent + 20);
    cast.gateway.accept('sip', true);
    const again = cast.gateway.connections.length + 1;
    await eventually('she is connected again', () => cast.gateway.connections.length >= again);
    const used = cast.gateway.connections.map(({ url }) => url.searchParams.get('ticket'));
    expect(new Set(used).size).to.equal(used.length);
    await eventually('she is registered again', () => sentRequests(priya.sip, 'REGISTER').length >= 2);
    expect(priya.client.state.name).to.equal('streaming');
    expect(await cast.engine.channels()).to.deep.equal([leg]);
  });

  it('connects anew at once when the network changes, and goes on streaming', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    const { length } = cast.gateway.connections;
    priya.client.networkChanged();
    await eventually('a new connection', () => cast.gateway.connections.length === length + 1, 3_000);
    const { packetsSent } = priya.rtp();
    // Longer than a call is given to heal.
    await eventually('two seconds of packets', () => priya.rtp().packetsSent > packetsSent + 110);
    expect(priya.client.state.name).to.equal('streaming');
    expect(priya.legs).to.have.lengthOf(1);
  });

  it('RTC-7: goes on with its session when the app was started again', async () => {
    const before = await cast.citizen();
    const sessionId = await cast.press(before);
    await before.vanish();
    const after = await cast.citizen();
    after.client.resume(sessionId);
    await eventually('she is registered', () => sentRequests(after.sip, 'REGISTER').length > 0);
    await cast.engine.contact(after.aor);
    await cast.call(after, sessionId, 'citizen-app.2');
    await eventually('she streams', () => after.client.state.name === 'streaming');
    expect(cast.gateway.requests.filter(({ path }) => path === '/v1/sos')).to.have.lengthOf(1);
  });

  it('RTC-10: repeats the SOS under one key until the gateway answers', async () => {
    const priya = await cast.citizen();
    cast.gateway.failNext('/v1/sos', 503, 500, 429);
    await cast.press(priya);
    const keys = cast.gateway.requests
      .filter(({ path }) => path === '/v1/sos')
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys).to.have.lengthOf(4);
    expect(new Set(keys).size).to.equal(1);
    expect(keys[0]).to.match(/^[0-9a-f-]{36}$/);
  });

  it('RTC-10: ends when the gateway refuses her identity', async () => {
    const priya = await cast.citizen();
    cast.gateway.failNext('/v1/sos', 401);
    await priya.client.press();
    expect(priya.client.state).to.include({ name: 'ended', reason: 'refused' });
    expect(priya.microphoneOn()).to.equal(false);
    expect(priya.troubles.map((error) => (error as { code?: string }).code)).to.include('ERR_FAKE_401');
  });

  it('FB-10: releases an armed session, and leaves nothing behind', async () => {
    const priya = await cast.citizen();
    priya.client.arm();
    await eventually('she is armed', () => priya.client.state.name === 'armed');
    await priya.client.release();
    const paths = cast.gateway.requests.map(
      ({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/, 'ID')}`,
    );
    expect(paths).to.include('POST /v1/sos/arm').and.include('POST /v1/sos/ID/release');
    expect(paths).not.to.include('POST /v1/sos');
    expect(priya.microphoneOn()).to.equal(false);
    await eventually('she took her contact away', () =>
      sentRequests(priya.sip, 'REGISTER').some((message) => /^Expires: 0\r$/m.test(message)),
    );
  });

  it('answers no call before she has pressed', async () => {
    const priya = await cast.citizen();
    priya.client.arm();
    await eventually('she is armed', () => priya.client.state.name === 'armed');
    const leg = await cast.call(priya, '00000000-0000-4000-8000-000000000000', 'citizen-app.1');
    const destroyed = await cast.engine.event(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === leg,
    );
    expect(Number(destroyed.tech_cause)).to.equal(480);
  });

  it('disappears without a word when the battery ends', async () => {
    const priya = await cast.citizen();
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    await eventually('she streams', () => priya.client.state.name === 'streaming');
    await priya.vanish();
    expect(sentRequests(priya.sip, 'BYE')).to.deep.equal([]);
    expect(priya.microphoneOn()).to.equal(false);
    expect(await cast.engine.channels()).to.deep.equal([leg]);
  });

  it('RTC-7: refuses the call at once when she has not allowed the microphone', async () => {
    const priya = await cast.citizen({ noMicrophone: true });
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    const destroyed = await cast.engine.event(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === leg,
    );
    expect(Number(destroyed.tech_cause)).to.equal(488);
    expect(priya.troubles.map(({ name }) => name)).to.include('NotAllowedError');
  });

  it('refuses a call with the status that a test wants', async () => {
    const priya = await cast.citizen({ rejectWith: 486 });
    const sessionId = await cast.press(priya);
    const leg = await cast.call(priya, sessionId, 'citizen-app.1');
    const destroyed = await cast.engine.event(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === leg,
    );
    expect(Number(destroyed.tech_cause)).to.equal(486);
  });
});
