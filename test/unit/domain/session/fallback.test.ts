/** Rules of the fallback and of the retry that no order of stream and call decides (for those: fb-8.test.ts). */
import { expect } from 'chai';
import type { SessionEvent } from '../../../../control-plane/src/domain/session/event.ts';
import {
  AKRAM,
  BINA,
  CHIEF,
  CITIZEN_AOR,
  SessionScenario,
  SESSION,
} from '../../../support/session-scenario.ts';

const begun = (): SessionScenario => new SessionScenario().activate();
const alertsOf = (scenario: SessionScenario): string[] => scenario.live.alerts.map(({ kind }) => kind);
const offline: SessionEvent = { type: 'contact.offline', aor: CITIZEN_AOR };
const online: SessionEvent = { type: 'contact.online', aor: CITIZEN_AOR };

describe('domain/session/fallback', () => {
  describe('the retry', () => {
    for (const [outcome, status] of [
      ['unreachable', 480],
      ['rejected', 500],
      ['media-failed', 488],
      ['no-answer', 480],
    ] as const) {
      it(`RTC-7 FB-4 an answer of ${status} (${outcome}) is a signalling error: one retry at once, then the phones`, () => {
        const scenario = begun();
        scenario.end(scenario.leg('citizen-app'), outcome, status);
        expect(scenario.live).to.include({
          phase: 'degraded',
          degradedReason: `signalling-error-sip-${status}`,
        });
        expect(scenario.leg('citizen-app')).to.equal(`${SESSION}.citizen-app.2`);
        scenario.end(scenario.leg('citizen-app'), outcome, status);
        expect(scenario.live.fallback).to.include({ reason: 'signalling-error', detail: `sip-${status}` });
      });
    }

    it('RTC-7 a contact that is not there is no signalling error', () => {
      const scenario = begun();
      scenario.end(scenario.leg('citizen-app'), 'unreachable', null);
      expect(scenario.live).to.include({ phase: 'connecting', degradedReason: null });
      expect(scenario.send(online).leg('citizen-app')).to.equal(`${SESSION}.citizen-app.2`);
    });

    it('RTC-7 a socket that closes while she is offered to: degraded, and the one retry when it is back', () => {
      const scenario = begun().forward(1000).send(offline);
      expect(scenario.live.degradedReason).to.equal('signalling-error-socket-closed');
      expect(scenario.feed).to.not.include('sos.retried');
      scenario.forward(500).send(online);
      expect(scenario.leg('citizen-app')).to.equal(`${SESSION}.citizen-app.2`);
      scenario.forward(3000);
      expect(scenario.feed.filter((event) => event === 'sos.retried')).to.have.length(1);
    });

    it('RTC-7 a socket that is back within a second gets the one retry beside the offer that the edge gives it again', () => {
      const scenario = begun().forward(100).send(offline).forward(200).send(online);
      expect(scenario.leg('citizen-app')).to.equal(`${SESSION}.citizen-app.2`);
      scenario.forward(100).send(offline).forward(100).send(online).forward(3000);
      expect(scenario.feed.filter((event) => event === 'sos.retried')).to.have.length(1);
    });

    it('FB-4 a socket that closes and stays away is told as the reason of the fallback', () => {
      const scenario = begun().forward(1000).send(offline).forward(4000);
      expect(scenario.live.fallback).to.include({ reason: 'signalling-error', detail: 'socket-closed' });
    });

    it('RTC-7 a socket that closes while packets flow means nothing', () => {
      const scenario = begun().answer('citizen-app').stream().send(offline);
      expect(scenario.live.degradedReason).to.equal(null);
    });
  });

  describe('the chain', () => {
    const accepting = (): SessionScenario => {
      const scenario = begun();
      scenario.chain = [
        { role: 'operator', operatorId: AKRAM, acceptance: 'press-1' },
        { role: 'supervisor', operatorId: CHIEF },
      ];
      return scenario.forward(5000);
    };

    it('FB-7 a duty phone that must accept is joined once it has pressed 1, and no other key', () => {
      const scenario = accepting().answer('citizen-phone').answer('operator-phone');
      const legId = scenario.leg('operator-phone');
      expect(scenario.ordered('pbx.ask-acceptance')).to.have.length(1);
      scenario.send({ type: 'pbx.key-pressed', legId, key: '2' });
      expect(scenario.ordered('pbx.join')).to.deep.equal([]);
      scenario.send({ type: 'pbx.key-pressed', legId, key: '1' });
      expect(scenario.ordered('pbx.join').map((order) => order.legId)).to.include(legId);
    });

    it('FB-7 a voicemail is let go after 6 s, and the next is called', () => {
      const scenario = accepting().answer('operator-phone').forward(5999);
      expect(scenario.leg('operator-phone')).to.match(/\.1$/);
      expect(scenario.forward(1).leg('operator-phone')).to.match(/\.2$/);
    });

    it('FB-7 whatever its length, the supervisor is tried within her ring time', () => {
      const scenario = begun();
      scenario.chain = [AKRAM, BINA, 'chand', 'devi', 'esha']
        .map((operatorId) => ({ role: 'operator', operatorId: operatorId as typeof AKRAM }) as const)
        .concat([{ role: 'supervisor', operatorId: CHIEF } as never]);
      scenario.forward(5000).forward(24_000);
      const called = scenario
        .ordered('pbx.dial-phone')
        .map(({ party }) => ('operatorId' in party ? party.operatorId : 'her'));
      expect(called).to.deep.equal(['her', AKRAM, BINA, CHIEF]);
      expect(alertsOf(scenario)).to.deep.equal(['operators-unreachable']);
      scenario.settle().forward(20_000);
      expect(scenario.ordered('pbx.dial-phone').at(-1)?.party, 'who was passed over comes first').to.include({
        operatorId: 'chand',
      });
    });

    it('FB-6 FB-7 busy at once: the alert waits for the end of the chain, and brings both histories', () => {
      const scenario = begun().forward(5000);
      scenario.end(scenario.leg('citizen-phone'), 'busy', 486);
      expect(alertsOf(scenario)).to.deep.equal([]);
      scenario.answer('operator-phone');
      expect(alertsOf(scenario)).to.deep.equal(['citizen-unanswered']);
      const attempts = scenario.live.fallback?.attempts ?? [];
      expect(attempts.map(({ kind, outcome }) => [kind, outcome])).to.deep.equal([
        ['citizen-phone', 'busy'],
        ['operator-phone', null],
      ]);
    });
  });

  describe('alerts', () => {
    it('FB-6 are told again each minute while she has no voice, until somebody acknowledges them', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      scenario.end(scenario.leg('citizen-phone'), 'completed').settle();
      const told = (): number => scenario.feed.filter((event) => event === 'sos.alert').length;
      expect(told()).to.equal(1);
      scenario.forward(59_999);
      expect(told()).to.equal(1);
      scenario.forward(1);
      expect(told(), 'again, and that there is no voice').to.equal(3);
      for (const kind of ['citizen-hung-up', 'no-voice'] as const)
        scenario.send({ type: 'panel.alert-acknowledged', kind, by: CHIEF });
      scenario.forward(60_000);
      expect(told(), 'no voice still').to.equal(4);
    });

    it('a session without a voice is an alert again after everything was acknowledged', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      scenario.end(scenario.leg('citizen-phone'), 'completed').settle();
      scenario.send({ type: 'panel.alert-acknowledged', kind: 'citizen-hung-up', by: CHIEF }).forward(60_000);
      expect(alertsOf(scenario)).to.include('no-voice');
    });

    it('a session that lasts is an alert each hour, and is never hung up', () => {
      const scenario = begun().becomeActive();
      scenario.orders = [];
      scenario.forward(3_600_000);
      expect(alertsOf(scenario)).to.deep.equal(['long-session']);
      expect(scenario.orders).to.deep.equal([]);
      scenario.send({ type: 'panel.alert-acknowledged', kind: 'long-session', by: CHIEF }).forward(3_600_000);
      expect(scenario.live.alerts).to.deep.include({
        kind: 'long-session',
        raisedAt: scenario.now,
        acknowledgedBy: null,
      });
    });
  });

  it('RTC-2 packets at a panel before she streams are not yet heard: they may be a bridge’s silence', () => {
    const scenario = begun().answer('citizen-app').answer('operator-app').heard();
    expect(scenario.live.stream.heardSince).to.equal(null);
    expect(scenario.feed).to.not.include('sos.heard');
    scenario.forward(200).stream();
    expect(scenario.live.stream.heardSince).to.equal(scenario.now);
    expect(scenario.phase).to.equal('active');
  });

  it('FB-6 a redial waits for the call before; after 2 s without its end it counts as lost', () => {
    const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
    scenario.send({ type: 'api.redial-requested', by: 'operator:akram' });
    expect(scenario.forward(1999).has('citizen-phone')).to.equal(false);
    expect(scenario.forward(1).leg('citizen-phone')).to.match(/\.2$/);
    expect(scenario.live.legs.filter((leg) => leg.kind === 'citizen-phone')).to.have.length(1);
  });
});
