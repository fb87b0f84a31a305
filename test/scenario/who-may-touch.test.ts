import { expect } from 'chai';
import type { OperatorId } from '../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../control-plane/src/ports/gateway.ts';
import {
  AKRAM,
  asCitizen,
  asOperator,
  BINA,
  CHIEF,
  MEERA,
  sessionIdOf,
  startCoreLab,
  type CoreLab,
  ZONE,
} from '../support/core-lab.ts';

describe('scenario: who may touch an SOS', () => {
  const shutOut = async (lab: CoreLab, operatorId: OperatorId) => {
    const operator = await lab.core.directory.operator(operatorId);
    if (!operator) throw new Error('no such operator');
    await lab.core.directory.putOperator({ ...operator, active: false });
  };
  const codeOf = (result: { readonly ok: boolean; readonly code?: string }) =>
    result.ok ? 'ok' : result.code;

  it('RTC-9 an operator who was shut out neither sees nor ends an SOS, not even the own one', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    const { id } = await lab.activate();
    const akram = asOperator(AKRAM);
    expect(codeOf(await lab.gateway.view(akram, id))).to.equal('ok');
    await shutOut(lab, AKRAM);
    expect(codeOf(await lab.gateway.view(akram, id))).to.equal('ERR_SOS_NOT_FOUND');
    expect(codeOf(await lab.gateway.timeline(akram, id))).to.equal('ERR_SOS_NOT_FOUND');
    expect(codeOf(await lab.gateway.resolve(akram, id, null))).to.equal('ERR_SOS_NOT_FOUND');
    expect(codeOf(await lab.gateway.redial(akram, id))).to.equal('ERR_SOS_NOT_FOUND');
    expect(await lab.gateway.list(akram, true, null, 10)).to.deep.equal({ ok: true, value: [] });
    expect(await lab.core.feedSource.zonesOf(AKRAM)).to.be.empty;
    expect((await lab.live(id)).phase).to.equal('connecting');
  });

  it('RTC-5 a supervisor and an admin of no roster acknowledge an alert; a stranger and a citizen do not', async () => {
    const lab = await startCoreLab();
    const { id } = await lab.activate();
    await lab.forward(10_000);
    expect((await lab.live(id)).alerts.map(({ kind }) => kind)).to.include('no-operator');
    const say = async (caller: Caller) =>
      codeOf(await lab.gateway.acknowledgeAlert(caller, id, 'no-operator'));
    expect(await say(asOperator('nobody' as OperatorId))).to.equal('ERR_SOS_NOT_FOUND');
    expect(await say(asCitizen(MEERA))).to.equal('ERR_SOS_NOT_FOUND');
    expect(await say({ role: 'admin', subject: 'root', tokenId: null })).to.equal('ok');
    await lab.forward(0);
    const [alert] = (await lab.live(id)).alerts.filter(({ kind }) => kind === 'no-operator');
    expect(alert?.acknowledgedBy).to.equal('root');
    expect(await say({ role: 'supervisor', subject: CHIEF, tokenId: null })).to.equal('ok');
  });

  /** The supervisor has taken her over, and is on no roster any more. */
  const afterHisDuty = async (): Promise<CoreLab> => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await lab.beginShift(CHIEF);
    expect(codeOf(await lab.gateway.join(asChief, sessionIdOf(1), null))).to.equal('ok');
    await lab.forward(0);
    await lab.answer('operator-app');
    await lab.heard(CHIEF);
    expect((await lab.live()).assignment).to.include({ operatorId: CHIEF });
    const roster = await lab.core.directory.roster(ZONE);
    const left = roster.filter(({ operatorId }) => operatorId !== CHIEF);
    await lab.core.directory.putRoster(ZONE, left);
    return lab;
  };
  const asChief: Caller = { role: 'supervisor', subject: CHIEF, tokenId: null };

  it('TEL-10 RTC-9 a supervisor who took her over hands her on or ends it, though his duty ended meanwhile', async () => {
    const lab = await afterHisDuty();
    const { id } = await lab.live();
    await lab.beginShift(BINA);
    expect(codeOf(await lab.gateway.listen(asChief, id, null)), 'for that he has to be on duty').to.equal(
      'ERR_SOS_FOREIGN',
    );
    expect(codeOf(await lab.gateway.redial(asChief, id)), 'her stream is live').to.equal('ERR_SOS_PHASE');
    expect(codeOf(await lab.gateway.transfer(asChief, id, BINA, null))).to.equal('ok');
    expect(codeOf(await lab.gateway.resolve(asChief, id, null))).to.equal('ok');
  });

  it('RTC-9 a supervisor who was shut out does nothing to it, though he had her', async () => {
    const lab = await afterHisDuty();
    const { id } = await lab.live();
    await shutOut(lab, CHIEF);
    expect(codeOf(await lab.gateway.transfer(asChief, id, null, null))).to.equal('ERR_SOS_FOREIGN');
    expect(codeOf(await lab.gateway.resolve(asChief, id, null))).to.equal('ERR_SOS_FOREIGN');
  });
});
