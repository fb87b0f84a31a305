import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { GatewayEngine } from '../../../control-plane/sandbox/gateway-engine.ts';
import { dialString, outgoingEndpoint } from '../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';
import { PhoneNumber } from '../../../control-plane/src/domain/numbering/phone-number.ts';
import { trunkDial } from '../../../control-plane/src/domain/trunk/trunk-dial.ts';
import type { Trunk } from '../../../control-plane/src/domain/trunk/trunk.ts';
import { attachAri, ariRequest, channelsOf, type AriEvents } from '../../support/ari-request.ts';
import { sandboxTrunk, startTestEngine } from '../../support/gateway-engine.ts';
import { headerOf, openUdpPeer, type SipPeer } from '../../support/sip-peer.ts';
import type { SipMessage } from '../../../control-plane/sandbox/carrier/sip-message.ts';

const CITIZEN = PhoneNumber.parse('+919876543210')!;
const OPERATOR = PhoneNumber.parse('+918765432109')!;
const APP = 'hamrahi';

describe('engine-config/pjsip.conf: calls by a trunk', function () {
  this.timeout(30_000);
  let carrier: SipPeer;
  let engine: GatewayEngine & { readonly runDir: string };
  let events: AriEvents;
  let trunks: Record<'sandbox' | 'national', Trunk>;
  const stops: (() => unknown)[] = [];
  let answersOptions = false;
  let calls = 0;

  before(async () => {
    const reservation = await openUdpPeer('127.0.0.2', { host: '127.0.0.1', port: 9 });
    const carrierPort = reservation.port;
    reservation.close();
    const base = sandboxTrunk(carrierPort);
    const quick = { ...base.sip, optionsIntervalSeconds: 1, optionsTimeoutSeconds: 0.5 };
    const sandbox: Trunk = { ...base, sip: quick };
    // A carrier that wants everything otherwise, on the same address.
    const national: Trunk = {
      ...base,
      name: 'national',
      sources: ['127.0.0.4'],
      numbers: { requestUri: 'national_0', from: 'national10', identity: 'e164_plus', userPhone: true },
      callerId: { ...base.callerId, identityHeader: 'ppi', fromDomain: 'customer.invalid' },
      sip: { ...quick, optionsIntervalSeconds: 0, reliableProvisional: 'no', sessionTimers: 'no' },
    };
    trunks = { sandbox, national };
    engine = await startTestEngine({ trunks: [sandbox, national], verboseLog: false });
    stops.push(() => engine.stop());
    carrier = await openUdpPeer('127.0.0.2', { host: '127.0.0.1', port: engine.sipPort }, carrierPort);
    stops.push(() => carrier.close());
    carrier.answer = (request) => {
      if (request.cseq.method === 'OPTIONS') return answersOptions ? ['200 OK'] : [];
      if (request.cseq.method === 'INVITE') return ['180 Ringing', '200 OK'];
      return request.cseq.method === 'ACK' ? [] : ['200 OK'];
    };
    events = await attachAri(engine, APP);
    stops.push(() => events.close());
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  afterEach(async () => {
    for (const { id } of await channelsOf(engine)) await ariRequest(engine, 'DELETE', `/channels/${id}`);
    await until(async () => (await channelsOf(engine)).length === 0);
  });

  const dial = async (
    trunk: Trunk,
    number: PhoneNumber,
  ): Promise<{ channelId: string; invite: SipMessage }> => {
    const plan = trunkDial(trunk, number, null);
    if (!plan.ok) throw new Error(plan.code);
    calls += 1;
    const channelId = `leg-${calls}`;
    const { requestUri, fromUser, identityHeader } = plan.value;
    const sent = carrier.requests.length;
    const { status, body } = await ariRequest(engine, 'POST', '/channels', {
      endpoint: dialString(outgoingEndpoint(trunk.name), requestUri),
      app: APP,
      channelId,
      callerId: fromUser,
      formats: 'alaw,ulaw',
      timeout: 10,
      variables:
        identityHeader === null ? {} : { [`PJSIP_HEADER(add,${identityHeader.name})`]: identityHeader.value },
    });
    expect(status, JSON.stringify(body)).to.equal(200);
    const invite = await carrier.untilRequest(
      (request) => request.cseq.method === 'INVITE' && carrier.requests.indexOf(request) >= sent,
    );
    return { channelId, invite };
  };
  const untilTrunk = async (state: 'online' | 'offline'): Promise<void> => {
    await until(async () => {
      const { body } = await ariRequest(engine, 'GET', '/endpoints/PJSIP/sandbox');
      return (body as { state: string }).state === state;
    });
  };

  it('TEL-8 shows the trunk as online while its OPTIONS are answered', async () => {
    answersOptions = true;
    await untilTrunk('online');
  });

  it('FB-2 calls by request URI while OPTIONS go unanswered and the contact is unreachable', async () => {
    answersOptions = false;
    await untilTrunk('offline');
    const byContact = { endpoint: `PJSIP/${CITIZEN.reveal()}@sandbox`, app: APP };
    const { status } = await ariRequest(engine, 'POST', '/channels', byContact);
    expect(status, 'a call by contact is vetoed').to.equal(500);
    const { channelId } = await dial(trunks.sandbox, CITIZEN);
    await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === channelId);
    answersOptions = true;
    await untilTrunk('online');
  });

  it('TEL-2 shows the carrier an owned number, unmasked: From and P-Asserted-Identity, no Privacy', async () => {
    const { invite } = await dial(trunks.sandbox, CITIZEN);
    expect(invite.start).to.deep.include({ method: 'INVITE' });
    const port = trunks.sandbox.hosts[0]!.port;
    expect(invite.start.kind === 'request' && invite.start.uri).to.equal(
      `sip:+919876543210@127.0.0.2:${port};transport=udp`,
    );
    expect(headerOf(invite, 'from')).to.match(/^<sip:\+911140000100@127\.0\.0\.1>;tag=/);
    expect(headerOf(invite, 'p-asserted-identity')).to.equal('<sip:+911140000100@127.0.0.1>');
    expect(headerOf(invite, 'privacy')).to.equal(undefined);
    expect(invite.body).to.match(/^m=audio \d+ RTP\/AVP 8 0 101\r$/m);
    expect(invite.body).to.include('c=IN IP4 127.0.0.1');
  });

  it('TEL-2 writes numbers and identity as each trunk wants them', async () => {
    const { invite } = await dial(trunks.national, CITIZEN);
    const port = trunks.national.hosts[0]!.port;
    expect(invite.start.kind === 'request' && invite.start.uri).to.equal(
      `sip:09876543210@127.0.0.2:${port};user=phone;transport=udp`,
    );
    expect(headerOf(invite, 'from')).to.match(/^<sip:1140000100@customer\.invalid;user=phone>;tag=/);
    expect(headerOf(invite, 'to')).to.match(/user=phone/);
    expect(headerOf(invite, 'p-preferred-identity')).to.equal('<sip:+911140000100@customer.invalid>');
    expect(headerOf(invite, 'p-asserted-identity')).to.equal(undefined);
    expect(headerOf(invite, 'supported') ?? '').to.not.match(/100rel|timer/);
  });

  it('FB-3 bridges two phones natively and tells neither the other’s number', async () => {
    const before = carrier.requests.length;
    const first = await dial(trunks.sandbox, CITIZEN);
    const second = await dial(trunks.sandbox, OPERATOR);
    for (const { channelId } of [first, second]) {
      await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === channelId);
    }
    await ariRequest(engine, 'POST', '/bridges/b1?type=mixing');
    for (const { channelId } of [first, second]) {
      const { status } = await ariRequest(engine, 'POST', `/bridges/b1/addChannel?channel=${channelId}`);
      expect(status).to.equal(204);
    }
    await events.until(
      ({ type, bridge }) =>
        type === 'ChannelEnteredBridge' && (bridge as { channels: unknown[] }).channels.length === 2,
    );
    const technology = ((await ariRequest(engine, 'GET', '/bridges/b1')).body as { technology: string })
      .technology;
    await ariRequest(engine, 'DELETE', `/channels/${first.channelId}`);
    await ariRequest(engine, 'DELETE', `/channels/${second.channelId}`);
    await ariRequest(engine, 'DELETE', '/bridges/b1');
    for (const { invite } of [first, second]) {
      await carrier.untilRequest(({ cseq, callId }) => cseq.method === 'BYE' && callId === invite.callId);
    }
    const sent = carrier.requests.slice(before).filter(({ cseq }) => cseq.method !== 'OPTIONS');
    expect(sent.filter(({ cseq }) => !['INVITE', 'ACK', 'BYE'].includes(cseq.method))).to.deep.equal([]);
    for (const { invite } of [first, second]) {
      const invites = sent.filter(({ cseq, callId }) => cseq.method === 'INVITE' && callId === invite.callId);
      expect(invites, 'no re-INVITE').to.have.length(1);
    }
    expect(technology).to.equal('native_rtp');
  });

  it('FB-4 knows the carrier’s Call-ID of a leg', async () => {
    const { channelId, invite } = await dial(trunks.sandbox, CITIZEN);
    const { body } = await ariRequest(engine, 'GET', `/channels/${channelId}`);
    expect(body).to.include({ protocol_id: invite.callId });
  });

  it('keeps a record of every leg, by its id and without a number, and no number in the logs', async () => {
    const answered = await dial(trunks.sandbox, CITIZEN);
    await events.until(({ type, channel }) => type === 'StasisStart' && channel?.id === answered.channelId);
    await ariRequest(engine, 'DELETE', `/channels/${answered.channelId}`);
    await events.until(
      ({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === answered.channelId,
    );
    const file = join(engine.runDir, 'log/cdr-custom/legs.jsonl');
    const recordOf = (): string | undefined =>
      readFileSync(file, 'utf8')
        .split('\n')
        .find((line) => line.includes(`"${answered.channelId}"`));
    await until(() => recordOf() !== undefined);
    const record = JSON.parse(recordOf()!) as object;
    expect(record).to.include({ uniqueid: answered.channelId, disposition: 'ANSWERED' });
    for (const file of ['full', 'console.log', 'cdr-custom/legs.jsonl']) {
      const text = readFileSync(join(engine.runDir, 'log', file), 'utf8');
      expect(text, file).to.not.match(/9876543210|8765432109|1140000100/);
    }
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
