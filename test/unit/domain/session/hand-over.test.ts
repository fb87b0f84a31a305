import { expect } from 'chai';
import { bridgeIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { OperatorId } from '../../../../control-plane/src/domain/ids.ts';
import { AKRAM, BINA, CHIEF, panelOf, SESSION, SessionScenario } from '../../../support/session-scenario.ts';

/** Akram hears her, and Bina is free. */
function streamOfAkram(): SessionScenario {
  const scenario = new SessionScenario();
  scenario.free = [AKRAM, BINA];
  scenario.activate().becomeActive();
  scenario.orders = [];
  scenario.feed = [];
  return scenario;
}

/** She speaks with Akram on the telephone. */
function callOfAkram(): SessionScenario {
  const scenario = new SessionScenario().activate().forward(5000);
  scenario.answer('citizen-phone').answer('operator-phone').settle();
  scenario.feed = [];
  return scenario;
}

function transfer(
  scenario: SessionScenario,
  to: OperatorId | null,
  asker: OperatorId | null = AKRAM,
): string {
  scenario.verdicts = [];
  scenario.send({ type: 'api.transfer-requested', to, asker, by: 'operator:akram' });
  return scenario.verdicts.at(-1) ?? '';
}

describe('domain/session/hand-over', () => {
  it('TEL-10 hands a stream to the next operator: the old one leaves when the new one hears her', () => {
    const scenario = streamOfAkram();
    const old = scenario.leg('operator-app');
    expect(transfer(scenario, null)).to.equal('applied');
    expect(scenario.ordered('pbx.dial-app').map(({ aor }) => aor)).to.deep.equal([panelOf(BINA)]);
    expect(scenario.live.assignment, 'until then she is his').to.include({ operatorId: AKRAM });
    scenario.answer('operator-app');
    expect(scenario.ordered('pbx.hangup')).to.be.empty;
    scenario.heard(BINA);
    expect(scenario.ordered('pbx.hangup').map(({ legId }) => legId)).to.deep.equal([old]);
    expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: BINA });
    expect(scenario.live.handOver).to.be.null;
    expect(scenario.phase).to.equal('active');
    expect(scenario.feed).to.deep.equal(['sos.hand-over', 'sos.assigned', 'sos.handed-over', 'sos.heard']);
    expect(scenario.timers.has('hand-over')).to.be.false;
  });

  it('TEL-10 leaves her with the old operator when the new one refuses, does not answer, or hears nothing', () => {
    const refusing = streamOfAkram();
    transfer(refusing, BINA);
    refusing.end(refusing.leg('operator-app'), 'busy', 486);
    const mute = streamOfAkram();
    transfer(mute, BINA);
    mute.answer('operator-app').forward(8000).settle();
    for (const scenario of [refusing, mute]) {
      expect(scenario.phase).to.equal('active');
      expect(scenario.live.assignment).to.include({ operatorId: AKRAM });
      expect(scenario.live.handOver).to.be.null;
      expect(scenario.feed).to.deep.equal(['sos.hand-over', 'sos.hand-over-failed']);
      expect(scenario.live.legs.filter(({ kind }) => kind === 'operator-app')).to.have.length(1);
    }
  });

  it('TEL-10 refuses whoever has not got her, and a second hand-over beside the first', () => {
    const scenario = streamOfAkram();
    expect(transfer(scenario, BINA, CHIEF)).to.equal('refused');
    transfer(scenario, BINA);
    expect(scenario.live.handOver).to.include({ since: scenario.now });
    expect(transfer(scenario, BINA)).to.equal('refused');
    expect(scenario.ordered('pbx.dial-app')).to.have.length(1);
  });

  it('TEL-10 changes nothing when nobody is free, or the one named is the one who has her', () => {
    for (const to of [AKRAM, CHIEF]) {
      const scenario = streamOfAkram();
      transfer(scenario, to);
      expect(scenario.live.handOver ?? null).to.be.null;
      expect(scenario.orders).to.be.empty;
    }
  });

  it('goes on when the old operator’s panel fails meanwhile: the new one hears her, nobody else is called', () => {
    const scenario = streamOfAkram();
    const old = scenario.leg('operator-app');
    transfer(scenario, BINA);
    const his = scenario.leg('operator-app');
    scenario.end(old, 'lost');
    scenario.send({ type: 'pbx.answered', legId: his });
    scenario.send({ type: 'panel.heard', legId: his, operatorId: BINA }).settle();
    expect(scenario.phase).to.equal('active');
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    expect(scenario.live.legs.filter(({ kind }) => kind === 'operator-app')).to.have.length(1);
  });

  it('TEL-10 FB-3 hands a telephone call over: the new duty phone joins her, then the old one is hung up', () => {
    const scenario = callOfAkram();
    const old = scenario.leg('operator-phone');
    transfer(scenario, null);
    expect(scenario.ordered('pbx.dial-phone').map(({ party }) => party)).to.deep.equal([
      { role: 'operator', operatorId: BINA },
    ]);
    scenario.orders = [];
    const his = scenario.leg('operator-phone');
    scenario.answer('operator-phone');
    expect(
      scenario.orders.map((order) => `${order.type} ${'legId' in order ? order.legId : ''}`),
    ).to.deep.equal([`pbx.join ${SESSION}.citizen-phone.1`, `pbx.join ${his}`, `pbx.hangup ${old}`]);
    scenario.settle();
    expect(scenario.live).to.include({ phase: 'phone-connected', bridgedWith: his });
    expect(scenario.live.assignment).to.include({ operatorId: BINA });
    expect(scenario.feed).to.include('sos.handed-over');
  });

  it('TEL-10 who is not in the chain takes her by pressing 1: a mailbox that answers does not', () => {
    const scenario = callOfAkram();
    const old = scenario.leg('operator-phone');
    const asked = 'zoya' as OperatorId;
    scenario.send({
      type: 'api.join-requested',
      operatorId: asked,
      role: 'supervisor',
      aor: null,
      by: 'supervisor:zoya',
    });
    const his = scenario.leg('operator-phone');
    expect(his).to.not.equal(old);
    scenario.answer('operator-phone').settle();
    expect(scenario.live, 'a mailbox talks to itself').to.include({ bridgedWith: old });
    scenario.forward(20_000).settle();
    expect(scenario.live).to.include({ phase: 'phone-connected', bridgedWith: old });
    expect(scenario.has('operator-phone')).to.be.true;
  });

  it('TEL-10 leaves the telephone call as it is when the new duty phone does not answer', () => {
    const scenario = callOfAkram();
    const old = scenario.leg('operator-phone');
    transfer(scenario, BINA);
    scenario.forward(8000).settle();
    expect(scenario.live).to.include({ phase: 'phone-connected', bridgedWith: old });
    expect(scenario.feed).to.deep.equal(['sos.hand-over', 'sos.hand-over-failed', 'phone.ended']);
    expect(scenario.live.alerts).to.be.empty;
  });

  describe('a duty phone of the chain', () => {
    /** She hears the prompt; Akram does not take his duty phone, Bina’s rings. */
    const binaRings = (acceptance?: 'press-1'): SessionScenario => {
      const scenario = new SessionScenario();
      const bina = { role: 'operator', operatorId: BINA, ...(acceptance ? { acceptance } : {}) } as const;
      scenario.chain = [{ role: 'operator', operatorId: AKRAM }, bina];
      scenario.activate().forward(5000).answer('citizen-phone').forward(8000).settle();
      scenario.feed = [];
      return scenario;
    };

    it('TEL-10 who takes her there has her: he may hand her over, and the one she was assigned to may not', () => {
      const scenario = binaRings();
      expect(scenario.live.assignment).to.include({ operatorId: AKRAM });
      scenario.answer('operator-phone').settle();
      expect(scenario.phase).to.equal('phone-connected');
      expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: BINA, aor: null });
      expect(scenario.feed.filter((type) => type === 'sos.assigned')).to.have.length(1);
      expect(transfer(scenario, AKRAM, AKRAM)).to.equal('refused');
      expect(transfer(scenario, AKRAM, BINA)).to.equal('applied');
      scenario.answer('operator-phone').settle();
      expect(scenario.live.assignment).to.include({ operatorId: AKRAM });
    });

    it('TEL-10 which must be accepted has her once 1 is pressed, and not before', () => {
      const scenario = binaRings('press-1');
      scenario.answer('operator-phone').settle();
      expect(scenario.live.assignment, 'a mailbox answers too').to.include({ operatorId: AKRAM });
      scenario.send({ type: 'pbx.key-pressed', legId: scenario.leg('operator-phone'), key: '1' }).settle();
      expect(scenario.live.assignment).to.include({ operatorId: BINA });
    });

    it('TEL-10 changes nothing when it is the assigned operator’s own, and ends the waiting of one who was queued', () => {
      const own = callOfAkram();
      expect(own.live.assignment).to.include({ operatorId: AKRAM, aor: panelOf(AKRAM) });
      const queued = new SessionScenario();
      queued.free = [];
      queued.activate().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      expect(queued.live.assignment).to.include({ state: 'assigned', operatorId: AKRAM });
      expect(queued.timers.has('no-operator')).to.be.false;
      queued.free = [BINA];
      queued.send({ type: 'roster.changed' });
      expect(queued.live.assignment, 'nobody else gets her').to.include({ operatorId: AKRAM });
    });

    it('FB-8 gives her back to the panel that heard her all the while, when the call ends before the bridge stands', () => {
      const scenario = binaRings();
      scenario.answer('citizen-app').answer('operator-app').stream().heard(AKRAM);
      scenario.answer('operator-phone');
      expect(scenario.live.assignment).to.include({ operatorId: BINA });
      scenario.end(scenario.leg('citizen-phone'), 'completed');
      expect(scenario.phase).to.equal('active');
      expect(scenario.live.assignment).to.include({ operatorId: AKRAM, aor: panelOf(AKRAM) });
    });
  });

  it('keeps calling when the old operator’s phone drops in the middle: she hears the prompt, then the new one', () => {
    const scenario = callOfAkram();
    const old = scenario.leg('operator-phone');
    transfer(scenario, BINA);
    scenario.end(old, 'lost');
    expect(scenario.ordered('pbx.hold').map(({ legId }) => legId)).to.deep.equal([
      `${SESSION}.citizen-phone.1`,
    ]);
    const his = scenario.leg('operator-phone');
    scenario.answer('operator-phone').settle();
    expect(scenario.live).to.include({ phase: 'phone-connected', bridgedWith: his });
    expect(scenario.live.assignment).to.include({ operatorId: BINA });

    const unlucky = callOfAkram();
    const first = unlucky.leg('operator-phone');
    transfer(unlucky, BINA);
    unlucky.end(first, 'lost').forward(8000).settle();
    expect(unlucky.has('operator-phone'), 'the chain goes on').to.be.true;
  });

  it('ends with her call: the new duty phone does not ring on', () => {
    const scenario = callOfAkram();
    transfer(scenario, BINA);
    scenario.end(scenario.leg('citizen-phone'), 'completed').settle();
    expect(scenario.has('operator-phone')).to.be.false;
    expect(scenario.live.handOver).to.be.null;
    expect(scenario.timers.has('hand-over')).to.be.false;
  });

  describe('join', () => {
    const join = (scenario: SessionScenario, operatorId: OperatorId, role: 'operator' | 'supervisor') =>
      scenario.send({
        type: 'api.join-requested',
        operatorId,
        role,
        aor: panelOf(operatorId),
        by: `${role}:${operatorId}`,
      });

    it('RTC-6 calls her operator’s panel into her session; the leg of before is let go when it hears', () => {
      const scenario = streamOfAkram();
      const old = scenario.leg('operator-app');
      join(scenario, AKRAM, 'operator');
      scenario.answer('operator-app');
      expect(scenario.ordered('pbx.join').at(-1)).to.include({
        bridgeId: bridgeIdOf(SESSION, 'stream'),
        voice: 'listens',
      });
      scenario.heard(AKRAM);
      expect(scenario.ordered('pbx.hangup').map(({ legId }) => legId)).to.deep.equal([old]);
      expect(scenario.phase).to.equal('active');
      expect(scenario.feed, 'she was his all the while').to.not.include('sos.assigned');
    });

    it('refuses an operator who has not got her, and lets a supervisor take her over', () => {
      const scenario = streamOfAkram();
      join(scenario, BINA, 'operator');
      expect(scenario.verdicts.at(-1)).to.equal('refused');
      join(scenario, CHIEF, 'supervisor');
      scenario.answer('operator-app').heard(CHIEF);
      expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: CHIEF });
    });

    it('TEL-10 gives her to the supervisor whose panel heard her before she streamed, once both calls are lost', () => {
      const scenario = new SessionScenario().activate().forward(5000);
      join(scenario, CHIEF, 'supervisor');
      scenario.answer('operator-app').answer('citizen-phone').answer('operator-phone').heard(CHIEF);
      expect(scenario.live.assignment, 'she speaks with him').to.include({ operatorId: AKRAM });
      scenario.end(scenario.leg('citizen-phone'), 'lost').end(scenario.leg('operator-phone'), 'lost');
      scenario.answer('citizen-app').stream();
      expect(scenario.live).to.include({ phase: 'active', handOver: null });
      expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: CHIEF });
    });

    it('FB-3 calls her operator’s duty phone first when she is on hold, and refuses it while he speaks with her', () => {
      const scenario = callOfAkram();
      join(scenario, AKRAM, 'operator');
      expect(scenario.verdicts.at(-1)).to.equal('refused');
      scenario.end(scenario.leg('operator-phone'), 'lost');
      scenario.end(scenario.leg('operator-phone'), 'busy', 486);
      expect(scenario.live.legs.at(-1)?.party, 'another one rings').to.not.include({ operatorId: AKRAM });
      join(scenario, AKRAM, 'operator');
      scenario.settle();
      expect(scenario.live.legs.at(-1)?.party).to.deep.equal({ role: 'operator', operatorId: AKRAM });
      const his = scenario.leg('operator-phone');
      scenario.answer('operator-phone').settle();
      expect(scenario.live).to.include({ phase: 'phone-connected', bridgedWith: his });
    });
  });
});
