import { expect } from 'chai';
import { standingCallOrders } from '../../../../control-plane/src/domain/call/standing-orders.ts';
import { CallScenario } from '../../../support/call-scenario.ts';

describe('domain/call/reduce-call', () => {
  describe('one party', () => {
    it('TEL-3 TEL-4 goes out at once, and is told of as it rings, is answered and ends', () => {
      const call = new CallScenario();
      expect(call.orders).to.deep.equal(['dial to.1 → 0']);
      expect(call.state).to.equal('queued/none');
      expect(call.tried('to.1').state).to.equal('dialing/none');
      expect(call.rings('to.1').state).to.equal('ringing/none');
      expect(call.answers('to.1').state).to.equal('answered/waiting');
      expect(call.orders, 'it hears that it is to wait').to.deep.equal(['hold to.1']);
      expect(call.gone('to.1').state).to.equal('ended/to-hung-up');
      expect(call.news).to.deep.equal(['to ringing', 'to answered', 'to ended completed']);
      expect(call.timers.size).to.equal(0);
    });

    for (const [outcome, sipStatus] of [
      ['busy', 486],
      ['rejected', 603],
      ['invalid-number', 404],
      ['unreachable', 480],
      ['trunk-unreachable', null],
    ] as const)
      it(`TEL-3 fails as its party does: ${outcome}`, () => {
        const call = new CallScenario({ bridges: 1 }).tried('to.1').gone('to.1', outcome, sipStatus);
        expect(call.state).to.equal(`failed/${outcome}`);
        expect(call.news).to.deep.equal([`to failed ${outcome}`]);
        expect(call.legs).to.deep.equal([]);
      });

    it('TEL-10 rings no longer than it may, from the trunk on', () => {
      const call = new CallScenario({ ringTimeoutMs: 5000 });
      call.forward(700).tried('to.1').rings('to.1').forward(4999);
      expect(call.state).to.equal('ringing/none');
      call.forward(1);
      expect(call.state).to.equal('failed/no-answer');
      expect(call.orders).to.deep.equal(['hangup to.1 no-answer']);
      expect(call.news).to.deep.equal(['to ringing', 'to failed no-answer']);
      call.gone('to.1', 'no-answer', 487);
      expect(call.ends).to.deep.equal(['to.1 no-answer']);
      expect(call.news).to.have.length(2);
    });

    it('waits for a trunk with room for ten seconds, and asks again meanwhile', () => {
      const call = new CallScenario().overloaded('to.1');
      expect(call.forward(500).orders).to.deep.equal(['dial to.1 → 0']);
      for (let round = 0; round < 18; round += 1) call.overloaded('to.1').forward(500);
      expect(call.state).to.equal('queued/none');
      call.overloaded('to.1').forward(1000);
      expect(call.afterMs).to.be.within(10_000, 11_000);
      expect(call.state).to.equal('failed/no-capacity');
      expect(call.news).to.deep.equal(['to failed congestion']);
      expect(call.forward(5000).ends).to.deep.equal(['to.1 congestion']);
      expect(call.timers.size).to.equal(0);
    });

    it('goes on once there is room', () => {
      const call = new CallScenario().overloaded('to.1').forward(500).tried('to.1');
      expect(call.state).to.equal('dialing/none');
      expect([...call.timers.keys()]).to.deep.equal(['to-ring']);
    });

    it('ends after its longest time', () => {
      const call = new CallScenario({ maxDurationMs: 60_000 }).tried('to.1').answers('to.1').forward(60_000);
      expect(call.state).to.equal('ended/max-duration');
      expect(call.orders).to.deep.equal(['close', 'hangup to.1 normal']);
    });

    it('is hung up in every state, once and again', () => {
      const stories: readonly ((call: CallScenario) => CallScenario)[] = [
        (call) => call,
        (call) => call.tried('to.1'),
        (call) => call.tried('to.1').rings('to.1'),
      ];
      for (const story of stories) {
        const call = story(new CallScenario()).hangUp();
        expect(call.state).to.equal('ended/cancelled');
        expect(call.orders).to.deep.equal(['hangup to.1 cancelled']);
        expect(call.hangUp().verdict).to.equal('ignored');
        expect(
          call.gone('to.1', 'cancelled').news.filter((one) => one.startsWith('to ended')),
        ).to.have.length(1);
      }
      const call = new CallScenario().tried('to.1').answers('to.1').hangUp();
      expect(call.state).to.equal('ended/hung-up');
      expect(call.orders).to.deep.equal(['close', 'hangup to.1 normal']);
    });

    it('hangs up an answer that crossed the end', () => {
      const call = new CallScenario().tried('to.1').hangUp().answers('to.1');
      expect(call.orders).to.deep.equal(['hangup to.1 cancelled']);
      expect(call.state).to.equal('ended/cancelled');
    });

    it('ignores what comes late, twice, or of a leg that is none of its own', () => {
      const call = new CallScenario().tried('to.1').rings('to.1');
      expect(call.rings('to.1').verdict).to.equal('ignored');
      call.answers('to.1');
      expect(call.answers('to.1').verdict).to.equal('ignored');
      expect(call.rings('to.1').verdict).to.equal('ignored');
      expect(call.gone('other.7').verdict).to.equal('ignored');
      expect(call.answers('other.7').orders, 'a stranger').to.deep.equal(['hangup other.7 cancelled']);
      expect(call.state).to.equal('answered/waiting');
    });

    it('counts a leg as gone that was hung up and says nothing', () => {
      const call = new CallScenario().tried('to.1').answers('to.1').hangUp();
      expect(call.legs).to.deep.equal(['to.1 ending']);
      expect(call.forward(5000).orders).to.deep.equal(['hangup to.1 normal']);
      expect(call.legs).to.deep.equal([]);
      expect(call.ends).to.deep.equal(['to.1 completed']);
    });
  });

  describe('two parties', () => {
    it('TEL-10 holds the first while the second is called, and joins them', () => {
      const call = new CallScenario({ bridges: 1 }).tried('to.1').answers('to.1');
      expect(call.orders).to.deep.equal(['dial other.1 → 1', 'hold to.1']);
      expect(call.state).to.equal('answered/calling');
      call.tried('other.1').rings('other.1').answers('other.1');
      expect(call.orders).to.deep.equal(['join to.1', 'join other.1']);
      expect(call.state).to.equal('answered/joined');
      expect(call.news).to.deep.equal(['to answered', 'other ringing', 'other answered']);
    });

    it('TEL-10 calls both at once where that is asked for; whoever answers first is held', () => {
      const call = new CallScenario({ bridges: 2, bridgeWhen: 'at-once' });
      expect(call.orders).to.deep.equal(['dial to.1 → 0', 'dial other.1 → 1']);
      expect(call.tried('other.1').answers('other.1').orders).to.deep.equal(['hold other.1']);
      expect(call.state).to.equal('queued/calling');
      expect(call.tried('to.1').answers('to.1').orders).to.deep.equal(['join to.1', 'join other.1']);
    });

    it('TEL-10 tries the next one when the first does not answer, refuses, or has no trunk', () => {
      const call = new CallScenario({ bridges: 4, ringTimeoutMs: 8000 }).tried('to.1').answers('to.1');
      call.tried('other.1').rings('other.1').forward(8000);
      expect(call.orders).to.deep.equal(['hangup other.1 no-answer', 'dial other.2 → 2']);
      call.gone('other.1', 'no-answer');
      expect(call.tried('other.2').gone('other.2', 'busy').orders).to.deep.equal(['dial other.3 → 3']);
      expect(call.overloaded('other.3').forward(10_000).orders).to.include('dial other.4 → 4');
      expect(call.tried('other.4').answers('other.4').state).to.equal('answered/joined');
      expect(call.news).to.deep.equal([
        'to answered',
        'other ringing',
        'other failed no-answer',
        'other failed busy',
        'other answered',
      ]);
    });

    it('TEL-10 fails when nobody answers, and hangs up the first', () => {
      const call = new CallScenario({ bridges: 2 }).tried('to.1').answers('to.1');
      call.tried('other.1').gone('other.1', 'busy').tried('other.2').gone('other.2', 'rejected');
      expect(call.state).to.equal('failed/bridge-unanswered');
      expect(call.orders).to.deep.equal(['close', 'hangup to.1 normal']);
      expect(call.news.at(-1)).to.equal('to failed completed');
    });

    it('hangs up the second when the first fails, and the other when either hangs up', () => {
      const early = new CallScenario({ bridges: 1, bridgeWhen: 'at-once' }).tried('to.1').tried('other.1');
      expect(early.gone('to.1', 'busy').orders).to.deep.equal(['hangup other.1 cancelled']);
      expect(early.state).to.equal('failed/busy');
      const first = new CallScenario({ bridges: 1 }).joined().gone('to.1');
      expect(first.orders).to.deep.equal(['close', 'hangup other.1 normal']);
      expect(first.state).to.equal('ended/to-hung-up');
      const second = new CallScenario({ bridges: 1 }).joined().gone('other.1');
      expect(second.orders).to.deep.equal(['close', 'hangup to.1 normal']);
      expect(second.state).to.equal('ended/other-hung-up');
      expect(second.news.slice(-2)).to.deep.equal(['other ended completed', 'to ended completed']);
    });

    it('ends when the engine has lost it', () => {
      const call = new CallScenario({ bridges: 1 }).joined().gone('other.1', 'lost');
      expect(call.state).to.equal('ended/lost');
    });
  });

  describe('hold', () => {
    it('TEL-10 takes both out of the bridge to the prompt, and back; repeatable', () => {
      const call = new CallScenario({ bridges: 1 }).joined().hold();
      expect(call.orders).to.deep.equal(['close', 'hold to.1', 'hold other.1']);
      expect(call.state).to.equal('answered/on-hold');
      expect(call.hold().verdict).to.equal('ignored');
      expect(call.unhold().orders).to.deep.equal(['join to.1', 'join other.1']);
      expect(call.unhold().verdict).to.equal('ignored');
    });

    it('is refused where nobody speaks with anybody', () => {
      expect(new CallScenario().hold().verdict).to.equal('refused');
      expect(new CallScenario().unhold().verdict).to.equal('refused');
      const waiting = new CallScenario({ bridges: 1 }).tried('to.1').answers('to.1');
      expect(waiting.hold().verdict).to.equal('refused');
      expect(waiting.hangUp().hold().verdict).to.equal('refused');
    });

    it('ends with whoever hangs up meanwhile', () => {
      expect(new CallScenario({ bridges: 1 }).joined().hold().gone('other.1').state).to.equal(
        'ended/other-hung-up',
      );
    });
  });

  describe('transfer', () => {
    it('TEL-10 holds both, calls the new one, joins it with the first and lets the former one go', () => {
      const call = new CallScenario({ bridges: 1 }).joined().transfer(2);
      expect(call.orders).to.deep.equal(['dial other.2 → 2', 'close', 'hold to.1', 'hold other.1']);
      expect(call.state).to.equal('answered/transferring');
      call.tried('other.2').answers('other.2');
      expect(call.orders).to.deep.equal(['hangup other.1 normal', 'join to.1', 'join other.2']);
      expect(call.state).to.equal('answered/joined');
      expect(call.gone('other.1').state, 'the former one goes').to.equal('answered/joined');
    });

    it('TEL-10 joins the former two again when the new one does not answer', () => {
      const call = new CallScenario({ bridges: 1 }).joined().transfer(2).tried('other.2');
      call.gone('other.2', 'busy');
      expect(call.orders).to.deep.equal(['join to.1', 'join other.1']);
      expect(call.state).to.equal('answered/joined');
      const held = new CallScenario({ bridges: 1 }).joined().hold().transfer(2).tried('other.2');
      expect(held.gone('other.2', 'busy').state, 'as it was before').to.equal('answered/on-hold');
    });

    it('goes on when who was to be replaced hangs up; when nobody is left, the call ends', () => {
      const call = new CallScenario({ bridges: 1 }).joined().transfer(2).tried('other.2').gone('other.1');
      expect(call.state).to.equal('answered/transferring');
      expect(call.gone('other.2', 'busy').state).to.equal('ended/other-hung-up');
    });

    it('ends everything when the first hangs up', () => {
      const call = new CallScenario({ bridges: 1 }).joined().transfer(2).tried('other.2').gone('to.1');
      expect(call.state).to.equal('ended/to-hung-up');
      expect(call.orders).to.have.members(['close', 'hangup other.1 normal', 'hangup other.2 cancelled']);
    });

    it('calls somebody for a party that waits alone, which waits on when nobody answers', () => {
      const call = new CallScenario().tried('to.1').answers('to.1').transfer(1);
      expect(call.orders).to.deep.equal(['dial other.1 → 1', 'hold to.1']);
      call.tried('other.1').gone('other.1', 'busy');
      expect(call.state).to.equal('answered/waiting');
      expect(call.transfer(2).tried('other.2').answers('other.2').state).to.equal('answered/joined');
    });

    it('is refused to the first party, to one with a leg, to one that is being hung up, and while another runs', () => {
      const call = new CallScenario({ bridges: 1 }).joined();
      expect(call.transfer(0).verdict).to.equal('refused');
      expect(call.transfer(1).verdict).to.equal('refused');
      expect(call.transfer(2).transfer(3).verdict).to.equal('refused');
      call.tried('other.2').answers('other.2');
      expect(call.legs).to.include('other.1 ending');
      expect(call.transfer(1).verdict, 'two of ours to one phone').to.equal('refused');
      expect(call.gone('other.1').transfer(1).verdict).to.equal('applied');
      expect(new CallScenario().transfer(1).verdict, 'nobody has answered').to.equal('refused');
    });
  });

  describe('standing orders', () => {
    const orders = (call: CallScenario): string[] =>
      standingCallOrders(call.call).map(({ type, ...order }) =>
        [type, 'legId' in order ? order.legId.slice(37) : ''].join(' ').trim(),
      );

    it('repeat what a call owes the engine, in every state', () => {
      expect(orders(new CallScenario())).to.deep.equal(['pbx.dial-phone call-to.1']);
      expect(orders(new CallScenario().tried('to.1').rings('to.1'))).to.deep.equal([]);
      const joined = new CallScenario({ bridges: 1 }).joined();
      expect(orders(joined)).to.deep.equal(['pbx.join call-to.1', 'pbx.join call-bridge-to.1']);
      expect(orders(joined.hold())).to.deep.equal([
        'pbx.close-bridge',
        'pbx.hold call-to.1',
        'pbx.hold call-bridge-to.1',
      ]);
      expect(orders(joined.hangUp())).to.deep.equal([
        'pbx.close-bridge',
        'pbx.hangup call-to.1',
        'pbx.hangup call-bridge-to.1',
      ]);
    });
  });
});
