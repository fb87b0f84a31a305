import { expect } from 'chai';
import { citizenAor } from '../../../control-plane/src/domain/ids.ts';
import type { AddressOfRecord, DeviceId } from '../../../control-plane/src/domain/ids.ts';
import type { Caller } from '../../../control-plane/src/ports/gateway.ts';
import { PRIYA, PRIYA_AOR, startCoreLab, type CoreLab } from '../../support/core-lab.ts';

const STOLEN: Caller = { role: 'citizen', subject: PRIYA, tokenId: 'stolen' };
const HERS: Caller = { ...STOLEN, tokenId: 'hers' };
const invented = (n: number): AddressOfRecord => citizenAor(PRIYA, `invented${n}` as DeviceId);

async function flood(lab: CoreLab, by: Caller, count: number): Promise<number> {
  let refused = 0;
  for (let n = 0; n < count; n += 1) {
    const result = await lab.gateway.deviceExpected(invented(n), by);
    if (!result.ok) expect(result.code).to.equal('ERR_GATEWAY_BUSY');
    refused += result.ok ? 0 : 1;
  }
  return refused;
}

describe('app/device-desk', () => {
  it('RTC-10 one token brings ten new devices at once, then one a second', async () => {
    const lab = await startCoreLab();
    expect(await flood(lab, STOLEN, 100)).to.equal(90);
    expect(lab.pbx.endpoints.size).to.equal(10);
    await lab.forward(1_000);
    expect(await flood(lab, STOLEN, 100)).to.equal(99);
  });

  it("RTC-10 another token of hers is let in, whatever a thief's token does", async () => {
    const lab = await startCoreLab();
    await flood(lab, STOLEN, 100);
    expect(await lab.gateway.deviceExpected(citizenAor(PRIYA, 'new' as DeviceId), HERS)).to.include({
      ok: true,
    });
  });

  it('RTC-10 a thief with the same token keeps out neither the device that the directory knows nor one that is here', async () => {
    const lab = await startCoreLab();
    const tablet = citizenAor(PRIYA, 'tablet' as DeviceId);
    await lab.gateway.deviceExpected(tablet, STOLEN);
    await lab.connect(tablet);
    await flood(lab, STOLEN, 100);
    lab.gateway.deviceLost(tablet);
    expect(await lab.gateway.deviceExpected(tablet, STOLEN), 'back after a network change').to.include({
      ok: true,
    });
    expect(await lab.gateway.deviceExpected(PRIYA_AOR, STOLEN), 'registered').to.include({ ok: true });
  });

  it('tokens without an id are told apart by when they were issued', async () => {
    const lab = await startCoreLab();
    const at = (issuedAt: number) =>
      ({ role: 'citizen', subject: PRIYA, tokenId: null, issuedAt }) as unknown as Caller;
    await flood(lab, at(1_000), 100);
    expect(await lab.gateway.deviceExpected(invented(1_000), at(2_000))).to.include({ ok: true });
  });
});
