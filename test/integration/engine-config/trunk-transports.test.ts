import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { reservePort } from '../../../control-plane/sandbox/free-ports.ts';
import type { GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import type { SipTransportSettings } from '../../../control-plane/src/adapters/engine-config/gateway-settings.ts';
import { dialString, outgoingEndpoint } from '../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { PhoneNumber } from '../../../control-plane/src/domain/numbering/phone-number.ts';
import { trunkDial } from '../../../control-plane/src/domain/trunk/trunk-dial.ts';
import type { Trunk } from '../../../control-plane/src/domain/trunk/trunk.ts';
import { attachAri, ariRequest, untilNoChannels, type AriEvents } from '../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../support/gateway-engine.ts';
import { makeRunDir } from '../../support/sandbox-roots.ts';
import { makeIdentity, startStreamCarrier, type StreamCarrier } from '../../support/stream-carrier.ts';

const CITIZEN = PhoneNumber.parse('+919876543210')!;
const APP = 'hamrahi';
/** The trunks' own addresses, by which the engine tells them apart. */
const CARRIER = '127.0.0.21';

describe('engine-config/pjsip.conf: calls by a trunk over TCP and TLS', function () {
  this.timeout(40_000);
  let carrier: StreamCarrier;
  let engine: GatewayEngine & { readonly runDir: string };
  let events: AriEvents;
  let trunks: Record<'tcp' | 'tls' | 'stranger', Trunk>;
  const stops: (() => unknown)[] = [];
  let calls = 0;

  before(async () => {
    const { runDir, remove } = makeRunDir('tls');
    stops.push(remove);
    const of = await makeIdentity(runDir, 'carrier', CARRIER);
    const own = await makeIdentity(runDir, 'gateway', '127.0.0.1');
    carrier = await startStreamCarrier(CARRIER, '127.0.0.1', of);
    stops.push(() => carrier.stop());
    const ports = await Promise.all([reservePort(), reservePort(), reservePort()]);
    for (const reservation of ports) stops.push(() => reservation.release());
    const [tcpPort, tlsPort, otherPort] = ports.map(({ first }) => first) as [number, number, number];
    const transport = (
      name: string,
      protocol: 'tcp' | 'tls',
      port: number,
      caFile?: string,
    ): SipTransportSettings => ({
      ...{ name, protocol, address: '127.0.0.1', port },
      ...{ externalMediaAddress: null, externalSignalingAddress: null, externalSignalingPort: null },
      tls: caFile === undefined ? null : { ...own, caFile, verifyServer: true },
    });
    const base = sandboxTrunk(carrier.tcpPort);
    const sip = { ...base.sip, optionsIntervalSeconds: 1, optionsTimeoutSeconds: 0.5 };
    const tls: Trunk = {
      ...base,
      ...{ name: 'tls', transport: 'tls', localTransport: 'trunk-tls', sources: [CARRIER], sip },
      hosts: [{ address: CARRIER, port: carrier.tlsPort, priority: 10 }],
      media: { ...base.media, encryption: 'sdes' },
    };
    trunks = {
      tls,
      tcp: {
        ...base,
        ...{ name: 'tcp', transport: 'tcp', localTransport: 'trunk-tcp', sources: ['127.0.0.22'], sip },
        hosts: [{ address: CARRIER, port: carrier.tcpPort, priority: 10 }],
      },
      // the same carrier, whose certificate is of an authority that this one does not know
      stranger: { ...tls, name: 'stranger', localTransport: 'other-tls', sources: ['127.0.0.23'] },
    };
    engine = await startTestEngine({
      trunks: Object.values(trunks),
      verboseLog: false,
      moreTransports: [
        transport('trunk-tcp', 'tcp', tcpPort),
        transport('trunk-tls', 'tls', tlsPort, of.certificateFile),
        transport('other-tls', 'tls', otherPort, own.certificateFile),
      ],
    });
    stops.push(() => engine.stop());
    events = await attachAri(engine, APP);
    stops.push(() => events.close());
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const stateOf = async ({ name }: Trunk): Promise<string> =>
    ((await ariRequest(engine, 'GET', `/endpoints/PJSIP/${name}`)).body as { state: string }).state;
  const originate = async (trunk: Trunk): Promise<string> => {
    const plan = trunkDial(trunk, CITIZEN, null);
    if (!plan.ok) throw new Error(plan.code);
    calls += 1;
    const channelId = `call-${calls}`;
    const { status, body } = await ariRequest(engine, 'POST', '/channels', {
      ...{ endpoint: dialString(outgoingEndpoint(trunk.name), plan.value.requestUri), app: APP, channelId },
      ...{ callerId: `<${plan.value.fromUser}>`, formats: 'alaw,ulaw', timeout: 10 },
    });
    expect(status, JSON.stringify(body)).to.equal(200);
    return channelId;
  };
  /** What the carrier plays arrives, and what we play goes out. */
  const untilVoice = async (channelId: string): Promise<void> => {
    await ariRequest(engine, 'POST', `/channels/${channelId}/moh?mohClass=holding`);
    await until(async () => {
      const { body } = await ariRequest(engine, 'GET', `/channels/${channelId}/rtp_statistics`);
      const { rxcount, txcount } = body as { rxcount: number; txcount: number };
      return rxcount > 25 && txcount > 25;
    });
  };
  const isSecure = async (channelId: string): Promise<string> => {
    const path = `/channels/${channelId}/variable?variable=${encodeURIComponent('CHANNEL(rtp,secure)')}`;
    return ((await ariRequest(engine, 'GET', path)).body as { value: string }).value;
  };

  for (const name of ['tcp', 'tls'] as const) {
    it(`TEL-8: sees a carrier on ${name.toUpperCase()} as online by its OPTIONS`, async () => {
      await until(async () => (await stateOf(trunks[name])) === 'online');
    });

    it(`TEL-1: places a call over ${name === 'tls' ? 'TLS with SRTP (SDES)' : 'TCP'}, with voice both ways`, async () => {
      const channelId = await originate(trunks[name]);
      await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === channelId);
      await untilVoice(channelId);
      expect(await isSecure(channelId)).to.equal(name === 'tls' ? '1' : '0');
      await ariRequest(engine, 'DELETE', `/channels/${channelId}`);
      await untilNoChannels(engine);
    });
  }

  it('TEL-7: places no call with a carrier whose certificate nobody vouches for, and says so at once', async () => {
    const orderedAt = performance.now();
    const channelId = await originate(trunks.stranger);
    const ended = await events.until(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === channelId,
    );
    expect(performance.now() - orderedAt).to.be.lessThan(2_000);
    expect(ended['tech_cause'] ?? null, 'no word of the carrier').to.not.equal(200);
    expect(await stateOf(trunks.stranger)).to.equal('offline');
    expect(readFileSync(join(engine.runDir, 'log/full'), 'utf8')).to.match(/TLS|SSL|certificate/i);
  });
});

/** Polls; throws after 8 s. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not come to hold within 8 s');
    await delay(20);
  }
}
