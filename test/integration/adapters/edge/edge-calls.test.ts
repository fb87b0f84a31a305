import { once as nextEvent } from 'node:events';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { SipClient, type SipClientEvents } from '../../../../control-plane/client/sip-client.ts';
import type { TypedEvents } from '../../../../control-plane/client/typed-events.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { createToneTrack, opusLoop } from '../../../../control-plane/client/headless/tone-track.ts';
import { createWeriftMedia } from '../../../../control-plane/client/headless/werift-media.ts';
import { SIP_DOMAIN, startEdgeLab, type EdgeLab } from './edge-lab.ts';
import { liveChannels, startCalls, type EngineCalls } from './engine-calls.ts';
import { answerTo, bodyOf, directionOf, headerOf, statusOf, type RawClient } from './raw-client.ts';

const CITIZEN = 'citizen-c1-d1';
const OPERATOR = 'operator-o1-t1';

/** The first event of this name that fits; rejects after 5 s. */
function once<Events extends object, Name extends keyof Events & string>(
  source: TypedEvents<Events>,
  name: Name,
  fits: (event: Events[Name]) => boolean = () => true,
): Promise<Events[Name]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} in time`)), 5_000);
    source.on(name, (event) => {
      if (!fits(event)) return;
      clearTimeout(timer);
      resolve(event);
    });
  });
}

describe('adapters/edge: calls on a real engine', function () {
  this.timeout(30_000);
  let engine: GatewayEngine;
  let lab: EdgeLab;
  let calls: EngineCalls;
  let next = 0;
  const legId = (): string => `leg-${(next += 1)}`;

  before(async () => {
    engine = await startTestEngine({ trunks: [sandboxTrunk(9)] });
    calls = await startCalls(engine);
  });
  beforeEach(async () => (lab = await startEdgeLab(engine, { limits: { stickyMs: 2_000 } })));
  afterEach(async () => {
    for (const id of await liveChannels(engine)) {
      await calls.hangUp(id);
      await calls.untilGone(id);
    }
    await lab.stop();
  });
  after(async () => {
    calls.close();
    await engine.stop();
  });

  const registered = async (aor: string): Promise<RawClient> => {
    const client = await lab.connect(aor);
    expect(statusOf(await client.register())).to.equal(200);
    return client;
  };
  /** A call that stands: the INVITE that the client got. */
  const inCall = async (client: RawClient, leg: string): Promise<string> => {
    await calls.call(client.aor, leg);
    const invite = await client.request('INVITE');
    client.respond(invite, '200 OK', answerTo(invite));
    await client.request('ACK');
    await calls.untilUp(leg);
    return invite;
  };

  for (const [aor, offered] of [
    [CITIZEN, 'recvonly'],
    [OPERATOR, 'sendonly'],
  ] as const)
    it(`RTC-3: ${aor.split('-')[0]} is offered ${offered}, and an answer of sendrecv does not change it`, async () => {
      const leg = legId();
      const client = await registered(aor);
      const invite = await inCall(client, leg);
      expect(directionOf(invite)).to.equal(offered);
      expect(headerOf(invite, 'Content-Length')).to.equal(String(Buffer.byteLength(bodyOf(invite))));
      // Its own re-INVITE, both ways again: the engine's answer stays one way.
      client.send(
        client.inDialog(invite, 'INVITE', {
          body: answerTo(invite, 'sendrecv').replace('o=- 1 1', 'o=- 1 2'),
        }),
      );
      const answer = await client.take((text) => statusOf(text) === 200);
      expect(directionOf(answer)).to.equal(offered);
      client.send(client.inDialog(invite, 'ACK'));
      client.send(client.inDialog(invite, 'BYE'));
      expect((await calls.untilGone(leg)).cause).to.equal(16);
      expect(lab.witness.refused).to.deep.equal([]);
    });

  it('RTC-1: stamps the offer when it is written and the answer when it comes', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    const before = lab.now();
    await inCall(client, leg);
    await lab.untilStamp('answer-received');
    expect(lab.stamps.map(({ legId: id, kind, status }) => [id, kind, status])).to.deep.equal([
      [leg, 'offer-sent', undefined],
      [leg, 'answer-received', 200],
    ]);
    const [offer, answer] = lab.stamps;
    expect(offer!.at).to.be.within(before, answer!.at);
    expect(answer!.at - before).to.be.lessThan(1_000);
  });

  it('stamps a refusal with its status, and the engine hears it', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    await calls.call(CITIZEN, leg);
    client.respond(await client.request('INVITE'), '486 Busy Here');
    expect(await calls.untilGone(leg)).to.deep.equal({ cause: 17, techCause: 486 });
    expect(await lab.untilStamp('refused')).to.deep.include({ legId: leg, kind: 'refused', status: 486 });
  });

  for (const [what, fingerprint] of [
    ['no fingerprint', null],
    ['a fingerprint of zeros', Array.from({ length: 32 }, () => '00').join(':')],
  ] as const)
    it(`RTC-3: an answer with ${what} ends the call on both sides`, async () => {
      const leg = legId();
      const client = await registered(CITIZEN);
      await calls.call(CITIZEN, leg);
      const invite = await client.request('INVITE');
      client.respond(invite, '200 OK', answerTo(invite, 'sendonly', fingerprint));
      await client.request('ACK');
      const bye = await client.request('BYE');
      expect(headerOf(bye, 'Reason')).to.include('ERR_EDGE_SDP_FINGERPRINT');
      client.respond(bye, '200 OK');
      expect((await calls.untilGone(leg)).techCause).to.equal(488);
      expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_SDP_FINGERPRINT']);
      expect(await lab.untilStamp('refused')).to.deep.include({ legId: leg, kind: 'refused', status: 488 });
    });

  it('RTC-9: a BYE reaches a client that had lost its socket, as soon as it is back', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    await inCall(client, leg);
    client.terminate();
    await lab.untilNotice('lost', CITIZEN);
    await calls.hangUp(leg);
    const started = performance.now();
    const back = await lab.connect(CITIZEN);
    const bye = await back.request('BYE');
    expect(performance.now() - started).to.be.lessThan(1_000);
    back.respond(bye, '200 OK');
    expect(statusOf(await back.register())).to.equal(200);
  });

  it('RTC-9: a BYE written into a dead socket is given again to the next one', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    await inCall(client, leg);
    client.socket.pause();
    await calls.hangUp(leg);
    await calls.untilGone(leg);
    const back = await lab.connect(CITIZEN);
    const bye = await back.request('BYE');
    back.respond(bye, '200 OK');
    back.terminate();
    await lab.untilNotice('lost', CITIZEN);
    const third = await lab.connect(CITIZEN);
    expect(statusOf(await third.register())).to.equal(200);
    expect(third.received.filter((text) => text.startsWith('BYE'))).to.deep.equal([]);
  });

  it('RTC-1: an offer that comes while she is away is delivered when she is back', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    client.terminate();
    await lab.untilNotice('lost', CITIZEN);
    const relayed = nextEvent(lab.witness.events, 'relayed') as Promise<unknown>;
    await calls.call(CITIZEN, leg);
    await relayed;
    expect(lab.stamps).to.deep.equal([]);
    const back = await lab.connect(CITIZEN);
    const invite = await back.request('INVITE');
    expect(invite).to.match(new RegExp(`^INVITE sip:${CITIZEN}@${SIP_DOMAIN} SIP/2.0`));
    back.respond(invite, '200 OK', answerTo(invite));
    await calls.untilUp(leg);
    await lab.untilStamp('answer-received');
    expect(lab.stamps.map(({ kind }) => kind)).to.deep.equal(['offer-sent', 'answer-received']);
  });

  it('keeps the call through a lost socket: her own BYE from the new one ends it', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    const invite = await inCall(client, leg);
    client.terminate();
    const back = await lab.connect(CITIZEN, { contactUser: client.contactUser });
    back.send(back.inDialog(invite, 'BYE'));
    expect(statusOf(await back.response())).to.equal(200);
    expect((await calls.untilGone(leg)).cause).to.equal(16);
  });

  it("RTC-10: another client cannot end her call, though it knows the call's ids", async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    const invite = await inCall(client, leg);
    const other = await registered('citizen-c2-d1');
    other.send(client.inDialog(invite, 'BYE'));
    expect(statusOf(await other.response())).to.equal(481);
    other.respond(invite, '486 Busy Here');
    other.send(other.outOfDialog('OPTIONS'));
    expect(statusOf(await other.response())).to.equal(200);
    expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_DIALOG', 'ERR_EDGE_TRANSACTION']);
    expect(await liveChannels(engine)).to.deep.equal([leg]);
  });

  it('closes the older of two sockets of one address of record with 4001, and calls the newer', async () => {
    const leg = legId();
    const first = await registered(CITIZEN);
    const second = await registered(CITIZEN);
    expect(await first.end()).to.deep.equal({ code: 4001, reason: 'replaced' });
    await inCall(second, leg);
    expect(lab.edge.lanes).to.equal(1);
  });

  it('forgets a client that stays away, and the engine with it', async () => {
    const client = await registered(CITIZEN);
    client.terminate();
    await lab.untilNotice('closed', CITIZEN, 4_000);
    expect(lab.edge.lanes).to.equal(0);
    await calls.events.until(({ type, endpoint }) => {
      return type === 'PeerStatusChange' && (endpoint as { state?: string }).state === 'offline';
    });
  });

  it('goes on with a call while the core is away, and tells it afterwards', async () => {
    const leg = legId();
    const client = await registered(CITIZEN);
    await lab.stopCore();
    const invite = await inCall(client, leg);
    client.send(client.inDialog(invite, 'BYE'));
    expect((await calls.untilGone(leg)).cause).to.equal(16);
    await lab.startCore();
    await lab.untilStamp('answer-received');
    expect(lab.stamps.map(({ kind }) => kind)).to.deep.equal(['offer-sent', 'answer-received']);
  });

  it('ends a client that the core orders to be ended', async () => {
    const client = await registered(CITIZEN);
    const other = await registered('citizen-c2-d1');
    lab.core.closeClient(CITIZEN, 4403, 'token revoked');
    expect(await client.end()).to.deep.equal({ code: 4403, reason: 'token revoked' });
    expect(statusOf(await other.register())).to.equal(200);
  });

  it('speaks to the engine from the address that it is given: from another, no endpoint answers', async () => {
    const strange = await startEdgeLab(engine, { localAddress: '127.0.0.3' });
    try {
      const client = await strange.connect('citizen-c3-d1');
      const answer = await client.register();
      expect(statusOf(answer)).to.be.oneOf([401, 403]);
    } finally {
      await strange.stop();
    }
  });

  it('RTC-3: carries a real WebRTC call of the client library, both before and after its connection is cut', async () => {
    const leg = legId();
    const sockets: WebSocket[] = [];
    (await lab.connect(CITIZEN)).terminate();
    const track = createToneTrack(await opusLoop(1_000));
    const client = new SipClient({
      sipUri: `sip:${CITIZEN}@${SIP_DOMAIN}`,
      protocol: 'WS',
      openSocket: () => {
        const headers = { authorization: `Bearer ${CITIZEN}`, 'x-hamrahi-device': 'd1' };
        const socket = new WebSocket(`ws://127.0.0.1:${lab.edge.port}/sip`, 'sip', { headers });
        sockets.push(socket);
        return Promise.resolve(socket);
      },
      media: () => ({
        media: createWeriftMedia({ failIce: false }),
        direction: 'sendonly',
        track: () => Promise.resolve(track as unknown as MediaStreamTrack),
        iceServers: [],
        gatheringTimeoutMs: 500,
      }),
    });
    const taken = once<SipClientEvents, 'leg'>(client, 'leg');
    const ready = once(client, 'state', (state) => state === 'registered');
    client.start();
    try {
      await ready;
      await calls.call(CITIZEN, leg);
      const incoming = await taken;
      const connected = once(incoming, 'connected');
      const ended = once(incoming, 'ended');
      await incoming.answer();
      await connected;
      for (const socket of sockets) socket.terminate();
      await calls.hangUp(leg);
      expect(await ended).to.include({ how: 'hung-up' });
      expect((await calls.untilGone(leg)).cause).to.be.oneOf([16, 32]);
      expect(lab.witness.refused).to.deep.equal([]);
    } finally {
      await client.stop();
      track.stop();
    }
  });
});

describe('adapters/edge: an engine that dies', function () {
  this.timeout(20_000);

  it("closes its clients' sockets with 4003, so that they register anew", async () => {
    const engine = await startTestEngine({ trunks: [sandboxTrunk(9)] });
    const lab = await startEdgeLab(engine);
    try {
      const client = await lab.connect(CITIZEN);
      await client.register();
      await engine.asterisk.kill();
      expect(await client.end()).to.deep.equal({ code: 4003, reason: 'ERR_EDGE_UPSTREAM' });
      await lab.untilNotice('closed', CITIZEN);
      expect(lab.edge.lanes).to.equal(0);
    } finally {
      await lab.stop();
      await engine.stop();
    }
  });
});
