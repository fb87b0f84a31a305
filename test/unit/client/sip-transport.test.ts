import { expect } from 'chai';
import { SipSocketClosed } from '../../../control-plane/client/sip-transport.ts';

describe('client/sip-transport', () => {
  it('RTC-9: comes back a second after the end of a session at the earliest, ten after it was replaced, else at once', () => {
    const waits = [4000, 4001, 4003, 1006].map((code) => new SipSocketClosed(code).waitMs);
    expect(waits).to.deep.equal([1000, 10_000, 0, 0]);
  });
});
