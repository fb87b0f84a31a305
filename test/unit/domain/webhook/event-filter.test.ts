import { expect } from 'chai';
import { filtersOf } from '../../../../control-plane/src/domain/webhook/event-filter.ts';

describe('domain/webhook: event filter', () => {
  it('lets a type through by itself, by its family, and with everything', () => {
    expect(filtersOf('call.ended')).to.deep.equal(['*', 'call.*', 'call.ended']);
    expect(filtersOf('sos.alert-acknowledged')).to.deep.equal(['*', 'sos.*', 'sos.alert-acknowledged']);
  });
});
