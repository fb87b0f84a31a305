/** Fail-over between two trunks on a real Asterisk: a peer that misbehaves before the carrier that does not. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { tryIdOf } from '../../../control-plane/src/domain/ids.ts';
import { percentilesOf } from '../../bench/percentiles.ts';
import { startFailoverLab, type FailoverLab } from '../../support/failover-lab.ts';

const CALLS = 20;
/** At a time: there are channels for more. */
const LANES = 4;
const INVITES = (lab: FailoverLab) =>
  lab.peer.requests.filter(({ start }) => start.kind === 'request' && start.method === 'INVITE').length;

describe('app/lines on Asterisk', function () {
  this.timeout(60_000);
  let lab: FailoverLab;
  before('starts two trunks', async () => (lab = await startFailoverLab()));
  after('stops them', () => lab.stop());
  afterEach('leaves nothing in Asterisk', async () => {
    lab.play();
    lab.states.clear();
    lab.trunks = [lab.first, lab.second];
    await lab.witness.assertNothingLeft(lab.names, 4000);
  });

  /** Places the calls, each as soon as one before it is over. */
  const placed = async (call: () => Promise<number>): Promise<number[]> => {
    const waits: number[] = [];
    const lane = async (): Promise<void> => {
      for (let calls = 0; calls < CALLS / LANES; calls += 1) waits.push(await call());
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(waits).to.have.length(CALLS);
    return waits;
  };

  for (const [status, words] of [
    ['503 Service Unavailable', 'is congested'],
    ['403 Forbidden', 'refuses us'],
    ['500 Server Internal Error', 'fails'],
    ['488 Not Acceptable Here', 'takes no codec of ours'],
    ['302 Moved Temporarily', 'sends us elsewhere'],
  ] as const) {
    it(`TEL-7: a first trunk that ${words} (${status.slice(0, 3)}): the second rings within a second, p95 of ${CALLS}`, async () => {
      lab.play('100 Trying', status);
      const waits = await placed(async () => {
        const { legId } = await lab.dial(lab.number('ring-for-ever'));
        const failed = await lab.until(legId, 'leg.try-ended');
        const rang = await lab.until(legId, 'leg.ringing');
        await lab.lines.hangup(legId, 'normal');
        await lab.until(legId, 'leg.ended');
        expect(lab.of(legId).filter(({ type }) => type === 'leg.tried')).to.have.length(2);
        return rang.at - failed.at;
      });
      expect(percentilesOf(waits).p95).to.be.below(1000);
    });
  }

  for (const [name, words] of [
    ['refused', 'at which nobody listens (TCP refused)'],
    ['untrusted', 'whose TLS certificate nobody vouches for'],
  ] as const) {
    it(`TEL-7: a first trunk ${words}: the second rings within a second, p95 of ${CALLS}`, async () => {
      lab.trunks = [lab[name], lab.second];
      const waits = await placed(async () => {
        const { legId, dialledAt } = await lab.dial(lab.number('ring-for-ever'));
        const rang = await lab.until(legId, 'leg.ringing');
        // Asterisk tells a way that cannot be opened as a 503, like one that is answered so
        expect(lab.of(legId).find(({ type }) => type === 'leg.try-ended')).to.include({
          ...{ trunk: name, outcome: 'congestion', sipStatus: 503 },
        });
        await lab.lines.hangup(legId, 'normal');
        await lab.until(legId, 'leg.ended');
        return rang.at - dialledAt;
      });
      expect(percentilesOf(waits).p95).to.be.below(1000);
    });
  }

  it('TEL-7: a first trunk that says nothing, not even 100: the second is called after its time and a second more', async () => {
    const { legId, dialledAt } = await lab.dial(lab.number('ring-for-ever'));
    const rang = await lab.until(legId, 'leg.ringing');
    expect(rang.at - dialledAt).to.be.within(1000, 2000);
    expect(lab.of(legId).find(({ type }) => type === 'leg.try-ended')).to.include({
      trunk: 'first',
      outcome: 'trunk-unreachable',
      sipStatus: null,
    });
    await lab.lines.hangup(legId, 'normal');
    await lab.until(legId, 'leg.ended');
  });

  it('TEL-7: a carrier that wakes up after it was given up finds its call cancelled, and rings nobody', async () => {
    const { legId } = await lab.dial(lab.number('ring-for-ever'));
    await lab.until(legId, 'leg.ringing');
    const before = lab.peer.requests.length;
    lab.play('100 Trying', '180 Ringing');
    const cancelled = await lab.peer.untilRequest(
      ({ start }) => start.kind === 'request' && start.method === 'CANCEL',
      6000,
    );
    expect(cancelled.start.kind).to.equal('request');
    expect(lab.peer.requests.length).to.be.above(before);
    await lab.lines.hangup(legId, 'normal');
    await lab.until(legId, 'leg.ended');
  });

  for (const [status, outcome] of [
    ['486 Busy Here', 'busy'],
    ['603 Decline', 'rejected'],
    ['404 Not Found', 'invalid-number'],
  ] as const) {
    it(`TEL-7: ${status} is the person's word: no other trunk calls her`, async () => {
      lab.play('100 Trying', status);
      const { legId } = await lab.dial(lab.number('answer-tone'));
      expect((await lab.until(legId, 'leg.ended')).event).to.include({ outcome });
      expect(lab.of(legId).filter(({ type }) => type === 'leg.tried')).to.have.length(1);
    });
  }

  it('TEL-7: once she has been rung, a failure is no reason for another trunk', async () => {
    lab.play('100 Trying', '180 Ringing', '503 Service Unavailable');
    const { legId } = await lab.dial(lab.number('answer-tone'));
    expect((await lab.until(legId, 'leg.ended')).event).to.include({ sipStatus: 503 });
    expect(lab.of(legId).filter(({ type }) => type === 'leg.tried')).to.have.length(1);
  });

  it('TEL-7: an SOS that gets 100 and then nothing is hedged after 4 s, and the first answer is the call', async () => {
    lab.play('100 Trying');
    const { legId, dialledAt } = await lab.dial(lab.number('answer-tone'));
    const answered = await lab.until(legId, 'leg.answered');
    expect(answered.event).to.include({ trunk: 'sandbox' });
    expect(answered.at - dialledAt).to.be.within(5000, 6500);
    await lab.peer.untilRequest(({ start }) => start.kind === 'request' && start.method === 'CANCEL');
    expect((await lab.lines.list()).ok).to.equal(true);
    await lab.lines.hangup(legId, 'normal');
    await lab.until(legId, 'leg.ended');
  });

  it('TEL-7: a slow mobile (183 at 3 s, 180 at 6 s) is not hedged', async () => {
    lab.states.set('first', 'down');
    const before = INVITES(lab);
    const { legId } = await lab.dial(lab.number('slow-mobile'));
    expect((await lab.until(legId, 'leg.answered', 12_000)).event).to.include({ trunk: 'sandbox' });
    expect(lab.of(legId).filter(({ type }) => type === 'leg.tried')).to.have.length(1);
    expect(INVITES(lab)).to.equal(before);
    await lab.lines.hangup(legId, 'normal');
    await lab.until(legId, 'leg.ended');
  });

  it('TEL-7: both trunks dead: an end with its code within 5 s, and the alert', async () => {
    const { legId, dialledAt } = await lab.dial(lab.number('no-reply'));
    const ended = await lab.until(legId, 'leg.ended');
    expect(ended.event).to.include({ outcome: 'trunk-unreachable' });
    expect(ended.at - dialledAt).to.be.below(5000);
    expect(lab.standing.map(({ kind }) => kind)).to.deep.equal(['trunks-dead']);
  });

  it('speaks with the channel that was answered, by the name of the leg', async () => {
    lab.play('100 Trying', '503 Service Unavailable');
    const { legId } = await lab.dial(lab.number('answer-echo'));
    await lab.until(legId, 'leg.answered');
    expect(await lab.lines.startHoldingPrompt(legId)).to.deep.equal({ ok: true, value: undefined });
    expect((await lab.witness.channels()).map(({ id }) => id)).to.deep.equal([tryIdOf(legId, 2)]);
    await delay(300);
    await lab.lines.hangup(legId, 'normal');
    expect((await lab.until(legId, 'leg.ended')).event).to.include({ outcome: 'completed' });
  });
});
