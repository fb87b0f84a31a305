import { expect } from 'chai';
import { MasterData } from '../../../control-plane/src/app/master-data.ts';
import { Performer } from '../../../control-plane/src/app/perform.ts';
import { bridgeIdOf, legIdOf } from '../../../control-plane/src/domain/ids.ts';
import type { PbxCommand } from '../../../control-plane/src/domain/session/command.ts';
import { CoreLab, PRIYA, PRIYA_AOR, sessionIdOf } from '../../support/core-lab.ts';
import type { PbxResult } from '../../../control-plane/src/ports/pbx-driver.ts';
import type { Trunk } from '../../../control-plane/src/domain/trunk/trunk.ts';
import { phoneLinesLab } from '../../support/phone-lines-lab.ts';
import { CARRIER_TRUNK } from '../../support/trunk-sample.ts';
import { silentLog } from '../../support/silent-log.ts';
import { silentMetrics } from '../../support/silent-metrics.ts';

const ID = sessionIdOf(1);
const app = legIdOf(ID, 'citizen-app', 1);
const phone = legIdOf(ID, 'citizen-phone', 1);
const dialApp: PbxCommand = {
  type: 'pbx.dial-app',
  legId: app,
  kind: 'citizen-app',
  aor: PRIYA_AOR,
  ringTimeoutMs: 1000,
};
const dialPhone: PbxCommand = {
  type: 'pbx.dial-phone',
  legId: phone,
  party: { role: 'citizen', citizenId: PRIYA },
  ringTimeoutMs: 25_000,
};
const join: PbxCommand = {
  type: 'pbx.join',
  bridgeId: bridgeIdOf(ID, 'stream'),
  legId: app,
  voice: 'speaks',
};

