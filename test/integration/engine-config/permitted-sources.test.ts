import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import type { SipMessage } from '../../../control-plane/sandbox/carrier/sip-message.ts';
import { dialString, outgoingEndpoint } from '../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import type { Trunk } from '../../../control-plane/src/domain/trunk/trunk.ts';
import { ariRequest, attachAri, provisionClient, untilNoChannels } from '../../support/ari-request.ts';
import { asteriskCli } from '../../support/asterisk-cli.ts';
import { sandboxTrunk, startTestEngine } from '../../support/gateway-engine.ts';
import { headerOf, openUdpPeer, openWebSocketPeer, startLine, type SipPeer } from '../../support/sip-peer.ts';

const CLIENT = 'citizen-c1-d1';
const HOST = '127.0.5.9';
const OPTIONS = { method: 'OPTIONS', requestUri: 'sip:gateway.invalid', from: 'sip:x@carrier.invalid' };

describe('engine-config/pjsip.conf: sources of trunks as addresses and networks of both families', function () {
  this.timeout(30_000);
  let engine: GatewayEngine & { readonly runDir: string };
  let carrier: SipPeer;
  const stops: (() => unknown)[] = [];

  before(async () => {
    const reservation = await openUdpPeer(HOST, { host: '127.0.0.1', port: 9 });
    const { port } = reservation;
    reservation.close();
    const base = sandboxTrunk(port);
    const quiet = { ...base.sip, optionsIntervalSeconds: 0 };
    const first: Trunk = {
      ...{ ...base, name: 'first', sip: quiet },
      hosts: [{ address: HOST, port, priority: 10 }],
      sources: ['127.0.5.8/29', '127.0.6.0/24', '127.0.0.2', 'fd00:1:2::/48', '2001:db8::1'],
    };
    // another way into the same carrier: what it speaks from is the first one's already
    const second: Trunk = { ...first, name: 'second', sources: [] };
    engine = await startTestEngine({ trunks: [first, second], verboseLog: false });
    stops.push(() => engine.stop());
    carrier = await openUdpPeer(HOST, { host: '127.0.0.1', port: engine.sipPort }, port);
    stops.push(() => carrier.close());
    carrier.answer = ({ cseq: { method } }) => (method === 'INVITE' ? ['200 OK'] : []);
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const statusFrom = async (host: string): Promise<string> => {
    const peer = await openUdpPeer(host, { host: '127.0.0.1', port: engine.sipPort });
    try {
      return startLine(await peer.request(OPTIONS));
    } finally {
      peer.close();
    }
  };

  it('TEL-9: the engine takes every one of them, without a word', async () => {
    expect(readFileSync(join(engine.runDir, 'log/full'), 'utf8')).to.not.match(/WARNING|ERROR/);
    const shown = await asteriskCli(engine.runDir, 'pjsip show identifies');
    for (const match of ['127.0.5.8/29', '127.0.6.0/24', '127.0.0.2/32', 'fd00:1:2::/48', '2001:db8::1/128'])
      expect(shown).to.include(match);
  });

  for (const host of ['127.0.5.8', '127.0.5.15', '127.0.6.77', '127.0.0.2'])
    it(`TEL-9: lets the carrier in from ${host}`, async () => {
      expect(await statusFrom(host)).to.be.oneOf(['200', '404']);
    });

  for (const host of ['127.0.5.7', '127.0.5.16', '127.0.7.1', '127.0.0.3'])
    it(`TEL-9: refuses ${host}, which is just beside`, async () => {
      expect(await statusFrom(host)).to.equal('403');
    });

  it('RTC-10 a client registers through the relay as before: no trunk has its address', async () => {
    await provisionClient(engine, { aor: CLIENT });
    const relay = await openWebSocketPeer(`${engine.httpUrl.replace('http', 'ws')}/ws`);
    stops.push(() => relay.close());
    const address = `sip:${CLIENT}@127.0.0.1`;
    const register = { method: 'REGISTER', requestUri: 'sip:127.0.0.1', from: address, to: address };
    expect(startLine(await relay.request(register))).to.equal('200');
  });

  it('TEL-9: the carrier hangs up a call by its second trunk, which leaves its sources to the first', async () => {
    const events = await attachAri(engine, 'hamrahi');
    stops.push(() => events.close());
    const { status } = await ariRequest(engine, 'POST', '/channels', {
      ...{
        endpoint: dialString(outgoingEndpoint('second'), `sip:+919876543210@${HOST}:${carrier.port}`),
        app: 'hamrahi',
      },
      ...{ channelId: 'second-leg', callerId: '+911140000100', formats: 'alaw', timeout: 10 },
    });
    expect(status).to.equal(200);
    const invite = await carrier.untilRequest(({ cseq }) => cseq.method === 'INVITE');
    await carrier.untilRequest(({ cseq }) => cseq.method === 'ACK');
    await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === 'second-leg');
    expect(startLine(await carrier.request(byeOf(invite)))).to.equal('200');
    await untilNoChannels(engine);
  });
});

/** The answerer's BYE in the dialog that this INVITE began. */
function byeOf(invite: SipMessage): Parameters<SipPeer['request']>[0] {
  const [, contact = ''] = /<([^>]+)>/.exec(headerOf(invite, 'contact') ?? '') ?? [];
  const dialog = { callId: invite.callId, fromTag: invite.callId.slice(0, 8), to: headerOf(invite, 'from')! };
  return { method: 'BYE', requestUri: contact, from: 'sip:peer@carrier.invalid', dialog };
}
