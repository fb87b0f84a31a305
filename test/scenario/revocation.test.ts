import { expect } from 'chai';
import type { AddressOfRecord, Instant, OperatorId } from '../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../control-plane/src/ports/gateway.ts';
import {
  AKRAM,
  asOperator,
  BINA,
  panelOf,
  PRIYA,
  PRIYA_AOR,
  sessionIdOf,
  startCoreLab,
  type CoreLab,
} from '../support/core-lab.ts';

/** A revocation is in force on open sockets and calls by then. */
const IN_FORCE_MS = 5000;

describe('scenario: a stolen laptop', () => {
  const holder = (lab: CoreLab, operatorId: OperatorId, tokenId: string): Caller => ({
    ...asOperator(operatorId),
    tokenId,
    issuedAt: lab.clock.now(),
  });
  const comesIn = (lab: CoreLab, aor: AddressOfRecord, caller: Caller) =>
    lab.gateway.deviceAdmitted(aor, caller);
  const revoke = async (lab: CoreLab, tokenId: string): Promise<void> => {
    const at = lab.clock.now();
    const until = (at + 3_600_000) as Instant;
    await lab.core.revocations.revoke({ kind: 'token', tokenId, at, until, by: 'supervisor:chief' });
  };
  const streaming = async (): Promise<CoreLab> => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await comesIn(lab, panelOf(AKRAM), holder(lab, AKRAM, 'stolen'));
    await lab.beginShift(BINA);
    return lab;
  };

  it('RTC-5 hears nothing within 5 s of its revocation, and the next operator is offered', async () => {
    const lab = await streaming();
    const leg = lab.leg('operator-app');
    await revoke(lab, 'stolen');
    await lab.forward(IN_FORCE_MS);
    expect(lab.closed, 'its socket').to.include(panelOf(AKRAM));
    expect(lab.ordered(`hangup ${leg}`), 'its call').to.not.be.empty;
    const session = await lab.live();
    expect(session.assignment).to.deep.include({ state: 'assigned', operatorId: BINA });
    expect(session.stream.streamingSince, 'her stream goes on').to.not.equal(null);
    await lab.answer('operator-app');
    await lab.heard(BINA);
    expect((await lab.live()).phase).to.equal('active');
  });

  it('RTC-5 is shut out when the directory calls its operator inactive, though nobody knows its token', async () => {
    const lab = await streaming();
    lab.kill();
    await lab.boot();
    await lab.forward(0);
    const operator = await lab.core.directory.operator(AKRAM);
    await lab.core.directory.putOperator({ ...operator!, active: false });
    await lab.beginShift(BINA);
    const [leg] = lab.legs('operator-app');
    await lab.forward(IN_FORCE_MS);
    expect(lab.ordered(`hangup ${leg!}`)).to.not.be.empty;
    expect((await lab.live()).assignment).to.deep.include({ operatorId: BINA });
  });

  it('RTC-5 is not offered again when nobody else is there: she waits in the queue', async () => {
    const lab = await startCoreLab();
    await lab.becomeActive();
    await comesIn(lab, panelOf(AKRAM), holder(lab, AKRAM, 'stolen'));
    await revoke(lab, 'stolen');
    await lab.forward(IN_FORCE_MS);
    expect((await lab.live()).assignment?.state).to.equal('queued');
    lab.gateway.deviceLeft(panelOf(AKRAM));
    await lab.forward(IN_FORCE_MS);
    expect((await lab.live()).assignment?.state).to.equal('queued');
    await lab.beginShift(BINA);
    expect((await lab.live()).assignment).to.deep.include({ state: 'assigned', operatorId: BINA });
  });

  it('TEL-10 takes nobody away whom its operator hears by his duty phone, and is looked at once', async () => {
    const lab = await startCoreLab();
    await lab.beginShift(AKRAM);
    await comesIn(lab, panelOf(AKRAM), holder(lab, AKRAM, 'stolen'));
    await lab.connect(PRIYA_AOR);
    await lab.activate();
    await lab.answer('citizen-app');
    await lab.packets();
    await lab.forward(IN_FORCE_MS);
    await lab.answer('operator-phone');
    expect((await lab.live()).phase).to.equal('active');
    await revoke(lab, 'stolen');
    await lab.forward(2 * IN_FORCE_MS);
    const session = await lab.live();
    expect(session.phase).to.equal('active');
    expect(session.assignment).to.deep.include({ operatorId: AKRAM, aor: null });
    expect(lab.ordered(`hangup ${lab.leg('operator-phone')}`)).to.be.empty;
    const looks = (await lab.eventTypes()).filter((type) => type === 'operator.revoked');
    expect(looks).to.have.length(1);
  });

  it('RTC-5 leaves another client of the same operator alone', async () => {
    const lab = await streaming();
    await comesIn(lab, panelOf(AKRAM), holder(lab, AKRAM, 'new'));
    await revoke(lab, 'stolen');
    await lab.forward(IN_FORCE_MS);
    expect(lab.closed).to.be.empty;
    expect((await lab.live()).assignment).to.deep.include({ operatorId: AKRAM });
  });

  it('RTC-9 ends no SOS of a citizen whose token is revoked: her socket goes after it', async () => {
    const lab = await streaming();
    await comesIn(lab, PRIYA_AOR, {
      role: 'citizen',
      subject: PRIYA,
      tokenId: 'hers',
      issuedAt: lab.clock.now(),
    });
    await revoke(lab, 'hers');
    await lab.forward(IN_FORCE_MS);
    expect(lab.closed).to.be.empty;
    expect((await lab.live()).phase).to.equal('active');
    await lab.gateway.resolve(asOperator(AKRAM), sessionIdOf(1), null);
    await lab.forward(IN_FORCE_MS);
    expect(lab.closed).to.include(PRIYA_AOR);
  });
});
