import { expect } from 'chai';
import { SessionState, type Invitation } from 'sip.js';
import { IncomingLeg } from '../../../control-plane/client/incoming-leg.ts';

/** What SIP.js calls 32 s after a 200 without its ACK; it ends the call, and throws where that is not possible any more. */
function invitationIn(state: SessionState): {
  readonly invitation: Invitation;
  readonly givenUp: () => number;
} {
  let count = 0;
  const invitation = {
    state,
    request: { getHeader: () => 'leg' },
    stateChange: { addListener: () => undefined },
    onAckTimeout(this: { state: SessionState }) {
      if (this.state === SessionState.Terminated) throw new Error('Invalid state transition');
      count += 1;
    },
  };
  return { invitation: invitation as unknown as Invitation, givenUp: () => count };
}

function ackTimesOut(invitation: Invitation): void {
  (invitation as unknown as { onAckTimeout: () => void }).onAckTimeout();
}

describe('client/incoming-leg', () => {
  it('takes no harm from an ACK that never came for a call that has ended', () => {
    const { invitation, givenUp } = invitationIn(SessionState.Terminated);
    new IncomingLeg(invitation, 2000);
    expect(() => ackTimesOut(invitation)).not.to.throw();
    expect(givenUp()).to.equal(0);
  });

  it('gives up a call that stands without its ACK', () => {
    const { invitation, givenUp } = invitationIn(SessionState.Established);
    new IncomingLeg(invitation, 2000);
    ackTimesOut(invitation);
    expect(givenUp()).to.equal(1);
  });
});
