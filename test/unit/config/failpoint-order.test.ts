import { expect } from 'chai';
import { parseFailpoint } from '../../../control-plane/src/config/failpoint-order.ts';

describe('config failpoint-order', () => {
  it('reads place, detail, passage and when it begins to count', () => {
    expect(parseFailpoint('kill:committed/timer.watchdog:2:on-signal')).to.deep.equal({
      action: 'kill',
      place: 'committed',
      detail: 'timer.watchdog',
      passage: 2,
      onSignal: true,
    });
    expect(parseFailpoint('stop:decided:1')).to.include({ action: 'stop', detail: null, onSignal: false });
  });

  it('understands nothing else', () => {
    for (const text of ['', 'kill', 'kill:nowhere:1', 'kill:decided', 'kill:decided:0', 'burn:decided:1'])
      expect(parseFailpoint(text), text).to.equal(null);
  });
});
