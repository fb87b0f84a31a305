import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { get } from 'node:http';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import { ariRequest, untilNoChannels, provisionClient } from '../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../support/gateway-engine.ts';
import {
  openUdpPeer,
  openWebSocketPeer,
  PLAIN_SDP,
  startLine,
  type SipPeer,
} from '../../support/sip-peer.ts';

const CLIENT = 'citizen-c1-d1';
const CARRIER = '127.0.0.2';
const STRANGER = '127.0.0.3';

/** What an attacker would send who knows a client's name. */
const ATTEMPTS = [
  { method: 'REGISTER', body: '' },
  { method: 'INVITE', body: PLAIN_SDP },
  { method: 'MESSAGE', body: 'hello', contentType: 'text/plain' },
  { method: 'SUBSCRIBE', body: '' },
  { method: 'PUBLISH', body: '' },
  { method: 'REFER', body: '', headers: ['Refer-To: <sip:+919811111100@127.0.0.2>'] },
  { method: 'NOTIFY', body: '', headers: ['Event: presence', 'Subscription-State: active'] },
  { method: 'OPTIONS', body: '' },
] as const;

describe('engine-config/webrtc-endpoint: nobody but the relay speaks as a client (RTC-10)', function () {
  this.timeout(30_000);
  let engine: GatewayEngine;
  const peers: SipPeer[] = [];

  before(async () => {
    // The engine-wide filter is off, so that what refuses is the endpoint's own list.
    engine = await startTestEngine({ trunks: [sandboxTrunk(9)], filterSources: false });
    await provisionClient(engine, { aor: CLIENT });
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await untilNoChannels(engine);
  });
  after(() => engine.stop());

  const udp = async (host: string): Promise<SipPeer> => {
    const peer = await openUdpPeer(host, { host: '127.0.0.1', port: engine.sipPort });
    peers.push(peer);
    return peer;
  };
  const webSocket = async (from?: string): Promise<SipPeer> => {
    const peer = await openWebSocketPeer(`${engine.httpUrl.replace('http', 'ws')}/ws`, from);
    peers.push(peer);
    return peer;
  };
  const asClient = (method: string): { method: string; requestUri: string; from: string; to: string } => ({
    method,
    requestUri: method === 'INVITE' ? 'sip:join@gateway.invalid' : 'sip:gateway.invalid',
    from: `sip:${CLIENT}@gateway.invalid`,
    to: `sip:${CLIENT}@gateway.invalid`,
  });
  const contacts = async (): Promise<unknown> =>
    ((await ariRequest(engine, 'GET', `/endpoints/PJSIP/${CLIENT}`)).body as { state: string }).state;

  it('RTC-10 registers a client over the WebSocket from the relay’s address, and takes it off again', async () => {
    const relay = await webSocket();
    expect(startLine(await relay.request(asClient('REGISTER')))).to.equal('200');
    await untilState(contacts, 'online');
    const gone = { ...asClient('REGISTER'), headers: ['Expires: 0'] };
    expect(startLine(await relay.request(gone))).to.equal('200');
    await untilState(contacts, 'offline');
  });

  for (const { method, ...rest } of ATTEMPTS) {
    it(`RTC-10 refuses a ${method} as a known client from an unknown address, over UDP`, async () => {
      const stranger = await udp(STRANGER);
      // The answer that a user gets who does not exist: nobody learns who is known.
      expect(startLine(await stranger.request({ ...asClient(method), ...rest }))).to.equal('401');
      expect(await contacts()).to.equal('offline');
    });

    it(`RTC-10 refuses a ${method} as a known client from the carrier’s address, over UDP`, async () => {
      const carrier = await udp(CARRIER);
      const status = Number(startLine(await carrier.request({ ...asClient(method), ...rest })));
      // An OPTIONS of the carrier itself is answered: whose name it bears is of no account.
      if (method === 'OPTIONS') expect(status).to.equal(200);
      else expect(status).to.be.within(400, 699);
      expect(await contacts()).to.equal('offline');
    });
  }

  it('RTC-10 refuses a client over the WebSocket from another address than the relay’s', async () => {
    const stranger = await webSocket(STRANGER);
    expect(startLine(await stranger.request(asClient('REGISTER')))).to.equal('401');
    expect(await contacts()).to.equal('offline');
  });

  it('it is the list that refuses: a client permitted to that address registers from it', async () => {
    await provisionClient(engine, { aor: 'citizen-c2-d1', permit: [STRANGER] });
    const stranger = await udp(STRANGER);
    const uri = 'sip:citizen-c2-d1@gateway.invalid';
    expect(startLine(await stranger.request({ ...asClient('REGISTER'), from: uri, to: uri }))).to.equal(
      '200',
    );
    const relay = await webSocket();
    expect(startLine(await relay.request({ ...asClient('REGISTER'), from: uri, to: uri }))).to.equal('401');
  });

  it('RTC-10 a flood over UDP keeps no client from its registration, and leaves no channel', async () => {
    const relay = await webSocket();
    const flood = createSocket('udp4');
    flood.bind(0, STRANGER);
    await once(flood, 'listening');
    try {
      for (let n = 0; n < 3_000; n += 1) {
        flood.send(floodRequest(n % 2 === 0 ? 'INVITE' : 'REGISTER', n), engine.sipPort, '127.0.0.1');
        if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      }
      const startedAt = performance.now();
      expect(startLine(await relay.request(asClient('REGISTER')))).to.equal('200');
      expect(performance.now() - startedAt).to.be.below(3_000);
    } finally {
      flood.close();
    }
    const gone = { ...asClient('REGISTER'), headers: ['Expires: 0'] };
    expect(startLine(await relay.request(gone))).to.equal('200');
    await untilState(contacts, 'offline');
  });

  it('RTC-10 challenges a user whom the engine does not know, from wherever', async () => {
    for (const peer of [await webSocket(), await udp(STRANGER)]) {
      const request = {
        ...asClient('REGISTER'),
        from: 'sip:nobody@gateway.invalid',
        to: 'sip:nobody@gateway.invalid',
      };
      expect(startLine(await peer.request(request))).to.equal('401');
    }
  });

  it('a client dials nothing: of all extensions only `join` is there', async () => {
    const relay = await webSocket();
    const sdp = PLAIN_SDP.replaceAll('127.0.0.2', '127.0.0.1');
    for (const user of ['+919812345678', '100', 's', 'operator-o1-t1', 'joined']) {
      const request = { ...asClient('INVITE'), requestUri: `sip:${user}@gateway.invalid`, body: sdp };
      expect(startLine(await relay.request(request)), user).to.equal('404');
    }
  });

  it('a client’s MESSAGE and SUBSCRIBE find nobody at home even through the relay', async () => {
    const relay = await webSocket();
    const message = { ...asClient('MESSAGE'), body: 'hello', contentType: 'text/plain' };
    expect(startLine(await relay.request(message))).to.equal('501');
    const subscribe = { ...asClient('SUBSCRIBE'), headers: ['Event: presence', 'Expires: 60'] };
    expect(startLine(await relay.request(subscribe))).to.equal('603');
  });
});

