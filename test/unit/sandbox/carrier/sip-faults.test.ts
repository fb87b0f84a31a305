import { expect } from 'chai';
import { createSipFaults } from '../../../../control-plane/sandbox/carrier/sip-faults.ts';
import { parseSipMessage, type SipMessage } from '../../../../control-plane/sandbox/carrier/sip-message.ts';

function message(startLine: string, method: string): SipMessage {
  return parseSipMessage([startLine, 'Call-ID: one', `CSeq: 1 ${method}`, '', ''].join('\r\n'))!;
}
const ringing = message('SIP/2.0 180 Ringing', 'INVITE');
const invite = message('INVITE sip:a@b SIP/2.0', 'INVITE');
const drop = { do: 'drop' } as const;

describe('sandbox/carrier/sip-faults', () => {
  it('touches nothing without a fault', () => {
    expect(createSipFaults().actionFor(ringing, 'carrier', '+919812345000')).to.equal(undefined);
  });

  it('matches on every given condition, and only then', () => {
    const faults = createSipFaults();
    faults.add({ number: '+919812345000', from: 'carrier', method: 'INVITE', status: 180, action: drop });
    expect(faults.actionFor(ringing, 'carrier', '+919812345000')).to.deep.equal(drop);
    expect(faults.actionFor(ringing, 'carrier', '+919812345001')).to.equal(undefined);
    expect(faults.actionFor(ringing, 'carrier', undefined)).to.equal(undefined);
    expect(faults.actionFor(ringing, 'gateway', '+919812345000')).to.equal(undefined);
    expect(faults.actionFor(invite, 'carrier', '+919812345000')).to.equal(undefined);
    expect(faults.actionFor(message('SIP/2.0 180 x', 'UPDATE'), 'carrier', '+919812345000')).to.equal(
      undefined,
    );
  });

  it('is over after so many messages, or when cleared', () => {
    const faults = createSipFaults();
    faults.add({ action: drop, times: 2 });
    faults.add({ action: { do: 'delay', delayMs: 5 } });
    const taken = [1, 2, 3].map(() => faults.actionFor(invite, 'gateway', undefined)?.do);
    expect(taken).to.deep.equal(['drop', 'drop', 'delay']);
    faults.clear();
    expect(faults.actionFor(invite, 'gateway', undefined)).to.equal(undefined);
  });

  it('sends what was delayed, unless the faults are cleared before', async () => {
    const faults = createSipFaults();
    const sent: string[] = [];
    faults.later(() => sent.push('lost'), 1);
    faults.clear();
    await new Promise<void>((resolve) =>
      faults.later(() => {
        sent.push('late');
        resolve();
      }, 5),
    );
    expect(sent).to.deep.equal(['late']);
  });

  it('holds a hundred faults at the most', () => {
    const faults = createSipFaults();
    for (let one = 0; one < 100; one += 1) faults.add({ action: drop });
    expect(() => faults.add({ action: drop })).to.throw(RangeError);
  });
});
