/** What every engine's driver promises. The lab gives a driver, phones that behave by their number, and clients. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import {
  bridgeIdOf,
  citizenAor,
  legIdOf,
  operatorAor,
  type AddressOfRecord,
  type BridgeId,
  type CitizenId,
  type ClientId,
  type DeviceId,
  type LegId,
  type LegKind,
  type OperatorId,
  type SessionId,
} from '../../control-plane/src/domain/ids.ts';
import type { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import type { AppDial, PbxDriver, PbxEvent, PhoneDial } from '../../control-plane/src/ports/pbx-driver.ts';

/** Names of the carrier simulator's behaviours. */
export type PhoneBehaviour =
  | 'answer-at-once'
  | 'answer-silent'
  | 'answer-after-1s'
  | 'answer-hang-up'
  | 'early-media-answer'
  | 'ring-for-ever'
  | 'busy'
  | 'declined'
  | 'unavailable'
  | 'unknown-subscriber'
  | 'congestion'
  | 'no-reply';

/** `answers`: with media, sending packets until told otherwise. */
export type ClientBehaviour = 'answers' | 'rings' | 'busy';

export interface PbxClient {
  /** Stops or starts its packets. */
  send(packets: boolean): void;
  /** Packets of voice that reached it. */
  received(): Promise<number>;
  /** Its registration ends. */
  disconnect(): Promise<void>;
}

export interface PbxLab {
  readonly driver: PbxDriver;
  readonly trunk: string;
  number(behaviour: PhoneBehaviour): PhoneNumber;
  /** What the phone of this number plays once it is answered. */
  toneOf(number: PhoneNumber): number;
  connectClient(aor: AddressOfRecord, behaviour: ClientBehaviour): Promise<PbxClient>;
  /** Resolves when the phone of one number hears that of the other. Throws at its deadline. */
  untilHears(listener: PhoneNumber, speaker: PhoneNumber): Promise<void>;
  /** A call out of the blue from the trunk; resolves with its final SIP status. */
  callIn(): Promise<number>;
  /** The connection to the engine breaks; it comes back by itself. */
  breakConnection(): void;
  /** As an independent observer sees it: no channel, bridge or client endpoint. Throws at its deadline. */
  assertNothingLeft(): Promise<void>;
  stop(): Promise<void>;
}

type EventOf<Type extends PbxEvent['type']> = Extract<PbxEvent, { type: Type }>;

const SOON_MS = 3_000;

