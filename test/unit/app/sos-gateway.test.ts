import { expect } from 'chai';
import type { OperatorId, ZoneId } from '../../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../../control-plane/src/ports/gateway.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  BACKEND,
  BINA,
  citizenOf,
  MEERA,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
  ZONE,
} from '../../support/core-lab.ts';

const ID = sessionIdOf(1);
const SUPERVISOR: Caller = { role: 'supervisor', subject: 'chief', tokenId: null };
const ADMIN: Caller = { role: 'admin', subject: 'root', tokenId: null };
const FOREIGN = asOperator('farid' as OperatorId);
const NOT_FOUND = 'ERR_SOS_NOT_FOUND';

const word = (result: { readonly ok: boolean; readonly code?: string }) => (result.ok ? 'ok' : result.code);

describe('app/sos-gateway', () => {
  const begun = async () => {
    const lab = await startCoreLab();
    const { directory } = lab.memory;
    const zoneId = 'north' as ZoneId;
    const operatorId = 'farid' as OperatorId;
    await directory.putZone({ id: zoneId, name: 'North', polygon: [] });
    await directory.putOperator({
      id: operatorId,
      name: 'Farid',
      dutyPhone: null,
      capacity: 1,
      active: true,
    });
    await directory.putRoster(zoneId, [
      { zoneId, operatorId, duty: 'operator', priority: 1, pressToAccept: false, from: null, until: null },
    ]);
    await lab.activate();
    return lab;
  };

  describe('who may touch a session', () => {
    for (const [name, caller, expected] of [
      ['the citizen herself', asCitizen(PRIYA), 'ok'],
      ['another citizen', asCitizen(MEERA), NOT_FOUND],
      ['an operator of the zone', asOperator(BINA), 'ok'],
      ['an operator of another zone', FOREIGN, NOT_FOUND],
      ['the backend', BACKEND, 'ok'],
      ['a supervisor', SUPERVISOR, 'ok'],
      ['an admin', ADMIN, 'ok'],
    ] as const) {
      it(`${name}: ${expected}`, async () => {
        const { gateway } = await begun();
        expect(word(await gateway.view(caller, ID)), 'view').to.equal(expected);
        expect(word(await gateway.timeline(caller, ID)), 'timeline').to.equal(expected);
        const isPresser = caller.role === 'citizen' || caller.role === 'backend';
        const ofTheRole = (may: boolean) => (may ? 'ERR_SOS_PHASE' : 'ERR_SOS_FOREIGN');
        const isStranger = expected === NOT_FOUND;
        expect(word(await gateway.redial(caller, ID)), 'redial').to.equal(
          isStranger ? NOT_FOUND : ofTheRole(!isPresser),
        );
        expect(word(await gateway.release(caller, ID)), 'release').to.equal(
          isStranger ? NOT_FOUND : ofTheRole(isPresser),
        );
        expect(word(await gateway.view(caller, sessionIdOf(99))), 'no session').to.equal(NOT_FOUND);
      });
    }

    it('RTC-9 a supervisor of another zone sees it, and neither ends it nor calls her phone', async () => {
      const lab = await begun();
      const other: Caller = { role: 'supervisor', subject: 'farid', tokenId: null };
      await lab.forward(5000);
      await lab.answer('citizen-phone');
      expect(word(await lab.gateway.view(other, ID))).to.equal('ok');
      expect(word(await lab.gateway.resolve(other, ID, null))).to.equal('ERR_SOS_FOREIGN');
      expect(word(await lab.gateway.redial(other, ID))).to.equal('ERR_SOS_FOREIGN');
      // On duty in her zone, but not as a supervisor.
      const operator: Caller = { role: 'supervisor', subject: BINA, tokenId: null };
      expect(word(await lab.gateway.resolve(operator, ID, null))).to.equal('ERR_SOS_FOREIGN');
      await lab.forward(0);
      expect((await lab.live()).phase).to.equal('phone-connected');
      expect(lab.legs('citizen-phone')).to.deep.equal([`${ID}.citizen-phone.1`]);
      expect(word(await lab.gateway.redial(SUPERVISOR, ID))).to.equal('ok');
      expect(word(await lab.gateway.resolve(SUPERVISOR, ID, null))).to.equal('ok');
    });

    it('an SOS of no zone is for whoever is on duty anywhere, and for nobody who is not', async () => {
      const lab = await begun();
      const { directory } = lab.memory;
      const idle = 'idle' as OperatorId;
      await directory.putOperator({ id: idle, name: 'Idle', dutyPhone: null, capacity: 1, active: true });
      // Without a catch-all zone, and far from every other.
      await lab.core.directory.putZone({ id: ZONE, name: 'Central', polygon: [] });
      await directory.putCitizen(citizenOf(MEERA, { homeZone: null }));
      const { id } = await lab.activate({ citizenId: MEERA, location: undefined });
      expect((await lab.live(id)).zoneId).to.equal(null);
      expect(word(await lab.gateway.view(asOperator(AKRAM), id))).to.equal('ok');
      expect(word(await lab.gateway.view(asOperator(idle), id))).to.equal(NOT_FOUND);
      expect(word(await lab.gateway.resolve(asOperator(idle), id, null))).to.equal(NOT_FOUND);
      const listed = async (operatorId: OperatorId) => {
        const result = await lab.gateway.list(asOperator(operatorId), true, null, 10);
        return result.ok ? result.value.map((one) => one.id) : [];
      };
      expect(await listed(AKRAM)).to.include(id);
      expect(await listed(idle)).to.deep.equal([]);
      const zones = await lab.core.feedSource.zonesOf(idle);
      expect((await lab.core.feedSource.snapshot(zones, idle)).sessions).to.deep.equal([]);
      expect(word(await lab.gateway.view(SUPERVISOR, id))).to.equal('ok');
      expect(word(await lab.gateway.resolve(SUPERVISOR, id, null))).to.equal('ok');
    });

    it('RTC-6 who has her keeps her card when his duty ends in the middle', async () => {
      const lab = await startCoreLab();
      await lab.beginShift(AKRAM);
      await lab.activate();
      await lab.memory.directory.putRoster(ZONE, []);
      const zones = await lab.core.feedSource.zonesOf(AKRAM);
      expect(zones).to.deep.equal([]);
      const { sessions } = await lab.core.feedSource.snapshot(zones, AKRAM);
      expect(sessions.map(({ id }) => id)).to.deep.equal([ID]);
      expect((await lab.core.feedSource.snapshot(zones, BINA)).sessions).to.deep.equal([]);
      expect(word(await lab.gateway.resolve(asOperator(AKRAM), ID, null))).to.equal('ok');
    });

    it('an operator of another zone may end nothing, not even by guessing its id', async () => {
      const lab = await begun();
      expect(word(await lab.gateway.resolve(FOREIGN, ID, null))).to.equal(NOT_FOUND);
      expect((await lab.live()).phase).to.equal('connecting');
    });
  });

  it('RTC-9 an operator ends it, the backend with a reason, the citizen never', async () => {
    const lab = await begun();
    expect(word(await lab.gateway.resolve(asCitizen(PRIYA), ID, 'please'))).to.equal('ERR_SOS_PHASE');
    expect(word(await lab.gateway.resolve(BACKEND, ID, null))).to.equal('ERR_SOS_REASON_REQUIRED');
    expect((await lab.live()).phase).to.equal('connecting');
    expect(word(await lab.gateway.resolve(BACKEND, ID, 'a drill'))).to.equal('ok');
    expect(await lab.session()).to.include({ phase: 'resolved', endedBy: 'backend:backend' });
    expect(word(await lab.gateway.resolve(asOperator(AKRAM), ID, null))).to.equal('ERR_SOS_PHASE');
  });

  it('her own view tells neither who hears her nor what the police think of it', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.activate({ location: undefined });
    await lab.forward(5000);
    const hers = await lab.gateway.view(asCitizen(PRIYA), ID);
    const theirs = await lab.gateway.view(asOperator(AKRAM), ID);
    if (!hers.ok || !theirs.ok) throw new Error('not seen');
    expect(theirs.value).to.include({ operatorId: AKRAM, degradedReason: 'timeout-no-contact' });
    expect(theirs.value.flags).to.include('location-missing');
    expect(hers.value).to.deep.include({ operatorId: null, alerts: [], flags: [], degradedReason: null });
    expect(hers.value.phase).to.equal('phone-fallback-active');
  });

  it('a redial calls her phone again once nothing else runs, and is refused while it connects', async () => {
    const lab = await begun();
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ERR_SOS_PHASE');
    await lab.forward(5000);
    await lab.answer('citizen-phone');
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ok');
    await lab.forward(0);
    expect(lab.legs('citizen-phone')).to.deep.equal([`${ID}.citizen-phone.2`]);
  });

  it('RTC-10 one person has her phone called ten times at once and one time in five seconds; others as before', async () => {
    const lab = await begun();
    await lab.forward(5000);
    const answered = async (): Promise<void> => {
      await lab.forward(0);
      await lab.answer('citizen-phone');
    };
    for (let n = 1; n <= 10; n += 1) {
      await answered();
      expect(word(await lab.gateway.redial(asOperator(AKRAM), ID)), `time ${n}`).to.equal('ok');
    }
    await answered();
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ERR_GATEWAY_BUSY');
    expect((await lab.live()).phase, 'her call stands').to.equal('phone-connected');
    expect(word(await lab.gateway.redial(SUPERVISOR, ID))).to.equal('ok');
    await answered();
    await lab.forward(5000);
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ok');
  });

  it('FB-3 who looks on from the zone does not cut a talk that another operator has with her', async () => {
    const lab = await begun();
    await lab.forward(5000);
    await lab.answer('citizen-phone');
    await lab.answer('operator-phone');
    expect((await lab.live()).phase).to.equal('phone-connected');
    expect(word(await lab.gateway.redial(asOperator(BINA), ID))).to.equal('ERR_SOS_PHASE');
    await lab.forward(0);
    expect(lab.legs('citizen-phone')).to.deep.equal([`${ID}.citizen-phone.1`]);
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ok');
  });

  it('FB-3 who had her when the phones were called has her called anew, though a machine took another duty phone', async () => {
    const lab = await begun();
    await lab.forward(5000);
    await lab.forward(8000);
    await lab.answer('citizen-phone');
    await lab.answer('operator-phone');
    const { phase, assignment } = await lab.live();
    expect({ phase, assignment }).to.nested.include({
      phase: 'phone-connected',
      'assignment.operatorId': BINA,
    });
    expect(word(await lab.gateway.redial(asOperator(AKRAM), ID))).to.equal('ok');
  });

  it('an idempotency key: the same body again is the same answer, another body is flagged and served', async () => {
    const lab = await startCoreLab();
    const first = await lab.activate({ idempotencyKey: 'k', bodyHash: 'one' });
    const again = await lab.activate({ idempotencyKey: 'k', bodyHash: 'one' });
    expect(again.id).to.equal(first.id);
    expect(again.flags).not.to.include('idempotency-key-reused');
    const other = await lab.activate({ idempotencyKey: 'k', bodyHash: 'two' });
    expect(other.id).to.equal(first.id);
    expect(other.flags).to.include('idempotency-key-reused');
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    const late = await lab.activate({ idempotencyKey: 'k', bodyHash: 'one' });
    expect(late.id).not.to.equal(first.id);
    expect(late.flags).not.to.include('idempotency-key-reused');
  });

  it('RTC-10 a malformed body is flagged and served', async () => {
    const lab = await startCoreLab();
    const { flags, phase } = await lab.activate({
      bodyMalformed: true,
      location: undefined,
      deviceId: undefined,
    });
    expect(phase).to.equal('connecting');
    expect(flags).to.include.members(['body-malformed', 'location-missing', 'unknown-device']);
  });

  it('a warm-up becomes the session that it warmed up for, and tells where to register', async () => {
    const lab = await startCoreLab();
    const armed = await lab.gateway.arm(lab.request());
    expect(armed).to.deep.include({ ok: true });
    const activated = await lab.activate();
    expect(activated).to.include({ id: ID, folded: false, phase: 'connecting' });
    expect(activated.sipUri).to.equal(`sip:${PRIYA_AOR}@example.org`);
    expect(activated.activatedAt).to.equal(new Date(1_000_000).toISOString());
  });

  it("only another's warm-up cannot be activated", async () => {
    const lab = await startCoreLab();
    await lab.gateway.arm(lab.request());
    const { gateway, clock } = lab;
    expect(word(await gateway.activateArmed(asCitizen(MEERA), ID, clock.now()))).to.equal(NOT_FOUND);
    expect(word(await gateway.activateArmed(asCitizen(PRIYA), ID, clock.now()))).to.equal('ok');
  });

  it('RTC-2 hears only the operator whose leg it is, and only packets', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await lab.activate();
    await lab.answer('operator-app');
    const legId = lab.leg('operator-app');
    await lab.gateway.heard(AKRAM, ID, legId, 0);
    await lab.gateway.heard(BINA, ID, legId, 9);
    await lab.gateway.heard(AKRAM, sessionIdOf(2), legId, 9);
    expect((await lab.live()).stream.heardBy).to.be.null;
    await lab.gateway.heard(AKRAM, ID, legId, 1);
    expect((await lab.live()).stream.heardBy).to.equal(legId);
  });

  it("lists an operator's own zones, everything for a supervisor", async () => {
    const { gateway } = await begun();
    const count = async (caller: Caller) => {
      const result = await gateway.list(caller, true, null, 10);
      return result.ok ? result.value.length : result.code;
    };
    expect(await count(asOperator(AKRAM))).to.equal(1);
    expect(await count(FOREIGN)).to.equal(0);
    expect(await count(SUPERVISOR)).to.equal(1);
  });

  it('RTC-1 the edge stamps the offer, and the timeline judges it', async () => {
    const lab = await startCoreLab();
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.forward(120);
    lab.gateway.stamped(lab.leg('citizen-app'), 'offer-sent', null, lab.clock.now());
    lab.gateway.stamped(lab.leg('citizen-app'), 'refused', 488, lab.clock.now());
    await lab.forward(30);
    const timeline = await lab.gateway.timeline(asOperator(AKRAM), ID);
    if (!timeline.ok) throw new Error(timeline.code);
    expect(timeline.value.verdicts.find(({ id }) => id === 'RTC-1')).to.include({ valueMs: 120, ok: true });
    expect(timeline.value.milestones.filter(({ name }) => name === 'offer-sent')).to.have.length(1);
  });

  it('tells the health of engine and database', async () => {
    const lab = await startCoreLab();
    const journal = { entries: 0, durable: true };
    expect(await lab.gateway.health()).to.deep.equal({ engine: true, database: true, journal });
    lab.pbx.lose();
    lab.mood = 'down';
    expect(await lab.gateway.health()).to.deep.equal({ engine: false, database: false, journal });
  });
});
