import { expect } from 'chai';
import { bridgeIdOf, operatorAor } from '../../control-plane/src/domain/ids.ts';
import type { ClientId, OperatorId, SessionId } from '../../control-plane/src/domain/ids.ts';
import type { RosterEntry } from '../../control-plane/src/ports/directory.ts';
import type { Caller } from '../../control-plane/src/ports/gateway.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  BACKEND,
  BINA,
  CHIEF,
  instant,
  MEERA,
  panelOf,
  PRIYA,
  sessionIdOf,
  startCoreLab,
  type CoreLab,
  ZONE,
} from '../support/core-lab.ts';

const ID = sessionIdOf(1);
const ADMIN: Caller = { role: 'admin', subject: 'root', tokenId: null };
const asSupervisor = (id: OperatorId): Caller => ({ role: 'supervisor', subject: id, tokenId: null });
const codeOf = (result: { readonly ok: boolean; readonly code?: string }) => (result.ok ? 'ok' : result.code);

async function activeLab(): Promise<CoreLab> {
  const lab = await startCoreLab();
  await lab.becomeActive();
  return lab;
}

describe('scenario: handing over, joining, listening in', () => {
  it('TEL-10 a token opens only what is its bearer’s: hers to the operator who has her, the zone to its supervisor', async () => {
    const lab = await activeLab();
    await lab.beginShift(BINA);
    const attempts = async (caller: Caller) => [
      codeOf(await lab.gateway.transfer(caller, ID, AKRAM, null)),
      codeOf(await lab.gateway.join(caller, ID, null)),
      codeOf(await lab.gateway.listen(caller, ID, null)),
      codeOf(await lab.gateway.stopListening(caller, ID)),
    ];
    const foreign = Array.from({ length: 4 }, () => 'ERR_SOS_FOREIGN');
    expect(await attempts(asOperator(BINA)), 'of the zone, and not hers').to.deep.equal(foreign);
    expect(await attempts(asCitizen(PRIYA))).to.deep.equal(foreign);
    expect(await attempts(BACKEND)).to.deep.equal(foreign);
    expect(
      await attempts(asSupervisor('elsewhere' as OperatorId)),
      'he may stop what he never began',
    ).to.deep.equal([...foreign.slice(1), 'ok']);
    expect(await attempts(asCitizen(MEERA))).to.deep.equal(foreign.map(() => 'ERR_SOS_NOT_FOUND'));
    expect(lab.legs('supervisor-app')).to.be.empty;
    expect(lab.legs('operator-app')).to.have.length(1);
  });

  it('TEL-10 RTC-10 who asks again and again uses up neither her calls nor what others may ask', async () => {
    const lab = await activeLab();
    await lab.beginShift(BINA);
    let calls = 0;
    let refused = 0;
    for (let count = 0; count < 600; count += 1) {
      const code = codeOf(await lab.gateway.join(asOperator(AKRAM), ID, null));
      calls += code === 'ok' ? 1 : 0;
      refused += code === 'ERR_GATEWAY_BUSY' ? 1 : 0;
      await lab.forward(0);
      for (const leg of lab.legs('operator-app').slice(1)) lab.pbx.end(leg, 'rejected');
      await lab.forward(100);
    }
    expect(refused).to.equal(600 - calls);
    expect(calls, 'ten, and one every five seconds').to.be.within(10, 10 + 12 + 1);
    expect(codeOf(await lab.gateway.transfer(ADMIN, ID, BINA, null)), 'somebody else asks').to.equal('ok');
  });

  it('TEL-10 calls nobody’s panel but the asker’s own, and only one that is there', async () => {
    const lab = await activeLab();
    const chief = asSupervisor(CHIEF);
    expect(codeOf(await lab.gateway.listen(chief, ID, null))).to.equal('ERR_SOS_PANEL_ABSENT');
    await lab.connect(panelOf(CHIEF));
    await lab.connect(operatorAor(CHIEF, 'tablet' as ClientId));
    expect(codeOf(await lab.gateway.listen(chief, ID, 'other' as ClientId))).to.equal('ERR_SOS_PANEL_ABSENT');
    expect(codeOf(await lab.gateway.listen(chief, ID, null))).to.equal('ok');
    await lab.forward(0);
    expect(lab.pbx.leg(lab.leg('supervisor-app'))?.dial).to.include({ aor: 'operator-chief-tablet' });
    await lab.answer('supervisor-app');
    expect(lab.pbx.leg(lab.leg('supervisor-app'))).to.include({
      bridgeId: bridgeIdOf(ID, 'stream'),
      voice: 'listens',
    });
    const view = await lab.gateway.view(chief, ID);
    expect(view.ok && view.value.listeners).to.deep.equal([CHIEF]);
    const hers = await lab.gateway.view(asCitizen(PRIYA), ID);
    expect(hers.ok && hers.value.listeners, 'she is not told').to.deep.equal([]);
    expect(codeOf(await lab.gateway.stopListening(chief, ID))).to.equal('ok');
    await lab.forward(0);
    expect(lab.legs('supervisor-app')).to.be.empty;
  });

  describe('who listens in', () => {
    const listening = async (change: Partial<RosterEntry> = {}): Promise<CoreLab> => {
      const lab = await activeLab();
      await writeRoster(lab, [AKRAM, 'operator'], [CHIEF, 'supervisor', change]);
      await lab.connect(panelOf(CHIEF));
      expect(codeOf(await lab.gateway.listen(asSupervisor(CHIEF), ID, null))).to.equal('ok');
      await lab.forward(0);
      await lab.answer('supervisor-app');
      return lab;
    };
    const expectSilenced = async (lab: CoreLab): Promise<void> => {
      expect(lab.legs('supervisor-app')).to.be.empty;
      expect((await lab.live()).phase, 'her call goes on').to.equal('active');
      expect(lab.legs('operator-app')).to.have.length(1);
      expect(codeOf(await lab.gateway.listen(asSupervisor(CHIEF), ID, null))).to.equal('ERR_SOS_FOREIGN');
    };

    it('TEL-10 hears nothing more the moment he is struck off the roster', async () => {
      const lab = await listening();
      await writeRoster(lab, [AKRAM, 'operator'], [BINA, 'supervisor']);
      await lab.forward(0);
      await expectSilenced(lab);
    });

    it('TEL-10 hears nothing more within 5 s of the end of his duty, or of having become an operator there', async () => {
      const lab = await listening({ until: instant(2_000_000) });
      await lab.forward(2_000_000 - lab.clock.now() - 1);
      expect(lab.legs('supervisor-app')).to.have.length(1);
      await lab.forward(5001);
      await expectSilenced(lab);
      const other = await listening();
      await writeRoster(other, [AKRAM, 'operator'], [CHIEF, 'operator']);
      await other.forward(0);
      await expectSilenced(other);
    });

    it('TEL-10 hears nothing more once the directory calls him inactive, or his token is revoked', async () => {
      const inactive = await listening();
      const chief = await inactive.core.directory.operator(CHIEF);
      await inactive.core.directory.putOperator({ ...chief!, active: false });
      await inactive.forward(5000);
      await expectSilenced(inactive);
      const revoked = await listening();
      const at = revoked.clock.now();
      await revoked.core.revocations.revoke({
        kind: 'subject',
        role: 'supervisor',
        subject: CHIEF,
        at: instant(at + 1),
        until: instant(at + 3_600_000),
        by: 'admin:root',
      });
      await revoked.forward(5000);
      expect(revoked.legs('supervisor-app')).to.be.empty;
      expect((await revoked.live()).phase).to.equal('active');
    });

    it('TEL-10 goes on while the roster cannot be read, and while he is on it', async () => {
      const lab = await listening();
      lab.mood = 'down';
      await lab.forward(10_000);
      expect(lab.legs('supervisor-app')).to.have.length(1);
      lab.mood = 'up';
      await lab.forward(10_000);
      expect(lab.legs('supervisor-app')).to.have.length(1);
    });
  });

  it('RTC-9 a listener ends with the session, and nothing of him is left', async () => {
    const lab = await activeLab();
    await lab.connect(panelOf(CHIEF));
    await lab.gateway.listen(asSupervisor(CHIEF), ID, null);
    await lab.forward(0);
    await lab.answer('supervisor-app');
    await lab.gateway.resolve(asOperator(AKRAM), ID, null);
    await lab.forward(0);
    expect(lab.pbx.legIds).to.be.empty;
    expect(lab.pbx.bridgeIds).to.be.empty;
    expect(codeOf(await lab.gateway.listen(asSupervisor(CHIEF), ID, null))).to.equal('ERR_SOS_PHASE');
  });

  it('TEL-10 gives a full operator nothing more by hand, and the one who is freed the session that waits', async () => {
    const lab = await activeLab();
    const { id: second } = await lab.activate({ citizenId: MEERA });
    expect((await lab.live(second)).assignment?.state).to.equal('queued');
    expect(codeOf(await lab.gateway.transfer(ADMIN, ID, null, null))).to.equal(
      'ERR_SOS_OPERATOR_UNAVAILABLE',
    );
    await lab.beginShift(BINA);
    expect((await lab.live(second)).assignment).to.include({ operatorId: BINA });
    expect(
      codeOf(await lab.gateway.transfer(asOperator(AKRAM), ID, BINA, null)),
      'she has room for one',
    ).to.equal('ERR_SOS_OPERATOR_UNAVAILABLE');
    await lab.gateway.resolve(BACKEND, second, 'over');
    await lab.forward(0);
    expect(codeOf(await lab.gateway.transfer(asOperator(AKRAM), ID, BINA, 'shift ends'))).to.equal('ok');
    await lab.forward(0);
    const third = await activateMeera(lab);
    expect((await lab.live(third)).assignment?.state, 'the hand-over takes up her room').to.equal('queued');
    await lab.answer('operator-app', ID);
    await lab.heard(BINA, ID);
    expect((await lab.live(ID)).assignment).to.include({ operatorId: BINA });
    expect((await lab.live(third)).assignment, 'the old one is free').to.include({ operatorId: AKRAM });
  });

  it('RTC-5 an operator whose panel is gone gets her back the moment it registers, on a process started anew too', async () => {
    const lab = await activeLab();
    await lab.beginShift(BINA);
    lab.pbx.unregister(panelOf(AKRAM));
    lab.pbx.end(lab.leg('operator-app'), 'lost');
    await lab.forward(500);
    expect(lab.legs('operator-app')).to.be.empty;
    lab.kill();
    await lab.boot();
    await lab.connect(panelOf(AKRAM));
    expect(lab.pbx.leg(lab.leg('operator-app'))?.dial).to.include({ aor: panelOf(AKRAM) });
    await lab.answer('operator-app');
    await lab.heard(AKRAM);
    expect((await lab.live()).phase).to.equal('active');
    expect((await lab.live()).assignment).to.include({ operatorId: AKRAM });
  });
});

/** As an admin writes it, while the core runs. */
async function writeRoster(
  lab: CoreLab,
  ...duties: readonly (readonly [OperatorId, RosterEntry['duty'], Partial<RosterEntry>?])[]
): Promise<void> {
  const entries = duties.map(([operatorId, duty, change], priority) => ({
    zoneId: ZONE,
    operatorId,
    duty,
    priority,
    pressToAccept: false,
    from: null,
    until: null,
    ...change,
  }));
  await lab.core.directory.putRoster(ZONE, entries);
}

async function activateMeera(lab: CoreLab): Promise<SessionId> {
  return (await lab.activate({ citizenId: MEERA })).id;
}