export function describePbxDriver(name: string, startLab: () => Promise<PbxLab>): void {
  describe(`ports/pbx-driver by ${name}`, function () {
    this.timeout(20_000);
    let lab: PbxLab;
    let driver: PbxDriver;
    let events: PbxEvent[] = [];
    let sessionId: SessionId;
    let clients: PbxClient[] = [];
    let aors: AddressOfRecord[] = [];

    before(async function () {
      this.timeout(60_000);
      lab = await startLab();
      driver = lab.driver;
      driver.onEvent((event) => events.push(event));
    });
    after(() => lab.stop());

    beforeEach(() => {
      events = [];
      clients = [];
      aors = [];
      sessionId = randomUUID() as SessionId;
    });
    afterEach(async () => {
      const snapshot = await driver.list();
      if (!snapshot.ok) throw new Error(snapshot.code);
      await Promise.all(snapshot.value.legs.map(({ legId }) => driver.hangup(legId, 'session-ended')));
      await Promise.all(snapshot.value.bridges.map(({ bridgeId }) => driver.closeBridge(bridgeId)));
      await Promise.all(clients.map((client) => client.disconnect()));
      await Promise.all(aors.map((aor) => driver.removeEndpoint(aor)));
      await lab.assertNothingLeft();
    });

    const of = <Type extends PbxEvent['type']>(type: Type, legId?: LegId): EventOf<Type>[] =>
      events.filter(
        (event): event is EventOf<Type> =>
          event.type === type && (legId === undefined || ('legId' in event && event.legId === legId)),
      );
    /** The names of a leg's events so far, without its reference and its media. */
    const story = (legId: LegId): string[] =>
      events
        .filter((event) => 'legId' in event && event.legId === legId && event.type.startsWith('leg.'))
        .map(({ type }) => type.slice(4))
        .filter((type) => type !== 'carrier-reference');
    const until = async <Type extends PbxEvent['type']>(
      type: Type,
      legId?: LegId,
      deadlineMs = SOON_MS,
    ): Promise<EventOf<Type>> => {
      const deadline = performance.now() + deadlineMs;
      for (;;) {
        const found = of(type, legId)[0];
        if (found !== undefined) return found;
        if (performance.now() > deadline) {
          throw new Error(`no ${type}; there were: ${events.map((event) => event.type).join(' ') || 'none'}`);
        }
        await delay(2);
      }
    };
    const phone = (
      kind: LegKind,
      behaviour: PhoneBehaviour,
      ringTimeoutMs = 10_000,
      attempt = 1,
    ): PhoneDial => ({
      legId: legIdOf(sessionId, kind, attempt),
      number: lab.number(behaviour),
      trunk: lab.trunk,
      ringTimeoutMs,
    });
    const answered = async (kind: LegKind, behaviour: PhoneBehaviour = 'answer-at-once'): Promise<LegId> => {
      const dial = phone(kind, behaviour);
      expect(await driver.dialPhone(dial)).to.deep.equal(DONE);
      await until('leg.answered', dial.legId);
      return dial.legId;
    };
    const client = async (role: 'citizen' | 'operator', behaviour: ClientBehaviour) => {
      const id = randomUUID().replaceAll('-', '').slice(0, 12);
      const aor =
        role === 'citizen'
          ? citizenAor(id as CitizenId, 'phone' as DeviceId)
          : operatorAor(id as OperatorId, 'tab' as ClientId);
      aors.push(aor);
      expect(await driver.provisionEndpoint(aor)).to.deep.equal(DONE);
      const connected = await lab.connectClient(aor, behaviour);
      clients.push(connected);
      await untilContact('contact.online', aor);
      return { aor, client: connected };
    };
    const untilContact = async (
      type: 'contact.online' | 'contact.offline',
      aor: AddressOfRecord,
    ): Promise<void> => {
      const deadline = performance.now() + SOON_MS;
      while (!of(type).some((event) => event.aor === aor)) {
        if (performance.now() > deadline) throw new Error(`no ${type} of ${aor}`);
        await delay(2);
      }
    };
    const appDial = (aor: AddressOfRecord, kind: AppDial['kind'], ringTimeoutMs = 10_000): AppDial => ({
      legId: legIdOf(sessionId, kind, 1),
      sessionId,
      kind,
      aor,
      ringTimeoutMs,
    });
    const bridge = (kind: 'stream' | 'phone'): BridgeId => bridgeIdOf(sessionId, kind);

    describe('phone legs', () => {
      it('FB-2 FB-4: rings, answers, ends, and tells the carrier’s reference first', async () => {
        const dial = phone('citizen-phone', 'answer-after-1s');
        expect(await driver.dialPhone(dial)).to.deep.equal(DONE);
        await until('leg.answered', dial.legId);
        expect((await until('leg.carrier-reference', dial.legId)).callId).to.not.equal('');
        expect(await driver.hangup(dial.legId, 'normal')).to.deep.equal(DONE);
        const ended = await until('leg.ended', dial.legId);
        expect(ended).to.include({ outcome: 'completed', sipStatus: null });
        expect(story(dial.legId)).to.deep.equal(['ringing', 'answered', 'ended']);
        expect(events[0]?.type).to.equal('leg.carrier-reference');
      });

      for (const [behaviour, outcome, sipStatus, q850] of REFUSALS) {
        it(`FB-7: a phone that is ${behaviour} ends as ${outcome} with ${sipStatus}`, async () => {
          const dial = phone('operator-phone', behaviour);
          expect(await driver.dialPhone(dial)).to.deep.equal(DONE);
          expect(await until('leg.ended', dial.legId)).to.include({ outcome, sipStatus, q850 });
          expect(of('leg.ended', dial.legId)).to.have.length(1);
        });
      }

      it('tells early media as progress, not as ringing', async () => {
        const dial = phone('citizen-phone', 'early-media-answer');
        await driver.dialPhone(dial);
        await until('leg.answered', dial.legId);
        expect(story(dial.legId)).to.deep.equal(['progress', 'answered']);
      });

      it('tells a phone that hangs up', async () => {
        const legId = await answered('citizen-phone', 'answer-hang-up');
        expect(await until('leg.ended', legId, 6_000)).to.include({ outcome: 'completed', q850: 16 });
      });

      it('FB-8: cancels a phone that rings', async () => {
        const dial = phone('citizen-phone', 'ring-for-ever');
        await driver.dialPhone(dial);
        await until('leg.ringing', dial.legId);
        expect(await driver.hangup(dial.legId, 'stream-won')).to.deep.equal(DONE);
        expect(await until('leg.ended', dial.legId)).to.include({ outcome: 'cancelled', sipStatus: null });
      });

      it('FB-6: calls it no answer when the ring timer ended it', async () => {
        const dial = phone('citizen-phone', 'ring-for-ever');
        await driver.dialPhone(dial);
        await until('leg.ringing', dial.legId);
        await driver.hangup(dial.legId, 'no-answer');
        expect(await until('leg.ended', dial.legId)).to.include({ outcome: 'no-answer' });
      });

      it('FB-6: gives up by itself behind the ring timeout', async () => {
        const dial = phone('citizen-phone', 'ring-for-ever', 1_000);
        const dialledAt = performance.now();
        await driver.dialPhone(dial);
        const ended = await until('leg.ended', dial.legId, 5_000);
        expect(ended).to.include({ outcome: 'no-answer', sipStatus: null });
        expect(performance.now() - dialledAt).to.be.within(1_000, 3_500);
      });

      it('TEL-7: a trunk that does not reply is a trunk that cannot be reached', async () => {
        const dial = phone('citizen-phone', 'no-reply', 500);
        await driver.dialPhone(dial);
        const ended = await until('leg.ended', dial.legId, 5_000);
        expect(ended).to.include({ outcome: 'trunk-unreachable', sipStatus: null });
      });

      it('dials once, however often it is told while the leg lives', async () => {
        const dial = phone('citizen-phone', 'answer-at-once');
        const results = await Promise.all([driver.dialPhone(dial), driver.dialPhone(dial)]);
        await until('leg.answered', dial.legId);
        results.push(await driver.dialPhone(dial));
        expect(results).to.deep.equal([DONE, DONE, DONE]);
        expect(story(dial.legId)).to.deep.equal(['answered']);
        expect(await legsOf(driver)).to.deep.equal([
          { legId: dial.legId, state: 'answered', bridgeId: null, trunk: lab.trunk },
        ]);
      });

      it('refuses an unknown trunk, and no event follows', async () => {
        const dial = { ...phone('citizen-phone', 'answer-at-once'), trunk: 'nowhere' };
        expect(await driver.dialPhone(dial)).to.include({ ok: false, code: 'ERR_PBX_NOT_FOUND' });
        await delay(100);
        expect(story(dial.legId)).to.deep.equal([]);
      });

      it('TEL-8: hears the tone of the far end, and no other one', async () => {
        const dial = phone('operator-phone', 'answer-at-once');
        const hz = lab.toneOf(dial.number);
        expect(await driver.dialPhone(dial)).to.deep.equal(DONE);
        await until('leg.answered', dial.legId);
        expect(await driver.hearsTone(dial.legId, hz, 3_000)).to.deep.equal({ ok: true, value: true });
        expect(await driver.hearsTone(dial.legId, hz + 80, 1_000)).to.deep.equal({ ok: true, value: false });
        expect(await driver.hearsTone(dial.legId, hz, 3_000)).to.deep.equal({ ok: true, value: true });
      });

      it('TEL-8: hears nothing of a phone that says nothing, nor of one that is not there', async () => {
        const dial = phone('operator-phone', 'answer-silent');
        const hz = lab.toneOf(dial.number);
        expect(await driver.hearsTone(dial.legId, hz, 1_000)).to.include({ code: 'ERR_PBX_NOT_FOUND' });
        expect(await driver.dialPhone(dial)).to.deep.equal(DONE);
        await until('leg.answered', dial.legId);
        expect(await driver.hearsTone(dial.legId, hz, 1_000)).to.deep.equal({ ok: true, value: false });
      });

      it('TEL-8: listens no longer than a leg lasts, and to none that is not answered', async () => {
        const dial = phone('citizen-phone', 'ring-for-ever');
        await driver.dialPhone(dial);
        await until('leg.ringing', dial.legId);
        expect(await driver.hearsTone(dial.legId, 440, 1_000)).to.include({ code: 'ERR_PBX_CONFLICT' });
        const legId = await answered('operator-phone', 'answer-silent');
        const listening = driver.hearsTone(legId, 440, 2_000);
        await delay(300);
        await driver.hangup(legId, 'normal');
        expect(await listening).to.include({ ok: false, code: 'ERR_PBX_NOT_FOUND' });
      });

      it('ends a call by itself after its longest time', async () => {
        const dial = { ...phone('operator-phone', 'answer-at-once'), longestMs: 1_000 };
        await driver.dialPhone(dial);
        await until('leg.answered', dial.legId);
        expect(await until('leg.ended', dial.legId, 4_000)).to.include({ outcome: 'completed' });
      });

      it('ends a call by itself after its longest time although it is spoken in', async () => {
        const dials = (['citizen-phone', 'operator-phone'] as const).map((kind) => ({
          ...phone(kind, 'answer-at-once'),
          longestMs: 2_000,
        }));
        for (const dial of dials) await driver.dialPhone(dial);
        for (const { legId } of dials) await until('leg.answered', legId);
        for (const { legId } of dials)
          expect(await driver.join(bridge('phone'), legId, 'both')).to.deep.equal(DONE);
        for (const { legId } of dials)
          expect(await until('leg.ended', legId, 5_000)).to.include({ outcome: 'completed' });
      });

      it('RTC-9: a leg that is gone, or never was, is hung up already', async () => {
        expect(await driver.hangup(legIdOf(sessionId, 'citizen-app', 7), 'normal')).to.deep.equal(DONE);
        const legId = await answered('citizen-phone');
        await driver.hangup(legId, 'normal');
        expect(await driver.hangup(legId, 'normal')).to.deep.equal(DONE);
        await until('leg.ended', legId);
        expect(await driver.hangup(legId, 'normal')).to.deep.equal(DONE);
        expect(of('leg.ended', legId)).to.have.length(1);
      });
    });

    describe('bridges', () => {
      it('FB-3: joins two phones and tells by what technology', async () => {
        const [citizen, operator] = await Promise.all([
          answered('citizen-phone'),
          answered('operator-phone'),
        ]);
        const bridgeId = bridge('phone');
        expect(await driver.join(bridgeId, citizen, 'both')).to.deep.equal(DONE);
        expect(of('leg.bridged')).to.deep.equal([]);
        expect(await driver.join(bridgeId, operator, 'both')).to.deep.equal(DONE);
        const bridged = await until('leg.bridged');
        expect(bridged).to.include({ bridgeId });
        expect(bridged.technology).to.not.equal('');
        expect(bridged.legIds).to.have.members([citizen, operator]);
        expect(await legsOf(driver)).to.have.deep.members([
          { legId: citizen, state: 'answered', bridgeId, trunk: lab.trunk },
          { legId: operator, state: 'answered', bridgeId, trunk: lab.trunk },
        ]);
      });

      it('joins once, however often it is told', async () => {
        const [citizen, operator] = await Promise.all([
          answered('citizen-phone'),
          answered('operator-phone'),
        ]);
        const bridgeId = bridge('phone');
        for (const legId of [citizen, operator, citizen, operator]) {
          expect(await driver.join(bridgeId, legId, 'both')).to.deep.equal(DONE);
        }
        await until('leg.bridged');
        await delay(150);
        expect(of('leg.bridged')).to.have.length(1);
      });

      it('closes a bridge and lets its legs live; closing it again is harmless', async () => {
        const [citizen, operator] = await Promise.all([
          answered('citizen-phone'),
          answered('operator-phone'),
        ]);
        const bridgeId = bridge('phone');
        await driver.join(bridgeId, citizen, 'both');
        await driver.join(bridgeId, operator, 'both');
        await until('leg.bridged');
        expect(await driver.closeBridge(bridgeId)).to.deep.equal(DONE);
        expect(await driver.closeBridge(bridgeId)).to.deep.equal(DONE);
        await untilTrue('the legs are out', async () =>
          (await legsOf(driver)).every((leg) => leg.bridgeId === null),
        );
        expect(await driver.join(bridgeId, citizen, 'both')).to.deep.equal(DONE);
        expect(await driver.join(bridgeId, operator, 'both')).to.deep.equal(DONE);
        await untilTrue('they are bridged anew', () => of('leg.bridged').length === 2);
      });

      it('joins no leg that is not answered, and none that does not exist', async () => {
        const dial = phone('citizen-phone', 'ring-for-ever');
        await driver.dialPhone(dial);
        await until('leg.ringing', dial.legId);
        const early = await driver.join(bridge('phone'), dial.legId, 'both');
        expect(early).to.include({ ok: false, code: 'ERR_PBX_CONFLICT' });
        const nobody = await driver.join(bridge('phone'), legIdOf(sessionId, 'operator-phone', 1), 'both');
        expect(nobody).to.include({ ok: false, code: 'ERR_PBX_NOT_FOUND' });
      });

      it('TEL-10: plays a holding prompt that ends when the other comes', async () => {
        const [citizen, operator] = await Promise.all([
          answered('citizen-phone'),
          answered('operator-phone'),
        ]);
        expect(await driver.startHoldingPrompt(citizen)).to.deep.equal(DONE);
        expect(await driver.startHoldingPrompt(citizen)).to.deep.equal(DONE);
        await delay(200);
        const joins = [citizen, operator].map((id) => driver.join(bridge('phone'), id, 'both'));
        expect(await Promise.all(joins)).to.deep.equal([DONE, DONE]);
        await until('leg.bridged');
        expect(await driver.startHoldingPrompt(citizen), 'of a leg in a bridge').to.deep.equal(DONE);
      });

      it('FB-3 FB-7: they hear each other after a prompt, and so do she and each operator who follows', async () => {
        const citizen = phone('citizen-phone', 'answer-at-once');
        await driver.dialPhone(citizen);
        await until('leg.answered', citizen.legId);
        for (let attempt = 1; attempt <= 4; attempt += 1) {
          await driver.startHoldingPrompt(citizen.legId);
          const operator = phone('operator-phone', 'answer-at-once', 10_000, attempt);
          await driver.dialPhone(operator);
          await until('leg.answered', operator.legId);
          await delay(100);
          for (const { legId } of [citizen, operator]) {
            expect(await driver.join(bridge('phone'), legId, 'both')).to.deep.equal(DONE);
          }
          await lab.untilHears(citizen.number, operator.number);
          await lab.untilHears(operator.number, citizen.number);
          await driver.hangup(operator.legId, 'normal');
          await until('leg.ended', operator.legId);
          expect(await driver.closeBridge(bridge('phone'))).to.deep.equal(DONE);
        }
      });
    });

    describe('packets', () => {
      it('RTC-2: tells the first packet and the stream of a watched leg', async () => {
        const dial = phone('citizen-phone', 'answer-at-once');
        await driver.dialPhone(dial);
        driver.watchMedia(dial.legId);
        driver.watchMedia(dial.legId);
        expect((await until('media.streaming', dial.legId)).packets).to.be.at.least(5);
        expect(of('media.first-packet', dial.legId)).to.have.length(1);
        expect(of('media.streaming', dial.legId)).to.have.length(1);
      });

      it('RTC-2: tells nothing of a leg that sends nothing', async () => {
        const citizen = await client('citizen', 'answers');
        citizen.client.send(false);
        const dial = appDial(citizen.aor, 'citizen-app');
        await driver.dialApp(dial);
        driver.watchMedia(dial.legId);
        await until('leg.answered', dial.legId);
        await delay(600);
        expect(events.filter(({ type }) => type.startsWith('media.'))).to.deep.equal([]);
      });

      it('tells sound from packets on a citizen’s leg', async () => {
        const citizen = await client('citizen', 'answers');
        const dial = appDial(citizen.aor, 'citizen-app');
        await driver.dialApp(dial);
        expect(await until('media.sound', dial.legId)).to.include({ talking: true });
      });

      it('tells when the stream of a client is lost and when it is back', async () => {
        const citizen = await client('citizen', 'answers');
        const dial = appDial(citizen.aor, 'citizen-app');
        await driver.dialApp(dial);
        driver.watchMedia(dial.legId);
        await until('media.streaming', dial.legId);
        citizen.client.send(false);
        const lost = await until('media.lost', dial.legId);
        expect(lost.silentForMs).to.be.at.least(LOST_AFTER_MS);
        citizen.client.send(true);
        await until('media.back', dial.legId);
      });
    });

    describe('clients', () => {
      it('RTC-1: tells when a contact comes and goes', async () => {
        const { aor, client: connected } = await client('citizen', 'rings');
        const snapshot = await driver.list();
        expect(snapshot.ok && snapshot.value.contacts).to.include(aor);
        await connected.disconnect();
        await untilContact('contact.offline', aor);
        const after = await driver.list();
        expect(after.ok && after.value.contacts).to.not.include(aor);
      });

      it('provisions again without disturbing who is there, and removes repeatably', async () => {
        const { aor } = await client('operator', 'rings');
        expect(await driver.provisionEndpoint(aor)).to.deep.equal(DONE);
        await delay(100);
        expect(of('contact.offline')).to.deep.equal([]);
        const snapshot = await driver.list();
        expect(snapshot.ok && snapshot.value.contacts).to.include(aor);
        expect(await driver.removeEndpoint(aor)).to.deep.equal(DONE);
        expect(await driver.removeEndpoint(aor)).to.deep.equal(DONE);
        await untilContact('contact.offline', aor);
      });

      it('says at once that nobody is there, and no event follows', async () => {
        const aor = citizenAor('nobody' as CitizenId, 'phone' as DeviceId);
        const dial = appDial(aor, 'citizen-app');
        aors.push(aor);
        await driver.provisionEndpoint(aor);
        expect(await driver.dialApp(dial)).to.include({ ok: false, code: 'ERR_PBX_NO_CONTACT' });
        await delay(100);
        expect(story(dial.legId)).to.deep.equal([]);
      });

      it('RTC-7: tells a client that refuses, and one that only rings', async () => {
        const busy = await client('citizen', 'busy');
        const dial = appDial(busy.aor, 'citizen-app');
        expect(await driver.dialApp(dial)).to.deep.equal(DONE);
        expect(await until('leg.ended', dial.legId)).to.include({ outcome: 'busy', sipStatus: 486 });
        const ringing = await client('operator', 'rings');
        const ring = appDial(ringing.aor, 'operator-app');
        expect(await driver.dialApp(ring)).to.deep.equal(DONE);
        await until('leg.ringing', ring.legId);
        await driver.hangup(ring.legId, 'phone-won');
        expect(await until('leg.ended', ring.legId)).to.include({ outcome: 'cancelled' });
      });

      it('RTC-3: lets nobody be heard who may only listen, though he sends', async () => {
        const [citizen, operator] = await Promise.all([
          client('citizen', 'answers'),
          client('operator', 'answers'),
        ]);
        const dials = [appDial(citizen.aor, 'citizen-app'), appDial(operator.aor, 'operator-app')] as const;
        await Promise.all(dials.map((dial) => driver.dialApp(dial)));
        for (const { legId } of dials) driver.watchMedia(legId);
        for (const { legId } of dials) await until('media.streaming', legId);
        expect(await driver.join(bridge('stream'), dials[1].legId, 'listens')).to.deep.equal(DONE);
        expect(await driver.join(bridge('stream'), dials[0].legId, 'speaks')).to.deep.equal(DONE);
        await until('leg.bridged');
        await untilTrue('the operator hears', async () => (await operator.client.received()) > 20);
        expect(await citizen.client.received()).to.equal(0);
        // joined anew, the mute must hold
        await driver.closeBridge(bridge('stream'));
        for (const [index, voice] of [
          [0, 'speaks'],
          [1, 'listens'],
        ] as const) {
          await driver.join(bridge('stream'), dials[index].legId, voice);
        }
        const before = await operator.client.received();
        await untilTrue(
          'the operator hears again',
          async () => (await operator.client.received()) > before + 20,
        );
        expect(await citizen.client.received()).to.equal(0);
      });

      it('RTC-3: who only listens is silent, and who only speaks is deaf, each without the other', async () => {
        const [citizen, operator] = await Promise.all([
          client('citizen', 'answers'),
          client('operator', 'answers'),
        ]);
        const [hers, his] = [appDial(citizen.aor, 'citizen-app'), appDial(operator.aor, 'operator-app')];
        await Promise.all([hers, his].map((dial) => driver.dialApp(dial)));
        await Promise.all([hers, his].map(({ legId }) => until('leg.answered', legId)));
        for (const [herVoice, hisVoice] of [
          ['both', 'listens'],
          ['speaks', 'both'],
        ] as const) {
          const before = await operator.client.received();
          await driver.join(bridge('stream'), his.legId, hisVoice);
          await driver.join(bridge('stream'), hers.legId, herVoice);
          await untilTrue('the operator hears', async () => (await operator.client.received()) > before + 20);
          expect(await citizen.client.received(), `${herVoice}, ${hisVoice}`).to.equal(0);
          await driver.closeBridge(bridge('stream'));
        }
      });
    });

    it('IN-2: refuses a call that nobody ordered with 480, and tells of it', async () => {
      expect(await lab.callIn()).to.equal(480);
      expect(await until('call.unexpected')).to.include({ source: 'trunk', from: lab.trunk });
    });

    describe('a lost engine', () => {
      it('tells loss and return; the calls live on, and what the engine has is told first', async () => {
        const [citizen, operator] = await Promise.all([
          answered('citizen-phone'),
          answered('operator-phone'),
        ]);
        const bridgeId = bridge('phone');
        await driver.join(bridgeId, citizen, 'both');
        await driver.join(bridgeId, operator, 'both');
        await until('leg.bridged');
        driver.watchMedia(citizen);
        await until('media.streaming', citizen);
        events = [];
        lab.breakConnection();
        await until('engine.lost');
        expect(driver.attached).to.equal(false);
        const order = await driver.join(bridgeId, citizen, 'both');
        expect(order).to.include({ ok: false, code: 'ERR_PBX_DISCONNECTED' });
        const { snapshot } = await until('engine.back');
        expect(driver.attached).to.equal(true);
        expect(snapshot.legs).to.have.deep.members([
          { legId: citizen, state: 'answered', bridgeId, trunk: lab.trunk },
          { legId: operator, state: 'answered', bridgeId, trunk: lab.trunk },
        ]);
        expect(snapshot.bridges).to.have.length(1);
        expect(events.filter(({ type }) => type === 'media.lost')).to.deep.equal([]);
        expect(await driver.join(bridgeId, citizen, 'both')).to.deep.equal(DONE);
        await driver.hangup(citizen, 'normal');
        expect(await until('leg.ended', citizen)).to.include({ outcome: 'completed' });
      });

      it('tells a dial that fails for good: the leg never comes to life', async () => {
        lab.breakConnection();
        const dial = phone('citizen-phone', 'answer-at-once');
        const result = await driver.dialPhone(dial);
        await until('engine.back');
        if (result.ok) throw new Error('the dial order was lost, and reported as done');
        await delay(200);
        expect(story(dial.legId)).to.deep.equal([]);
        expect(await legsOf(driver)).to.deep.equal([]);
      });
    });
  });
}

const DONE = { ok: true, value: undefined };
/** How long a stream must be silent in the labs. */
export const LOST_AFTER_MS = 500;

const REFUSALS = [
  ['busy', 'busy', 486, 17],
  ['declined', 'rejected', 603, 21],
  ['unavailable', 'unreachable', 480, 19],
  ['unknown-subscriber', 'invalid-number', 404, 1],
  ['congestion', 'congestion', 503, 34],
] as const;

async function legsOf(driver: PbxDriver) {
  const snapshot = await driver.list();
  if (!snapshot.ok) throw new Error(snapshot.code);
  return snapshot.value.legs;
}

async function untilTrue(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SOON_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await delay(5);
  }
}