describe('app/perform', () => {
  const setUp = async (trunks: readonly Trunk[] = [CARRIER_TRUNK]) => {
    const lab = new CoreLab();
    await lab.fillDirectory();
    const { pbx } = lab;
    await pbx.start();
    await pbx.provisionEndpoint(PRIYA_AOR);
    pbx.register(PRIYA_AOR);
    pbx.orders.length = 0;
    const failed: string[] = [];
    const masterData = new MasterData(lab.memory.directory, lab.clock, silentLog);
    const performer = new Performer({
      pbx: phoneLinesLab(pbx, lab.clock, trunks).lines,
      masterData,
      removeEndpoint: (aor) => pbx.removeEndpoint(aor),
      clock: lab.clock,
      log: silentLog,
      metrics: silentMetrics,
      dialFailed: (legId, outcome) => failed.push(`${legId === app ? 'app' : 'phone'} ${outcome}`),
    });
    const perform = async (...orders: PbxCommand[]) => {
      performer.perform(ID, orders);
      await performer.idle();
    };
    return { lab, pbx, failed, performer, perform };
  };

  for (const [code, order, outcome] of [
    ['ERR_PBX_NO_CONTACT', dialApp, 'app unreachable'],
    ['ERR_PBX_REFUSED', dialApp, 'app unreachable'],
    ['ERR_PBX_OVERLOAD', dialApp, 'app congestion'],
    ['ERR_PBX_TIMEOUT', dialApp, 'app lost'],
    ['ERR_PBX_NO_CONTACT', dialPhone, 'phone trunk-unreachable'],
    ['ERR_PBX_REFUSED', dialPhone, 'phone congestion'],
  ] as const) {
    it(`a dial that fails with ${code} is the end of the leg: ${outcome}`, async () => {
      const { pbx, failed, perform } = await setUp();
      pbx.failNext(code);
      await perform(order);
      expect(failed).to.deep.equal([outcome]);
    });
  }

  it('knows since when it has dialled a leg, and nothing of legs that it has not', async () => {
    const { lab, performer, perform } = await setUp();
    const before = lab.clock.now();
    await lab.clock.advance(10);
    await perform(dialApp, join);
    expect(performer.hasDialledSince(app, before)).to.equal(true);
    expect(performer.hasDialledSince(app, lab.clock.now())).to.equal(false);
    expect(performer.hasDialledSince(phone, before)).to.equal(false);
  });

  it('a leg that lives already is no failure, and an engine out of reach none of the leg', async () => {
    const { pbx, failed, perform } = await setUp();
    pbx.failNext('ERR_PBX_CONFLICT', 'ERR_PBX_DISCONNECTED');
    await perform(dialApp, dialPhone);
    expect(failed).to.be.empty;
  });

  it('TEL-2 without a number or without a trunk nothing is dialled, and the leg has ended', async () => {
    const without = await setUp([]);
    await without.perform(dialPhone);
    expect(without.failed).to.deep.equal(['phone trunk-unreachable']);
    expect(without.pbx.orders).to.be.empty;
    const unknown = await setUp();
    await unknown.lab.memory.directory.deleteCitizen(PRIYA);
    await unknown.perform(dialPhone);
    expect(unknown.failed).to.deep.equal(['phone invalid-number']);
  });

  it('orders of one leg run in order; another leg does not wait for them', async () => {
    const { pbx, performer } = await setUp();
    const gate = Promise.withResolvers<undefined>();
    const dial = pbx.dialApp.bind(pbx);
    pbx.dialApp = async (order) => {
      await gate.promise;
      return dial(order);
    };
    performer.perform(ID, [dialApp, { type: 'pbx.hangup', legId: app, reason: 'cancelled' }, dialPhone]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(pbx.orders).to.deep.equal([`dial ${phone}`]);
    gate.resolve(undefined);
    await performer.idle();
    expect(pbx.orders.slice(1)).to.deep.equal([`dial ${app}`, `hangup ${app} cancelled`]);
    expect(pbx.legIds).to.deep.equal([phone]);
  });

  it('RTC-3 a join is tried three times; then the leg is hung up: nobody stays unheard unnoticed', async () => {
    const { pbx, perform } = await setUp();
    await perform(dialApp);
    pbx.answer(app);
    pbx.failNext('ERR_PBX_TIMEOUT', 'ERR_PBX_TIMEOUT');
    await perform(join);
    expect(pbx.leg(app)?.voice).to.equal('speaks');
    pbx.failNext('ERR_PBX_TIMEOUT', 'ERR_PBX_TIMEOUT', 'ERR_PBX_TIMEOUT');
    await perform(join);
    expect(pbx.legIds).to.be.empty;
  });

  it('a join of a leg that is gone, or with the engine out of reach, is not repeated', async () => {
    const { pbx, perform } = await setUp();
    await perform(join);
    pbx.failNext('ERR_PBX_DISCONNECTED');
    await perform(join);
    expect(pbx.orders).to.deep.equal([join, join].map(() => `join ${ID}.stream ${app} speaks`));
  });

  it("RTC-2 calls her app before the operator's, but waits for the engine's answer no longer than 50 ms", async () => {
    const { lab, pbx, performer } = await setUp();
    const operatorApp = legIdOf(ID, 'operator-app', 1);
    const dialled: string[] = [];
    const answer = Promise.withResolvers<PbxResult>();
    pbx.dialApp = ({ legId }) => {
      dialled.push(legId);
      return answer.promise;
    };
    performer.perform(ID, [dialApp, { ...dialApp, legId: operatorApp, kind: 'operator-app' }]);
    await lab.clock.advance(49);
    expect(dialled).to.deep.equal([app]);
    await lab.clock.advance(1);
    expect(dialled).to.deep.equal([app, operatorApp]);
    answer.resolve({ ok: true, value: undefined });
    await performer.idle();
  });

  it('a command that throws does not hold back the next one of its leg', async () => {
    const { pbx, perform } = await setUp();
    pbx.dialApp = () => Promise.reject(new Error('a bug'));
    await perform(dialApp, { type: 'pbx.hangup', legId: app, reason: 'normal' });
    expect(pbx.orders).to.deep.equal([`hangup ${app} normal`]);
  });
});
