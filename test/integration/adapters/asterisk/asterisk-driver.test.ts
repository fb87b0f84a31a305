import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { startAsterisk, type AsteriskProcess } from '../../../../control-plane/sandbox/asterisk-process.ts';
import type { AsteriskDriver } from '../../../../control-plane/src/adapters/asterisk/asterisk-driver.ts';
import { appDialOrder } from '../../../../control-plane/src/adapters/asterisk/dial-order.ts';
import {
  bridgeIdOf,
  citizenAor,
  legIdOf,
  type AddressOfRecord,
  type CitizenId,
  type DeviceId,
  type LegId,
  type LegKind,
  type SessionId,
} from '../../../../control-plane/src/domain/ids.ts';
import type { PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';
import type { PhoneBehaviour } from '../../../contract/pbx-driver.contract.ts';
import { ariRequest } from '../../../support/ari-request.ts';
import { startAsteriskPbxLab, type AsteriskPbxLab } from '../../../support/asterisk-pbx-lab.ts';
import { topicsOfDevices } from '../../../support/asterisk-memory.ts';
import { asteriskRootDir } from '../../../support/sandbox-roots.ts';
import {
  headerOf,
  openWebSocketPeer,
  PLAIN_SDP,
  ringUntilCancelled,
  startLine,
  type SipPeer,
} from '../../../support/sip-peer.ts';

const DONE = { ok: true, value: undefined };
/** Longer than Asterisk takes to ask again for whoever was answered (extensions.conf). */
const UNATTENDED_MS = 600;

describe('adapters/asterisk/asterisk-driver', function () {
  this.timeout(30_000);
  let lab: AsteriskPbxLab;
  let sessionId: SessionId;
  let events: PbxEvent[] = [];
  const drivers: AsteriskDriver[] = [];
  const peers: SipPeer[] = [];
  const aors: AddressOfRecord[] = [];

  before(async function () {
    this.timeout(60_000);
    lab = await startAsteriskPbxLab();
    lab.driver.onEvent((event) => events.push(event));
  });
  beforeEach(async () => {
    await lab.carrier.reset();
    events = [];
    sessionId = randomUUID() as SessionId;
  });
  afterEach(async () => {
    await lab.carrier.clearFaults();
    await Promise.all(drivers.splice(0).map((driver) => driver.stop()));
    if (['replaced', 'stopped'].includes(lab.driver.state)) await lab.driver.start(5_000);
    await until('the first driver', () => lab.driver.attached);
    const snapshot = await lab.driver.list();
    if (!snapshot.ok) throw new Error(snapshot.code);
    // A peer that still rings is asked to stop; with nobody to answer that, its call would linger for half a minute.
    for (const { legId } of snapshot.value.legs) await lab.driver.hangup(legId, 'session-ended');
    for (const { bridgeId } of snapshot.value.bridges) await lab.driver.closeBridge(bridgeId);
    for (const aor of aors.splice(0)) await lab.driver.removeEndpoint(aor);
    await lab.assertNothingLeft();
    for (const peer of peers.splice(0)) peer.close();
  });
  after(() => lab.stop());

  const until = async (
    what: string,
    isTrue: () => boolean | Promise<boolean>,
    deadlineMs = 3_000,
  ): Promise<void> => {
    const deadline = performance.now() + deadlineMs;
    while (!(await isTrue())) {
      if (performance.now() > deadline) {
        throw new Error(`not in time: ${what}; there were: ${events.map(({ type }) => type).join(' ')}`);
      }
      await delay(5);
    }
  };
  const has = (type: PbxEvent['type'], legId?: LegId): boolean =>
    events.some(
      (event) => event.type === type && (legId === undefined || ('legId' in event && event.legId === legId)),
    );
  const ended = (legId: LegId) => events.find((event) => event.type === 'leg.ended' && event.legId === legId);
  const dial = async (driver: AsteriskDriver, kind: LegKind, behaviour: PhoneBehaviour): Promise<LegId> => {
    const legId = legIdOf(sessionId, kind, 1);
    const order = {
      legId,
      number: lab.number(behaviour),
      trunk: lab.trunk,
      ringTimeoutMs: 10_000,
    };
    expect(await driver.dialPhone(order)).to.deep.equal(DONE);
    return legId;
  };
  const phoneOf = (legId: LegId) => {
    const reference = events.find((event) => event.type === 'leg.carrier-reference' && event.legId === legId);
    return lab.carrier.waitForCall(
      ({ callId }) => reference?.type === 'leg.carrier-reference' && callId === reference.callId,
      2_000,
    );
  };
  const newAor = async (): Promise<AddressOfRecord> => {
    const aor = citizenAor(randomUUID().slice(0, 8) as CitizenId, 'phone' as DeviceId);
    aors.push(aor);
    expect(await lab.driver.provisionEndpoint(aor)).to.deep.equal(DONE);
    return aor;
  };
  const registeredPeer = async (aor: AddressOfRecord): Promise<SipPeer> => {
    const peer = await openWebSocketPeer(lab.socketUrl);
    peers.push(peer);
    const address = `sip:${aor}@127.0.0.1`;
    const registered = { method: 'REGISTER', requestUri: 'sip:127.0.0.1', from: address, to: address };
    expect(startLine(await peer.request(registered))).to.equal('200');
    ringUntilCancelled(peer);
    return peer;
  };

  describe('on the wire', () => {
    it('marks a client’s INVITE with leg and session, and puts Opus first', async () => {
      const aor = await newAor();
      const peer = await registeredPeer(aor);
      const legId = legIdOf(sessionId, 'citizen-app', 1);
      const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 5_000 } as const;
      expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
      const invite = await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
      expect(headerOf(invite, 'x-hamrahi-leg')).to.equal(legId);
      expect(headerOf(invite, 'x-hamrahi-session')).to.equal(sessionId);
      expect(invite.body).to.match(/^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 107 /m);
      expect(invite.body).to.match(/^a=rtpmap:107 opus\/48000\/2\r$/m);
    });

    it('TEL-2 FB-4: tells the carrier an owned number and no id of ours, and us its Call-ID', async () => {
      const legId = await dial(lab.driver, 'citizen-phone', 'ring-for-ever');
      const reference = events.find((event) => event.type === 'leg.carrier-reference');
      const callId = reference?.type === 'leg.carrier-reference' ? reference.callId : '';
      const call = await lab.carrier.waitForCall((one) => one.callId === callId, 2_000);
      expect(call.from?.user).to.equal('+911140000100');
      expect(call.pAssertedIdentity?.user).to.equal('+911140000100');
      expect(call.privacy).to.equal(null);
      expect(call.codecs.map(({ name }) => name)).to.include.members(['PCMA', 'PCMU']);
      const [invite] = await lab.carrier.fetchMessages(callId);
      expect(invite?.text)
        .to.not.include(sessionId)
        .and.not.match(/hamrahi-(leg|session)/i);
      await lab.driver.hangup(legId, 'normal');
    });

    it('FB-8: cancels with a Reason that leaves no missed call when the stream won', async () => {
      const legId = await dial(lab.driver, 'citizen-phone', 'ring-for-ever');
      await until('ringing', () => has('leg.ringing', legId));
      await lab.driver.hangup(legId, 'stream-won');
      const call = await lab.carrier.waitForCall(({ cancelReasons }) => cancelReasons.length > 0, 2_000);
      expect(call.cancelReasons.map(({ protocol, cause }) => `${protocol} ${cause}`)).to.include.members([
        'SIP 200',
        'Q.850 26',
      ]);
    });
  });

  it('RTC-7: a client whose ICE fails ends as media that failed', async () => {
    const aor = await newAor();
    const client = await lab.connectDeafClient(aor);
    await until('its contact', () => has('contact.online'));
    const legId = legIdOf(sessionId, 'citizen-app', 1);
    await lab.driver.dialApp({ legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 5_000 });
    lab.driver.watchMedia(legId);
    await until('the end', () => has('leg.ended', legId), 5_000);
    expect(ended(legId)).to.include({ outcome: 'media-failed', sipStatus: 408 });
    expect(has('media.first-packet', legId)).to.equal(false);
    await client.disconnect();
  });

  for (const [where, user] of [
    ['to a telephone by its trunk', 'PJSIP%2FTRUNK%2Fsip%3A%2B919812300000%40127.0.0.1%3A9'],
    ['to whoever waits to be commanded', 'Local%2Fhamrahi%40answered-phone'],
  ] as const)
    it(`ends what Asterisk dials by itself where it is sent on: ${where}`, async () => {
      const aor = await newAor();
      const peer = await registeredPeer(aor);
      const contact = `Contact: <sip:${user.replace('TRUNK', lab.trunk)}@192.0.2.1>`;
      peer.answer = ({ cseq: { method } }) => (method === 'INVITE' ? [`302 Moved\r\n${contact}`] : []);
      const legId = legIdOf(sessionId, 'citizen-app', 1);
      const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 10_000 } as const;
      expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
      await until('the end of the leg', () => has('leg.ended', legId));
      expect(ended(legId)).to.include({ outcome: 'rejected', sipStatus: 302 });
      await until('the refusal', () => has('call.unexpected'));
      expect(
        events.find(({ type }) => type === 'call.unexpected'),
        'no trunk',
      ).to.include({ from: aor });
      expect(events.filter(({ type }) => type === 'leg.answered')).to.be.empty;
    });

  it('RTC-9: leaves no endpoint that is removed while its call is being hung up', async () => {
    for (let call = 1; call <= 30; call += 1) {
      const aor = await newAor();
      const peer = await registeredPeer(aor);
      ringUntilCancelled(peer);
      const legId = legIdOf(sessionId, 'citizen-app', call);
      const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 10_000 } as const;
      expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
      await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
      await lab.driver.hangup(legId, 'session-ended');
      expect(await lab.driver.removeEndpoint(aor)).to.deep.equal(DONE);
    }
    await lab.assertNothingLeft();
  });

  it('RTC-9: keeps the endpoint of a call that another process placed, when its device comes back', async () => {
    const aor = await newAor();
    const peer = await registeredPeer(aor);
    ringUntilCancelled(peer);
    const legId = legIdOf(sessionId, 'citizen-app', 1);
    const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 10_000 } as const;
    expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
    await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
    // with nobody registered it is not taken over as it is, but for its call
    const address = `sip:${aor}@127.0.0.1`;
    const away = { method: 'REGISTER', requestUri: 'sip:127.0.0.1', from: address, to: address };
    expect(startLine(await peer.request({ ...away, headers: ['Expires: 0'] }))).to.equal('200');
    const next = lab.newDriver();
    drivers.push(next);
    await next.start(5_000);
    expect(await next.provisionEndpoint(aor)).to.deep.equal(DONE);
    const { body } = await ariRequest(lab.engine, 'GET', `/endpoints/PJSIP/${aor}`);
    expect(body).to.deep.include({ state: 'offline', channel_ids: [legId] });
    await next.hangup(legId, 'session-ended');
    expect(await next.removeEndpoint(aor)).to.deep.equal(DONE);
    await lab.assertNothingLeft();
  });

  /** Its objects are deleted under its call: Asterisk lists it from then on, online, with nothing behind it; mostly. */
  const newGhost = async (): Promise<AddressOfRecord> => {
    for (let attempt = 1; attempt <= 60; attempt += 1) {
      const aor = await newAor();
      const peer = await registeredPeer(aor);
      const legId = legIdOf(sessionId, 'citizen-app', attempt);
      const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 10_000 } as const;
      expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
      await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
      const gone = lab.driver.hangup(legId, 'session-ended');
      for (const type of ['endpoint', 'aor'])
        await ariRequest(lab.engine, 'DELETE', `/asterisk/config/dynamic/res_pjsip/${type}/${aor}`);
      await gone;
      await until('the end of the leg', () => has('leg.ended', legId));
      await delay(300);
      const { status, body } = await ariRequest(lab.engine, 'GET', `/endpoints/PJSIP/${aor}`);
      if (status === 200 && (body as { state: string }).state === 'online') return aor;
    }
    throw new Error('Asterisk makes no ghosts any more: what is done against them can go');
  };

  it('RTC-9: an endpoint that the engine lists for ever after its removal is removed again', async () => {
    const aor = await newGhost();
    expect(await lab.driver.removeEndpoint(aor)).to.deep.equal(DONE);
    await lab.assertNothingLeft();
    expect(lab.log.lines.filter((line) => line.includes('removed again'))).to.not.be.empty;
  });

  it('RTC-1: a device that the engine lists, and has nothing of, is away for the next process, and can register', async () => {
    const aor = await newGhost();
    const next = lab.newDriver();
    drivers.push(next);
    const told: PbxEvent[] = [];
    next.onEvent((event) => told.push(event));
    await next.start(5_000);
    await until('it is away', () =>
      told.some((event) => event.type === 'contact.offline' && event.aor === aor),
    );
    expect(await next.provisionEndpoint(aor)).to.deep.equal(DONE);
    await registeredPeer(aor);
    expect(await next.removeEndpoint(aor)).to.deep.equal(DONE);
    await lab.assertNothingLeft();
  });

  it('leaves nothing in Asterisk of a client that was called and is gone, whatever its name', async () => {
    const aor = await newAor();
    const peer = await registeredPeer(aor);
    await until('its contact', () => has('contact.online'));
    const legId = legIdOf(sessionId, 'citizen-app', 1);
    const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 10_000 } as const;
    expect(await lab.driver.dialApp(order)).to.deep.equal(DONE);
    await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
    await lab.driver.hangup(legId, 'normal');
    await until('the end of the leg', () => has('leg.ended', legId));
    expect(await lab.driver.removeEndpoint(aor)).to.deep.equal(DONE);
    expect(topicsOfDevices(lab.engine.asterisk.directories)).to.deep.equal([]);
  });

  it('refuses a client that calls without being asked, and says who it was', async () => {
    const aor = await newAor();
    const peer = await registeredPeer(aor);
    const address = `sip:${aor}@127.0.0.1`;
    const invite = {
      method: 'INVITE',
      requestUri: 'sip:join@127.0.0.1',
      from: address,
      body: withDtls(PLAIN_SDP),
    };
    expect(startLine(await peer.request(invite))).to.equal('480');
    await until('the event', () => has('call.unexpected'));
    expect(events.find(({ type }) => type === 'call.unexpected')).to.include({ source: 'client', from: aor });
  });

  it('TEL-8: tells when a trunk stops answering OPTIONS and when it does again', async () => {
    const isOnline = async (): Promise<boolean> =>
      (await lab.witness.endpoints()).some(({ name, online }) => name === lab.trunk && online);
    await until('the first answer to OPTIONS', isOnline, 15_000);
    const told = () => events.map(({ type }) => type).filter((type) => type.startsWith('trunk.'));
    await lab.carrier.addFault({ method: 'OPTIONS', action: { do: 'drop' } });
    await until('trunk.down', () => told().at(-1) === 'trunk.down', 15_000);
    await lab.carrier.clearFaults();
    await until('trunk.up', () => told().at(-1) === 'trunk.up', 15_000);
    // alone, this test may see the first answer of all, too
    expect(told().slice(told().indexOf('trunk.down'))).to.deep.equal(['trunk.down', 'trunk.up']);
  });

  it('FB-8: ends each leg exactly once, however cancel and answer cross', async () => {
    const legIds = Array.from({ length: 40 }, (_, index) => legIdOf(sessionId, 'citizen-phone', index + 1));
    await Promise.all(
      legIds.map(async (legId, index) => {
        const number = lab.number('answer-at-once');
        await lab.driver.dialPhone({ legId, number, trunk: lab.trunk, ringTimeoutMs: 10_000 });
        await delay(index / 2);
        expect(await lab.driver.hangup(legId, 'stream-won')).to.deep.equal(DONE);
      }),
    );
    await until('every end', () => legIds.every((legId) => has('leg.ended', legId)));
    await lab.assertNothingLeft();
    for (const legId of legIds) {
      const story = events.filter((event) => 'legId' in event && event.legId === legId);
      expect(story.filter(({ type }) => type === 'leg.ended')).to.have.length(1);
      expect(story.at(-1)).to.include({ outcome: has('leg.answered', legId) ? 'completed' : 'cancelled' });
    }
  });

  it('TEL-10: ends a holding prompt that began before the connection was lost', async () => {
    const citizen = await dial(lab.driver, 'citizen-phone', 'answer-at-once');
    const operator = await dial(lab.driver, 'operator-phone', 'answer-at-once');
    await until('answers', () => has('leg.answered', citizen) && has('leg.answered', operator));
    expect(await lab.driver.startHoldingPrompt(citizen)).to.deep.equal(DONE);
    await delay(300);
    lab.breakConnection();
    await until('the return', () => has('engine.back'));
    const bridgeId = bridgeIdOf(sessionId, 'phone');
    for (const legId of [citizen, operator]) {
      expect(await lab.driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
    }
    const operatorHz = (await phoneOf(operator)).phoneHz;
    await until('her hearing him, and no prompt', async () =>
      (await phoneOf(citizen)).heard.some(({ hz }) => hz === operatorHz),
    );
  });

  it('TEL-10: legs that a closed bridge lets go hear the prompt, and each other again', async () => {
    const citizen = await dial(lab.driver, 'citizen-phone', 'answer-at-once');
    const operator = await dial(lab.driver, 'operator-phone', 'answer-at-once');
    await until('answers', () => has('leg.answered', citizen) && has('leg.answered', operator));
    const bridgeId = bridgeIdOf(sessionId, 'phone');
    for (let round = 1; round <= 5; round += 1) {
      for (const legId of [citizen, operator])
        expect(await lab.driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
      expect(await lab.driver.closeBridge(bridgeId)).to.deep.equal(DONE);
      const frames = async (legId: LegId) => (await phoneOf(legId)).audio?.frames ?? 0;
      for (const legId of [citizen, operator])
        expect(await lab.driver.startHoldingPrompt(legId)).to.deep.equal(DONE);
      // Out of a bridge Asterisk sends a phone nothing but a prompt.
      for (const legId of [citizen, operator]) {
        const before = await frames(legId);
        await until('the prompt', async () => (await frames(legId)) > before + 10);
      }
    }
  });

  it('RTC-8: lists 150 calls, and finds them again after a loss', async () => {
    const legIds = Array.from({ length: 150 }, (_, index) => legIdOf(sessionId, 'citizen-phone', index + 1));
    await Promise.all(
      legIds.map((legId) => {
        const number = lab.number('ring-for-ever');
        return lab.driver.dialPhone({ legId, number, trunk: lab.trunk, ringTimeoutMs: 20_000 });
      }),
    );
    await until('all ring', () => legIds.every((legId) => has('leg.ringing', legId)), 8_000);
    const snapshot = await lab.driver.list();
    expect(snapshot.ok && snapshot.value.legs.map(({ legId }) => legId)).to.have.members(legIds);
    lab.breakConnection();
    await until('the return', () => has('engine.back'));
    const back = events.find((event) => event.type === 'engine.back');
    expect(back?.type === 'engine.back' && back.snapshot.legs).to.have.length(150);
    await Promise.all(legIds.map((legId) => lab.driver.hangup(legId, 'normal')));
    await until('every end', () => legIds.every((legId) => has('leg.ended', legId)), 8_000);
  });

  it('RTC-9 a call that was answered and ended is over for the dialplan too: nothing of it is run again', async () => {
    const legId = await dial(lab.driver, 'citizen-phone', 'answer-at-once');
    await until('the answer', () => has('leg.answered', legId));
    expect(await lab.driver.startHoldingPrompt(legId)).to.deep.equal(DONE);
    await lab.driver.hangup(legId, 'normal');
    await until('its end', () => has('leg.ended', legId));
    await delay(UNATTENDED_MS);
    const log = readFileSync(join(lab.engine.runDir, 'log/full'), 'utf8');
    expect(log.split('\n').filter((line) => line.includes("app 'h'"))).to.deep.equal([]);
  });

  it('RTC-9 TEL-10 commands whoever answered while its connection was lost, and takes the prompt from their ears', async () => {
    const citizen = await dial(lab.driver, 'citizen-phone', 'answer-after-1s');
    const operator = await dial(lab.driver, 'operator-phone', 'answer-after-1s');
    await until('ringing', () => has('leg.ringing', citizen) && has('leg.ringing', operator));
    lab.proxy.refuse(true);
    lab.breakConnection();
    await until('answers', async () => (await lab.witness.channels()).every(({ state }) => state === 'Up'));
    await delay(UNATTENDED_MS);
    lab.proxy.refuse(false);
    await until('the return', () => has('engine.back'));
    const bridgeId = bridgeIdOf(sessionId, 'phone');
    for (const legId of [citizen, operator])
      expect(await lab.driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
    const { phoneHz } = await phoneOf(operator);
    await until('her hearing him, and no prompt', async () =>
      (await phoneOf(citizen)).heard.some(({ hz }) => hz === phoneHz),
    );
  });

  it('RTC-3: an app that is answered while nobody commands hears nothing', async () => {
    const aor = await newAor();
    const client = await lab.connectClient(aor, 'answers');
    await until('the contact', () => has('contact.online'));
    const legId = legIdOf(sessionId, 'citizen-app', 1);
    const order = appDialOrder(
      { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 5_000 },
      'nobody-commands-this',
    );
    const { channelId, variables, ...query } = order;
    const values = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
    const path = `/channels/${channelId}?${new URLSearchParams(values).toString()}`;
    expect(await ariRequest(lab.engine, 'POST', path, { variables })).to.include({ status: 200 });
    await until('its answer', async () => (await lab.witness.channels()).some(({ state }) => state === 'Up'));
    await delay(2 * UNATTENDED_MS);
    expect(await lab.witness.channels()).to.have.length(1);
    expect(await client.received()).to.equal(0);
    await client.disconnect();
  });

  describe('another process', () => {
    const startAnother = async () => {
      const told: PbxEvent[] = [];
      const driver = lab.newDriver();
      drivers.push(driver);
      driver.onEvent((event) => told.push(event));
      await driver.start(3_000);
      return { driver, told };
    };

    it('finds the calls of the one before it, and commands them', async () => {
      const citizen = await dial(lab.driver, 'citizen-phone', 'answer-at-once');
      const operator = await dial(lab.driver, 'operator-phone', 'answer-at-once');
      await until('answers', () => has('leg.answered', citizen) && has('leg.answered', operator));
      await lab.driver.startHoldingPrompt(citizen);
      const { driver, told } = await startAnother();
      const [back] = told;
      expect(back?.type === 'engine.back' && back.snapshot.legs).to.have.deep.members([
        { legId: citizen, state: 'answered', bridgeId: null, trunk: lab.trunk },
        { legId: operator, state: 'answered', bridgeId: null, trunk: lab.trunk },
      ]);
      const order = {
        legId: citizen,
        number: lab.number('busy'),
        trunk: lab.trunk,
        ringTimeoutMs: 9_000,
      };
      expect(await driver.dialPhone(order), 'dialled again').to.deep.equal(DONE);
      driver.watchMedia(citizen);
      const bridgeId = bridgeIdOf(sessionId, 'phone');
      for (const legId of [citizen, operator]) {
        expect(await driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
      }
      const bridged = () => told.find((event) => event.type === 'leg.bridged');
      await until('the bridge', () => bridged() !== undefined);
      expect(bridged()).to.include({ technology: 'simple_bridge' });
      await until('packets', () => told.some(({ type }) => type === 'media.streaming'));
      expect(await lab.witness.bridges()).to.have.deep.members([
        { id: bridgeId, technology: 'simple_bridge', members: [citizen, operator] },
      ]);
      await driver.hangup(citizen, 'normal');
      await until('its end', () =>
        told.some((event) => event.type === 'leg.ended' && event.legId === citizen),
      );
    });

    it('RTC-9 FB-3 finds whom nobody commanded when they answered: still up, and still the same call', async () => {
      const citizen = await dial(lab.driver, 'citizen-phone', 'answer-after-1s');
      const operator = await dial(lab.driver, 'operator-phone', 'answer-after-1s');
      await until('ringing', () => has('leg.ringing', citizen) && has('leg.ringing', operator));
      await lab.driver.stop();
      await until('answers', async () => (await lab.witness.channels()).every(({ state }) => state === 'Up'));
      await delay(UNATTENDED_MS);
      const { driver, told } = await startAnother();
      const [back] = told;
      expect(back?.type === 'engine.back' && back.snapshot.legs).to.have.deep.members([
        { legId: citizen, state: 'answered', bridgeId: null, trunk: lab.trunk },
        { legId: operator, state: 'answered', bridgeId: null, trunk: lab.trunk },
      ]);
      expect(await driver.startHoldingPrompt(citizen)).to.deep.equal(DONE);
      const bridgeId = bridgeIdOf(sessionId, 'phone');
      for (const legId of [citizen, operator])
        expect(await driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
      const { phoneHz } = await phoneOf(operator);
      await until('her hearing him, and no prompt', async () =>
        (await phoneOf(citizen)).heard.some(({ hz }) => hz === phoneHz),
      );
      await driver.hangup(citizen, 'normal');
      await until('its end', () =>
        told.some((event) => event.type === 'leg.ended' && event.legId === citizen),
      );
    });

    it('RTC-1 leaves whoever is registered in peace: the next offer finds her without a new REGISTER', async () => {
      const aor = await newAor();
      const peer = await registeredPeer(aor);
      const { driver, told } = await startAnother();
      expect(await driver.provisionEndpoint(aor)).to.deep.equal(DONE);
      const legId = legIdOf(sessionId, 'citizen-app', 1);
      const order = { legId, sessionId, kind: 'citizen-app', aor, ringTimeoutMs: 5_000 } as const;
      expect(await driver.dialApp(order)).to.deep.equal(DONE);
      await peer.untilRequest(({ cseq }) => cseq.method === 'INVITE');
      expect(told.filter(({ type }) => type === 'contact.offline')).to.deep.equal([]);
      await driver.hangup(legId, 'normal');
    });

    it('takes the engine over: the first one hears that it is lost, and commands nothing', async () => {
      const legId = await dial(lab.driver, 'citizen-phone', 'ring-for-ever');
      await startAnother();
      await until('engine.lost', () => has('engine.lost'));
      expect(lab.driver.attached).to.equal(false);
      expect(lab.driver.state).to.equal('replaced');
      const refused = { ok: false, code: 'ERR_PBX_REPLACED' };
      expect(await lab.driver.hangup(legId, 'normal')).to.include(refused);
      expect(await lab.driver.join(bridgeIdOf(sessionId, 'phone'), legId, 'both')).to.include(refused);
      const order = { legId, number: lab.number('busy'), trunk: lab.trunk, ringTimeoutMs: 9_000 };
      expect(await lab.driver.dialPhone(order)).to.include(refused);
      await delay(1_200);
      expect(has('engine.back')).to.equal(false);
    });
  });

  describe('an engine that does not answer', () => {
    it('leaves nothing of a call whose dial order got no answer', async () => {
      lab.proxy.freeze('answers');
      const legId = legIdOf(sessionId, 'citizen-phone', 1);
      const number = lab.number('answer-at-once');
      const order = { legId, number, trunk: lab.trunk, ringTimeoutMs: 9_000 };
      const result = await lab.driver.dialPhone(order);
      expect(result).to.include({ ok: false });
      expect(result.ok ? '' : result.code).to.be.oneOf(['ERR_PBX_TIMEOUT', 'ERR_PBX_DISCONNECTED']);
      const call = await lab.carrier.waitForCall((one) => one.number === number.reveal(), 1_000);
      expect(call.times.inviteAt, 'the order was carried out').to.be.above(0);
      await until('the return', () => has('engine.back'), 5_000);
      const back = events.find((event) => event.type === 'engine.back');
      expect(back?.type === 'engine.back' && back.snapshot.legs).to.deep.equal([]);
      await lab.carrier.waitForCall((one) => one.number === number.reveal() && one.state === 'ended', 2_000);
      expect(events.filter((event) => 'legId' in event && event.legId === legId)).to.deep.equal([]);
    });

    it('breaks a socket on which Asterisk is stuck, and commands again by a new one', async () => {
      const legId = await dial(lab.driver, 'citizen-phone', 'answer-at-once');
      await until('the answer', () => has('leg.answered', legId));
      // a playback by another's hand: until it ends, Asterisk will not add the channel, nor answer anything else
      const play = `/channels/${legId}/play/stuck?media=tone:ring`;
      await until('the playback', async () => (await ariRequest(lab.engine, 'POST', play)).status === 201);
      const bridgeId = bridgeIdOf(sessionId, 'phone');
      const joined = await lab.driver.join(bridgeId, legId, 'both');
      expect(joined.ok ? '' : joined.code).to.be.oneOf(['ERR_PBX_TIMEOUT', 'ERR_PBX_DISCONNECTED']);
      await until('the return', () => has('engine.back'), 5_000);
      expect(await lab.driver.hangup(legId, 'normal')).to.deep.equal(DONE);
      await until('the end', () => has('leg.ended', legId));
    });

    it('has its endpoints put again after a restart of Asterisk', async () => {
      const stays = await newAor();
      const goes = await newAor();
      await lab.driver.removeEndpoint(goes);
      await lab.engine.asterisk.kill();
      await until('engine.lost', () => has('engine.lost'));
      const restarted = await restart(lab);
      try {
        await until('engine.back', () => has('engine.back'), 5_000);
        const endpoints = await lab.witness.endpoints();
        expect(endpoints.map(({ name }) => name)).to.have.members([lab.trunk, stays]);
        const peer = await registeredPeer(stays);
        await until('its contact', () => has('contact.online'));
        peer.close();
        await lab.driver.removeEndpoint(stays);
        await lab.assertNothingLeft();
      } finally {
        lab.replaceEngine(restarted);
      }
    });
  });

  describe('its log, after all this', () => {
    it('TEL-6: holds no number and no password', () => {
      const text = lab.log.lines.join('\n');
      expect(lab.log.lines).to.have.length.above(5);
      expect(text).to.not.match(/\+?91\d{10}/);
      expect(text).to.not.include(lab.engine.settings.ari.password.reveal());
    });
  });
});

/** The same Asterisk anew: its configuration and ports are as they were. */
function restart(lab: AsteriskPbxLab): Promise<AsteriskProcess> {
  const { settings, runDir } = lab.engine;
  return startAsterisk({
    root: asteriskRootDir(),
    runDir,
    name: 'gateway',
    ari: {
      host: settings.http.address,
      port: settings.http.port,
      user: settings.ari.user,
      password: settings.ari.password.reveal(),
    },
  });
}

/** What a WebRTC endpoint asks of an offer, as far as a call that is refused gets. */
function withDtls(sdp: string): string {
  const lines = [
    'a=setup:actpass',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    'a=rtcp-mux',
  ];
  return `${sdp.replace('RTP/AVP', 'UDP/TLS/RTP/SAVPF')}${lines.map((line) => `${line}\r\n`).join('')}`;
}
