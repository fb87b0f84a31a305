import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import {
  ariRequest,
  attachAri,
  untilNoChannels,
  provisionClient,
  type AriEvents,
} from '../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../support/gateway-engine.ts';
import {
  openUdpPeer,
  openWebSocketPeer,
  PLAIN_SDP,
  startLine,
  type SipPeer,
} from '../../support/sip-peer.ts';

const CALLED = '+911140000100';
const CALLER = '+919876543210';
const CLIENT = 'operator-o1-t1';
/** An offer as a browser makes it, as far as Asterisk looks at it before it hands the call over. */
const WEBRTC_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 127.0.0.1',
  'a=rtpmap:111 opus/48000/2',
  'a=mid:0',
  'a=rtcp-mux',
  'a=setup:actpass',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host',
  'a=recvonly',
  '',
].join('\r\n');

describe('engine-config/extensions.conf: calls that arrive', function () {
  this.timeout(30_000);
  let engine: GatewayEngine & { readonly runDir: string };
  let carrier: SipPeer;
  let relay: SipPeer;
  let events: AriEvents | undefined;
  const stops: (() => unknown)[] = [];

  before(async () => {
    engine = await startTestEngine({ trunks: [sandboxTrunk(9)], verboseLog: false });
    stops.push(() => engine.stop());
    carrier = await openUdpPeer('127.0.0.2', { host: '127.0.0.1', port: engine.sipPort });
    stops.push(() => carrier.close());
    relay = await openWebSocketPeer(`${engine.httpUrl.replace('http', 'ws')}/ws`);
    stops.push(() => relay.close());
    await provisionClient(engine, { aor: CLIENT });
  });
  afterEach(() => {
    events?.close();
    events = undefined;
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const call = {
    method: 'INVITE',
    requestUri: `sip:${CALLED}@gateway.invalid`,
    from: `sip:${CALLER}@127.0.0.2`,
    body: PLAIN_SDP,
  };
  const join_ = {
    method: 'INVITE',
    requestUri: 'sip:join@gateway.invalid',
    from: `sip:${CLIENT}@gateway.invalid`,
    body: WEBRTC_SDP,
  };

  it('480 to a call from the carrier while no control plane is attached, and nothing is left', async () => {
    expect(startLine(await carrier.request(call))).to.equal('480');
    await untilNoChannels(engine);
  });

  it('480 to a client’s join while no control plane is attached', async () => {
    expect(startLine(await relay.request(join_))).to.equal('480');
    await untilNoChannels(engine);
  });

  it('hands a call from the carrier to the control plane, with the trunk’s name and the number called', async () => {
    events = await attachAri(engine, 'hamrahi');
    const response = carrier.request(call);
    const start = await events.until(({ type }) => type === 'StasisStart');
    expect(start.args).to.deep.equal(['trunk-call', 'sandbox']);
    expect(start['channel']).to.deep.include({ state: 'Ring' });
    expect((start['channel'] as unknown as { dialplan: { exten: string } }).dialplan.exten).to.equal(CALLED);
    await ariRequest(engine, 'DELETE', `/channels/${start.channel!.id}?reason_code=19`);
    expect(startLine(await response)).to.equal('480');
    await untilNoChannels(engine);
    await events.until(({ type }) => type === 'ChannelDestroyed');
    expect(events.seen.filter(({ type }) => type === 'StasisStart')).to.have.length(1);
  });

  it('480 when the control plane leaves a call to the dialplan', async () => {
    events = await attachAri(engine, 'hamrahi');
    const response = carrier.request(call);
    const start = await events.until(({ type }) => type === 'StasisStart');
    const left = await ariRequest(engine, 'POST', `/channels/${start.channel!.id}/continue`);
    expect(left).to.deep.include({ status: 204 });
    expect(startLine(await response)).to.equal('480');
  });

  it('hands a client’s join to the control plane, with the client’s endpoint', async () => {
    events = await attachAri(engine, 'hamrahi');
    const response = relay.request(join_);
    const start = await events.until(({ type }) => type === 'StasisStart');
    expect(start.args).to.deep.equal(['client-join', CLIENT]);
    await ariRequest(engine, 'DELETE', `/channels/${start.channel!.id}?reason_code=19`);
    expect(startLine(await response)).to.equal('480');
  });

  it('writes no number into its logs, whatever was refused', async () => {
    const odd = { ...call, requestUri: 'sip:*21@gateway.invalid' };
    expect(startLine(await carrier.request(odd))).to.equal('404');
    const withoutUser = { ...call, requestUri: 'sip:gateway.invalid' };
    expect(Number(startLine(await carrier.request(withoutUser)))).to.be.within(400, 499);
    const unknown = { ...call, from: `sip:${CALLER}@gateway.invalid` };
    expect(startLine(await relay.request(unknown))).to.equal('401');
    for (const file of ['full', 'console.log']) {
      const text = readFileSync(join(engine.runDir, 'log', file), 'utf8');
      expect(text, file).to.not.include(CALLER.slice(3));
      expect(text, file).to.not.include(CALLED.slice(3));
    }
  });
});
