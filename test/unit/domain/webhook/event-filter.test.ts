import { expect } from 'chai';
import { matchesAny } from '../../../../control-plane/src/domain/webhook/event-filter.ts';

describe('domain/webhook: event filter', () => {
  it('takes exact types, families and everything, and nothing that only looks like it', () => {
    expect(matchesAny(['call.ended'], 'call.ended')).to.equal(true);
    expect(matchesAny(['sos.*', 'call.ended'], 'sos.phone-connected')).to.equal(true);
    expect(matchesAny(['*'], 'sos.active')).to.equal(true);
    expect(matchesAny([], 'call.ended')).to.equal(false);
    expect(matchesAny(['call.ended'], 'call.ended-twice')).to.equal(false);
    expect(matchesAny(['call.*'], 'caller.ended')).to.equal(false);
    expect(matchesAny(['sos.alert'], 'sos.alert-acknowledged')).to.equal(false);
    expect(matchesAny(['call'], 'call.ended')).to.equal(false);
  });
});
