import { expect } from 'chai';
import type { AddressOfRecord } from '../../../control-plane/src/domain/ids.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  panelOf,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
} from '../../support/core-lab.ts';
import type { CoreLab } from '../../support/core-lab.ts';

const PANEL = panelOf(AKRAM);

async function isAssignable(lab: CoreLab): Promise<boolean> {
  const { id } = await lab.activate();
  const isAssigned = (await lab.live(id)).assignment?.state === 'assigned';
  await lab.gateway.resolve({ role: 'backend', subject: 'test', tokenId: null }, id, 'tried');
  await lab.forward(0);
  return isAssigned;
}

describe('app/presence', () => {
  it('an operator is there with a shift and a contact, and only with both', async () => {
    const lab = await startCoreLab();
    await lab.gateway.shift(AKRAM, PANEL, true);
    expect(await isAssignable(lab)).to.be.false;
    await lab.connect(PANEL);
    expect(await isAssignable(lab)).to.be.true;
    await lab.gateway.shift(AKRAM, PANEL, false);
    expect(await isAssignable(lab)).to.be.false;
  });

  it('a lost socket is nobody there, though the engine keeps its contact; admitted again, it is back', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    lab.gateway.deviceLost(PANEL);
    await lab.forward(0);
    expect(await isAssignable(lab)).to.be.false;
    lab.pbx.emit({ type: 'contact.online', aor: PANEL, at: lab.clock.now() });
    await lab.forward(0);
    expect(await isAssignable(lab)).to.be.false;
    await lab.gateway.deviceAdmitted(PANEL);
    await lab.forward(0);
    expect(await isAssignable(lab)).to.be.true;
  });

  it('RTC-1 a device with a lost socket is offered nothing until it returns', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.gateway.deviceLost(PRIYA_AOR);
    await lab.activate();
    expect(lab.ordered('dial')).to.be.empty;
    await lab.gateway.deviceAdmitted(PRIYA_AOR);
    await lab.forward(0);
    expect(lab.legs('citizen-app')).to.have.length(1);
  });

  it('an endpoint stays for 5 s after its device left, and then goes', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.gateway.deviceLeft(PRIYA_AOR);
    await lab.forward(4999);
    expect([...lab.pbx.endpoints]).to.deep.equal([PRIYA_AOR]);
    await lab.forward(1);
    expect([...lab.pbx.endpoints]).to.be.empty;
    expect(lab.closed).to.deep.equal([PRIYA_AOR]);
  });

  it('a device that returns in time keeps its endpoint', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    lab.gateway.deviceLeft(PRIYA_AOR);
    await lab.forward(4000);
    await lab.gateway.deviceAdmitted(PRIYA_AOR);
    await lab.forward(60_000);
    expect([...lab.pbx.endpoints]).to.deep.equal([PRIYA_AOR]);
  });

  it('a session keeps the endpoint of a device that left, until it ends', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    lab.gateway.deviceLeft(PRIYA_AOR);
    await lab.forward(60_000);
    expect([...lab.pbx.endpoints]).to.include(PRIYA_AOR);
    await lab.gateway.resolve(asOperator(AKRAM), sessionIdOf(1), null);
    await lab.forward(0);
    expect([...lab.pbx.endpoints]).not.to.include(PRIYA_AOR);
  });

  it('a newer session of the same device keeps the endpoint when the older one is cleared away', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    const hangup = lab.pbx.hangup.bind(lab.pbx);
    const held: (() => void)[] = [];
    lab.pbx.hangup = (legId, reason) =>
      new Promise((resolve) => held.push(() => resolve(hangup(legId, reason))));
    await lab.gateway.resolve(asOperator(AKRAM), sessionIdOf(1), null);
    await lab.activate();
    for (const release of held) release();
    await lab.forward(0);
    expect((await lab.session()).phase).to.equal('resolved');
    expect('legs' in (await lab.session()) && (await lab.session())).to.have.deep.property('legs', []);
    expect([...lab.pbx.endpoints]).to.include(PRIYA_AOR);
    expect(lab.closed).to.be.empty;
  });

  it('a device that may come in and never does leaves no endpoint', async () => {
    const lab = await startCoreLab();
    await lab.gateway.deviceExpected(PRIYA_AOR, asCitizen(PRIYA));
    await lab.forward(14_999);
    expect([...lab.pbx.endpoints]).to.deep.equal([PRIYA_AOR]);
    await lab.forward(1);
    expect([...lab.pbx.endpoints]).to.be.empty;
  });

  it('a device that comes in time keeps its endpoint', async () => {
    const lab = await startCoreLab();
    await lab.gateway.deviceExpected(PRIYA_AOR, asCitizen(PRIYA));
    await lab.forward(10_000);
    await lab.connect(PRIYA_AOR);
    await lab.forward(60_000);
    expect([...lab.pbx.endpoints]).to.deep.equal([PRIYA_AOR]);
  });

  it('a second one that asks under its name and is refused at the edge takes nothing from a device that is here', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.gateway.deviceExpected(PRIYA_AOR, asCitizen(PRIYA));
    await lab.forward(60_000);
    expect([...lab.pbx.endpoints]).to.deep.equal([PRIYA_AOR]);
    lab.gateway.deviceLost(PRIYA_AOR);
    await lab.gateway.deviceExpected(PRIYA_AOR, asCitizen(PRIYA));
    await lab.activate();
    expect(lab.ordered('dial'), 'who asks is not there yet').to.be.empty;
  });

  it('RTC-10 a contact that comes and goes all the time is told ten times, then every three seconds, and at last as it is', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    const { id } = await lab.activate();
    for (let count = 0; count < 300; count += 1) {
      const type = count % 2 === 0 ? 'contact.offline' : 'contact.online';
      lab.pbx.emit({ type, aor: PRIYA_AOR, at: lab.clock.now() });
      await lab.forward(50);
      for (const leg of lab.legs('citizen-app')) lab.pbx.end(leg, 'rejected');
      await lab.forward(50);
    }
    const told = (await lab.eventTypes(id)).filter((type) => type.startsWith('contact.'));
    expect(told.length).to.be.within(10, 10 + 11);
    const dialled = lab.ordered('dial').length;
    lab.pbx.emit({ type: 'contact.offline', aor: PRIYA_AOR, at: lab.clock.now() });
    await lab.forward(100);
    lab.pbx.emit({ type: 'contact.online', aor: PRIYA_AOR, at: lab.clock.now() });
    await lab.forward(3_000);
    expect(lab.ordered('dial').length, 'she is offered to at last').to.be.above(dialled);
  });

  /** Comes and goes until nothing more is told at once; here or away in the end. */
  async function flap(lab: CoreLab, aor: AddressOfRecord, end: 'contact.online' | 'contact.offline') {
    for (let count = 0; count < 21; count += 1) {
      const goes = (count % 2 === 0) === (end === 'contact.offline');
      lab.pbx.emit({ type: goes ? 'contact.offline' : 'contact.online', aor, at: lab.clock.now() });
      await lab.forward(50);
    }
  }

  it('RTC-5 an operator whose panel has come and gone all the time is there for an SOS as soon as he is, and not when he is not', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await flap(lab, PANEL, 'contact.online');
    expect(await isAssignable(lab)).to.be.true;
    await flap(lab, PANEL, 'contact.offline');
    expect(await isAssignable(lab)).to.be.false;
  });

  it('RTC-1 a phone that came and went before the SOS is called at once when it comes for it', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await flap(lab, PRIYA_AOR, 'contact.offline');
    await lab.activate();
    expect(lab.ordered('dial')).to.be.empty;
    lab.pbx.emit({ type: 'contact.online', aor: PRIYA_AOR, at: lab.clock.now() });
    await lab.forward(0);
    expect(lab.legs('citizen-app')).to.have.length(1);
  });

  it('RTC-10 a contact that comes and goes faster than the store writes costs no more than one word at a time', async () => {
    const lab = await startCoreLab();
    await lab.connect(PANEL);
    const { presence } = lab.memory;
    const setContact = presence.setContact.bind(presence);
    const words: boolean[] = [];
    const taken: (() => void)[] = [];
    presence.setContact = async (aor, online, at) => {
      words.push(online);
      await new Promise<void>((resolve) => taken.push(resolve));
      await setContact(aor, online, at);
    };
    for (const type of ['contact.offline', 'contact.online', 'contact.offline', 'contact.online'] as const)
      lab.pbx.emit({ type, aor: PANEL, at: lab.clock.now() });
    await lab.forward(0);
    expect(words).to.deep.equal([false]);
    taken.shift()?.();
    await lab.forward(0);
    expect(words, 'then as it is by now, once').to.deep.equal([false, true]);
    taken.shift()?.();
    await lab.forward(0);
    expect(words).to.have.length(2);
    await lab.gateway.shift(AKRAM, PANEL, true);
    expect(await isAssignable(lab)).to.be.true;
  });

  for (const [change, seen] of [
    ['contact.offline', false],
    ['contact.online', true],
  ] as const)
    it(`RTC-1 a phone's ${change} while its SOS is being written is not missed`, async () => {
      const lab = await startCoreLab();
      await lab.connect(PRIYA_AOR);
      if (seen) lab.pbx.emit({ type: 'contact.offline', aor: PRIYA_AOR, at: lab.clock.now() });
      await lab.forward(0);
      lab.beforeCommit = () => {
        lab.beforeCommit = () => Promise.resolve();
        lab.pbx.emit({ type: change, aor: PRIYA_AOR, at: lab.clock.now() });
        return Promise.resolve();
      };
      const { id } = await lab.activate();
      await lab.forward(0);
      expect((await lab.live(id)).devices).to.deep.include({ aor: PRIYA_AOR, online: seen });
      expect(await lab.eventTypes(id)).to.include(change);
    });

  it('an engine without a place for the device is told to the edge', async () => {
    const lab = await startCoreLab();
    lab.pbx.failNext('ERR_PBX_TIMEOUT');
    const result = await lab.gateway.deviceAdmitted('citizen-meera-phone1' as AddressOfRecord);
    expect(result).to.include({ ok: false, code: 'ERR_GATEWAY_UNAVAILABLE' });
  });
});