describe('engine-config: the engine-wide filters of sources', function () {
  this.timeout(30_000);
  let engine: GatewayEngine;

  before(async () => {
    engine = await startTestEngine({ trunks: [sandboxTrunk(9)] });
  });
  after(() => engine.stop());

  it('answers 403 to any request from an address that is neither the relay’s nor a carrier’s', async () => {
    const stranger = await openUdpPeer(STRANGER, { host: '127.0.0.1', port: engine.sipPort });
    const options = { method: 'OPTIONS', requestUri: 'sip:gateway.invalid', from: 'sip:x@y.invalid' };
    expect(startLine(await stranger.request(options))).to.equal('403');
    stranger.close();
    const carrier = await openUdpPeer(CARRIER, { host: '127.0.0.1', port: engine.sipPort });
    expect(startLine(await carrier.request(options))).to.be.oneOf(['200', '404']);
    carrier.close();
  });

  it('ARI lets its user in from the control plane’s address only, and nobody without the password', async () => {
    const { user, password } = engine.settings.ari;
    const good = `${user}:${password.reveal()}`;
    expect(await ariStatus(engine, good, '127.0.0.1')).to.equal(200);
    expect(await ariStatus(engine, good, STRANGER)).to.be.oneOf([401, 403]);
    expect(await ariStatus(engine, `${user}:wrong`, '127.0.0.1')).to.equal(401);
  });
});

function ariStatus(engine: GatewayEngine, credentials: string, localAddress: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    get(`${engine.httpUrl}/ari/asterisk/ping`, { localAddress, headers, timeout: 3_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).once('error', reject);
  });
}

/** Asterisk answers the REGISTER a moment before it shows what came of it. */
/** Asterisk tells the state of an endpoint a moment after it has answered its REGISTER. */
async function untilState(state: () => Promise<unknown>, wanted: 'online' | 'offline'): Promise<void> {
  const end = performance.now() + 2_000;
  while ((await state()) !== wanted) {
    if (performance.now() > end) throw new Error(`the contact is not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function floodRequest(method: string, n: number): string {
  const own = `<sip:${CLIENT}@gateway.invalid>`;
  return [
    `${method} sip:gateway.invalid SIP/2.0`,
    `Via: SIP/2.0/UDP ${STRANGER}:9;branch=z9hG4bKflood${n}`,
    `From: ${own};tag=f${n}`,
    `To: ${own}`,
    `Call-ID: flood-${n}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:evil@${STRANGER}:9>`,
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
