import { expect } from 'chai';
import { EdgePresence } from '../../../../control-plane/src/adapters/edge-link/edge-presence.ts';

const AOR = 'citizen-c1-d1';
const notice = (type: 'opened' | 'lost' | 'closed', aor = AOR) => ({ type, aor, at: 1 });

describe('adapters/edge-link/edge-presence', () => {
  it('believes an edge about its own clients', () => {
    const presence = new EdgePresence<string>();
    for (const type of ['opened', 'lost', 'opened', 'closed'] as const)
      expect(presence.note('a', notice(type))).to.deep.equal({ believed: true, elsewhere: null });
  });

  it('does not believe an edge about a client that has moved on', () => {
    const presence = new EdgePresence<string>();
    presence.note('a', notice('opened'));
    expect(presence.note('b', notice('opened'))).to.deep.equal({ believed: true, elsewhere: 'a' });
    expect(presence.note('a', notice('lost'))).to.deep.equal({ believed: false, elsewhere: null });
    expect(presence.note('a', notice('closed'))).to.deep.equal({ believed: false, elsewhere: null });
    expect(presence.note('b', notice('closed'))).to.deep.equal({ believed: true, elsewhere: null });
  });

  it('gives up the clients of an edge that is gone, and of no other', () => {
    const presence = new EdgePresence<string>();
    presence.note('a', notice('opened'));
    presence.note('a', notice('opened', 'citizen-c2-d1'));
    presence.note('b', notice('opened', 'citizen-c2-d1'));
    expect(presence.drop('a')).to.deep.equal([AOR]);
    expect(presence.drop('a')).to.deep.equal([]);
    expect(presence.drop('b')).to.deep.equal(['citizen-c2-d1']);
  });
});
