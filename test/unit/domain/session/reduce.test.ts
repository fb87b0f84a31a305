import { expect } from 'chai';
import type { AddressOfRecord, DeviceId } from '../../../../control-plane/src/domain/ids.ts';
import {
  AKRAM,
  BINA,
  CITIZEN_AOR,
  SESSION,
  SessionScenario,
  subject,
} from '../../../support/session-scenario.ts';

const begun = (): SessionScenario => new SessionScenario().activate();

describe('domain/session/reduce', () => {
  describe('activation', () => {
    it('RTC-1 dials her device and the operator at once when her contact is there', () => {
      const scenario = begun();
      expect(scenario.ordered('pbx.dial-app').map((order) => order.kind)).to.deep.equal([
        'citizen-app',
        'operator-app',
      ]);
      expect(scenario.phase).to.equal('connecting');
    });

    it('RTC-1 waits for a contact that is not there yet, and dials the moment it appears', () => {
      const scenario = new SessionScenario().activate({}, false);
      expect(scenario.ordered('pbx.dial-app').map((order) => order.kind)).to.deep.equal(['operator-app']);
      scenario.send({ type: 'contact.online', aor: CITIZEN_AOR });
      expect(scenario.ordered('pbx.dial-app').map((order) => order.kind)).to.deep.equal([
        'operator-app',
        'citizen-app',
      ]);
    });

    it('FB-1 starts the watchdog at the activation and clears it without a trace once active', () => {
      const scenario = begun();
      expect(scenario.timers.get('watchdog')).to.equal(scenario.now + 5000);
      scenario.forward(800).becomeActive();
      expect(scenario.phase).to.equal('active');
      expect(scenario.timers.has('watchdog')).to.be.false;
      expect(scenario.timers.has('retry')).to.be.false;
      expect(scenario.live.fallback).to.be.null;
      scenario.forward(10_000);
      expect(scenario.has('citizen-phone')).to.be.false;
    });

    it('RTC-6 takes an operator’s word once: the panel says it again each second', () => {
      const scenario = begun().becomeActive();
      const { verdicts, feed } = scenario;
      const told = feed.length;
      scenario.forward(1000).heard().forward(1000).heard();
      expect(verdicts.slice(-2)).to.deep.equal(['ignored', 'ignored']);
      expect(feed).to.have.lengthOf(told);
    });

    it('folds a second press into the open session and never postpones its deadline', () => {
      const scenario = begun();
      const due = scenario.timers.get('watchdog');
      scenario.forward(2000).send({ type: 'api.activated', subject: subject(), contactOnline: true });
      expect(scenario.timers.get('watchdog')).to.equal(due);
      expect(scenario.live.flags).to.include('folded');
      expect(scenario.live.attempts['citizen-app']).to.equal(1);
    });

    it('RTC-10 invented devices neither push a streaming one out nor make the panels blink', () => {
      const scenario = begun().becomeActive();
      const tablet = 'citizen-priya-tablet' as AddressOfRecord;
      const press = (aor: string, contactOnline: boolean): void => {
        const deviceId = aor.slice('citizen-priya-'.length) as DeviceId;
        scenario.send({
          type: 'api.activated',
          subject: subject({ deviceId, aor: aor as AddressOfRecord }),
          contactOnline,
        });
      };
      press(tablet, true);
      scenario.feed = [];
      for (let round = 0; round < 50; round += 1) press(`citizen-priya-fake${round}`, false);
      const aors = scenario.live.devices.map(({ aor }) => aor);
      expect(aors).to.have.length(5);
      expect(aors).to.include.members([CITIZEN_AOR, tablet]);
      expect(scenario.feed, 'until the list was full').to.have.length(3);
      press('citizen-priya-watch', true);
      expect(
        scenario.live.devices.map(({ aor }) => aor),
        'one that is there gets in',
      ).to.include.members([CITIZEN_AOR, tablet, 'citizen-priya-watch']);
    });

    it('RTC-10 judges the position anew when a warm-up without one is activated with one', () => {
      const scenario = new SessionScenario().send({
        type: 'api.armed',
        subject: subject({ flags: ['location-missing', 'phone-unverified'] }),
      });
      scenario.activate();
      expect(scenario.live.flags).to.deep.equal(['phone-unverified']);
    });

    it('adds a second device to the session and keeps calling the first', () => {
      const other = 'citizen-priya-tablet' as AddressOfRecord;
      const scenario = new SessionScenario().activate({}, false);
      scenario.forward(100).activate({ deviceId: 'tablet' as DeviceId, aor: other }, true);
      scenario.send({ type: 'contact.online', aor: CITIZEN_AOR });
      const called = scenario.ordered('pbx.dial-app').filter((order) => order.kind === 'citizen-app');
      expect(called.map((order) => order.aor)).to.deep.equal([other, CITIZEN_AOR]);
      expect(scenario.live.aor).to.equal(CITIZEN_AOR);
    });

    it('knows a second device that presses before it is registered, and calls it once the first is silent', () => {
      const other = 'citizen-priya-tablet' as AddressOfRecord;
      const scenario = begun().becomeActive().forward(100);
      scenario.activate({ deviceId: 'tablet' as DeviceId, aor: other }, false);
      scenario.send({ type: 'contact.online', aor: other });
      scenario.send({ type: 'contact.offline', aor: CITIZEN_AOR });
      scenario.orders = [];
      scenario.send({ type: 'media.lost', legId: scenario.leg('citizen-app') });
      expect(scenario.ordered('pbx.dial-app').map((order) => order.aor)).to.deep.equal([other]);
    });

    it('writes presses that change nothing down once a second at most', () => {
      const scenario = begun().forward(100).activate().forward(100).activate();
      expect(scenario.verdicts.at(-1)).to.equal('ignored');
      scenario.forward(1000).activate();
      expect(scenario.verdicts.at(-1)).to.equal('applied');
    });

    it('FB-10 releases a warm-up and dials nobody, then or later', () => {
      const scenario = new SessionScenario().send({ type: 'api.armed', subject: subject() });
      expect([...scenario.timers.keys()]).to.deep.equal(['arming-expiry']);
      scenario.send({ type: 'api.released' });
      expect(scenario.phase).to.equal('released');
      scenario.forward(60_000);
      expect(scenario.ordered('pbx.dial-app')).to.be.empty;
      expect(scenario.ordered('pbx.dial-phone')).to.be.empty;
    });

    it('FB-10 ends a warm-up that is never activated, without a call', () => {
      const scenario = new SessionScenario().send({ type: 'api.armed', subject: subject() }).forward(600_000);
      expect(scenario.phase).to.equal('released');
      expect(scenario.ordered('pbx.dial-phone')).to.be.empty;
    });

    it('refuses a release once activated: whoever grabs her phone ends nothing', () => {
      const scenario = begun().send({ type: 'api.released' });
      expect(scenario.verdicts.at(-1)).to.equal('refused');
      expect(scenario.phase).to.equal('connecting');
    });
  });

  describe('the stream', () => {
    it('RTC-2 knows of sound that was heard before the packets counted as a stream', () => {
      const scenario = begun().answer('citizen-app');
      const legId = scenario.leg('citizen-app');
      scenario.send({ type: 'media.sound', legId, talking: true });
      expect(scenario.live.stream.sound).to.be.null;
      scenario.stream();
      expect(scenario.live.stream.sound).to.be.true;
      expect(scenario.feed).to.include('sos.sound');
    });

    it('RTC-2 says of a stream without sound that it is silent, until there is some', () => {
      const scenario = begun().answer('citizen-app').stream();
      expect(scenario.live.stream.sound).to.be.false;
      scenario.send({ type: 'media.sound', legId: scenario.leg('citizen-app'), talking: true });
      expect(scenario.live.stream.sound).to.be.true;
    });

    it('RTC-2 is active only when both facts hold, in either order', () => {
      const streamingFirst = begun().answer('citizen-app').answer('operator-app').stream();
      expect(streamingFirst.phase).to.equal('connecting');
      expect(streamingFirst.heard().phase).to.equal('active');
      const heardFirst = begun().answer('citizen-app').answer('operator-app').heard();
      expect(heardFirst.phase).to.equal('connecting');
      expect(heardFirst.stream().phase).to.equal('active');
    });

    it('RTC-3 joins her to speak and the operator only to listen', () => {
      const scenario = begun().answer('citizen-app').answer('operator-app');
      expect(
        scenario.ordered('pbx.join').map(({ legId, voice }) => [legId.split('.')[1], voice]),
      ).to.deep.equal([
        ['citizen-app', 'speaks'],
        ['operator-app', 'listens'],
      ]);
    });

    it("ignores another operator's word that it hears her", () => {
      const scenario = begun().answer('citizen-app').answer('operator-app').stream().heard(BINA);
      expect(scenario.phase).to.equal('connecting');
    });

    it('RTC-7 degrades at 3 s and tries once more beside the first attempt', () => {
      const scenario = begun().forward(3000);
      expect(scenario.phase).to.equal('degraded');
      expect(scenario.live.legs.filter((leg) => leg.kind === 'citizen-app' && !leg.ending)).to.have.length(2);
      expect(scenario.feed).to.include.members(['sos.degraded', 'sos.retried']);
    });

    it('RTC-7 retries at once after a signalling error, and only once', () => {
      const scenario = begun();
      scenario.end(scenario.leg('citizen-app'), 'media-failed', 408);
      expect(scenario.live.attempts['citizen-app']).to.equal(2);
      scenario.forward(3000);
      expect(scenario.live.attempts['citizen-app']).to.equal(2);
      expect(scenario.live.degradedReason).to.equal('signalling-error-media-failed');
    });

    it('lets the first attempt win after the retry has begun, and drops the other', () => {
      const scenario = begun();
      const first = scenario.leg('citizen-app');
      scenario
        .forward(3000)
        .send({ type: 'pbx.answered', legId: first })
        .send({ type: 'media.streaming', legId: first });
      expect(scenario.live.stream.leg).to.equal(first);
      expect(scenario.ordered('pbx.hangup')).to.have.length(1);
    });

    it('RTC-5 offers the next operator when one fails, and leaves her retry untouched', () => {
      const scenario = new SessionScenario();
      scenario.free = [AKRAM, BINA];
      scenario.activate();
      scenario.end(scenario.leg('operator-app'), 'no-answer', 480);
      expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: BINA });
      expect(scenario.live.stream.retryUsed).to.be.false;
    });

    it('RTC-5 queues when nobody is free, alerts after 10 s, assigns when somebody comes', () => {
      const scenario = new SessionScenario();
      scenario.free = [];
      scenario.activate().answer('citizen-app').stream();
      expect(scenario.live.assignment?.state).to.equal('queued');
      scenario.forward(10_000);
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.include('no-operator');
      scenario.free = [AKRAM];
      scenario.send({ type: 'roster.changed' });
      expect(scenario.live.assignment).to.include({ state: 'assigned', operatorId: AKRAM });
      expect(scenario.has('operator-app')).to.be.true;
    });

    it('falls back with media-lost when the stream dies for 4 s and 4 s more', () => {
      const scenario = begun().becomeActive();
      scenario.send({ type: 'media.lost', legId: scenario.leg('citizen-app') });
      expect(scenario.phase).to.equal('degraded');
      scenario.forward(4000);
      expect(scenario.live.fallback).to.include({ reason: 'media-lost', mode: 'both' });
    });

    it('is active again when packets come back in time', () => {
      const scenario = begun().becomeActive();
      const leg = scenario.leg('citizen-app');
      scenario
        .send({ type: 'media.lost', legId: leg })
        .forward(1000)
        .send({ type: 'media.back', legId: leg });
      expect(scenario.phase).to.equal('active');
      expect(scenario.timers.has('watchdog')).to.be.false;
    });
  });

  describe('the phone fallback', () => {
    it('FB-2 dials both phones at the deadline, by nobody’s hand', () => {
      const scenario = begun().forward(5000);
      expect(scenario.phase).to.equal('phone-fallback-active');
      expect(scenario.ordered('pbx.dial-phone').map((order) => order.party.role)).to.deep.equal([
        'citizen',
        'operator',
      ]);
      expect(scenario.feed).to.include('phone-fallback-active');
    });

    it('FB-4 writes times, reference and a reason that tells a timeout from a signalling error', () => {
      const timeout = begun().forward(5000);
      expect(timeout.live.fallback).to.include({
        reason: 'timeout',
        detail: 'timeout-no-answer',
        callReference: `${SESSION}.citizen-phone.1`,
      });
      const error = begun();
      error.end(error.leg('citizen-app'), 'media-failed', 488);
      error.end(error.leg('citizen-app'), 'media-failed', 488);
      expect(error.live.fallback).to.include({ reason: 'signalling-error', detail: 'sip-488' });
    });

    it('FB-2 fires at once after two definitive signalling errors: 5 s is the ceiling', () => {
      const scenario = begun();
      scenario.forward(200).end(scenario.leg('citizen-app'), 'media-failed', 408);
      scenario.forward(200).end(scenario.leg('citizen-app'), 'media-failed', 408);
      expect(scenario.phase).to.equal('phone-fallback-active');
      expect(scenario.live.fallback?.initiatedAt).to.equal(1_000_400);
      expect(scenario.timers.has('watchdog')).to.be.false;
    });

    it('does not ring her phone when she streams and nobody hears her: the duty phones join her stream', () => {
      const scenario = begun().answer('citizen-app').stream().forward(5000);
      expect(scenario.live.fallback?.mode).to.equal('operators-only');
      expect(scenario.has('citizen-phone')).to.be.false;
      scenario.answer('operator-phone');
      expect(scenario.phase).to.equal('active');
      expect(scenario.ordered('pbx.join').at(-1)).to.include({
        voice: 'listens',
        bridgeId: `${SESSION}.stream`,
      });
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.include('operator-absent');
    });

    it('never rings a silent profile or an unverified number', () => {
      for (const profile of [
        { phone: 'verified', silent: true },
        { phone: 'unverified', silent: false },
        { phone: 'missing', silent: false },
      ] as const) {
        const scenario = new SessionScenario().activate({ profile }).forward(5000);
        expect(scenario.has('citizen-phone'), JSON.stringify(profile)).to.be.false;
        expect(scenario.has('operator-phone')).to.be.true;
      }
    });

    it('FB-3 bridges both phones when both are up, whoever answers first', () => {
      for (const order of [
        ['citizen-phone', 'operator-phone'],
        ['operator-phone', 'citizen-phone'],
      ] as const) {
        const scenario = begun().forward(5000);
        scenario.answer(order[0]);
        expect(scenario.ordered('pbx.hold')).to.have.length(1);
        scenario.answer(order[1]);
        const joins = scenario.ordered('pbx.join').filter((join) => join.bridgeId.endsWith('.phone'));
        expect(joins.map((join) => join.voice)).to.deep.equal(['both', 'both']);
      }
    });

    it('FB-9 gives up the WebRTC legs once the phone bridge stands, not before', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone');
      expect(scenario.ordered('pbx.hangup')).to.be.empty;
      scenario.settle();
      expect(scenario.has('citizen-app')).to.be.false;
      expect(scenario.has('operator-app')).to.be.false;
      expect(scenario.phase).to.equal('phone-connected');
    });

    it('FB-7 calls the next duty phone after 8 s or a failure, the supervisor last, inside her ring time', () => {
      const scenario = begun().forward(5000);
      const called = (): (string | undefined)[] =>
        scenario
          .ordered('pbx.dial-phone')
          .map(({ party }) => ('operatorId' in party ? party.operatorId : undefined));
      scenario.end(scenario.leg('operator-phone'), 'busy', 486);
      expect(called().at(-1)).to.equal('bina');
      scenario.forward(8000);
      expect(called().at(-1)).to.equal('chief');
      scenario.forward(8000);
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.deep.equal(['operators-unreachable']);
      scenario.forward(9000);
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.deep.equal([
        'operators-unreachable',
        'citizen-unanswered',
      ]);
    });

    it('FB-6 logs the unanswered call at 25 s, alerts, and calls once more after 20 s', () => {
      const scenario = begun().forward(5000).answer('operator-phone').forward(25_000);
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.deep.equal(['citizen-unanswered']);
      expect(scenario.has('citizen-phone')).to.be.false;
      scenario.settle().forward(20_000);
      expect(scenario.leg('citizen-phone')).to.equal(`${SESSION}.citizen-phone.2`);
      scenario.forward(25_000);
      expect(scenario.phase).to.equal('degraded');
      expect(scenario.has('operator-phone')).to.be.false;
    });

    it('FB-8 the stream wins before the call connects: calls cancelled, record gone, feed retracts', () => {
      const scenario = begun().answer('citizen-app').answer('operator-app').forward(5000).stream().heard();
      expect(scenario.phase).to.equal('active');
      expect(scenario.live.fallback).to.be.null;
      expect(scenario.ordered('pbx.hangup').filter((order) => order.reason === 'stream-won')).to.have.length(
        2,
      );
      expect(scenario.feed).to.include('phone-fallback-retracted');
    });

    it('FB-8 a crossing answer of a cancelled call is hung up and never joined', () => {
      const scenario = begun().answer('citizen-app').answer('operator-app').forward(5000);
      const phone = scenario.leg('citizen-phone');
      scenario.stream().heard();
      scenario.orders = [];
      scenario.send({ type: 'pbx.answered', legId: phone });
      expect(scenario.orders.map((order) => order.type)).to.deep.equal(['pbx.hangup']);
      expect(scenario.phase).to.equal('active');
    });

    it('FB-8 the call wins once her phone has answered: a late stream changes nothing', () => {
      const scenario = begun()
        .answer('citizen-app')
        .answer('operator-app')
        .forward(5000)
        .answer('citizen-phone')
        .stream()
        .heard();
      expect(scenario.phase).to.equal('phone-connected');
      expect(scenario.live.fallback).not.to.be.null;
      expect(scenario.has('citizen-phone')).to.be.true;
    });

    it('calls nobody by itself after she hung up, but takes up her stream again', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      scenario.end(scenario.leg('citizen-phone'), 'completed');
      expect(scenario.phase).to.equal('degraded');
      expect(scenario.live.alerts.map((alert) => alert.kind)).to.include('citizen-hung-up');
      expect(scenario.has('citizen-app')).to.be.true;
      scenario.settle().forward(120_000);
      expect(scenario.has('citizen-phone')).to.be.false;
    });

    it('calls the duty phones again when the operator’s end drops, while she hears the prompt', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      scenario.end(scenario.leg('operator-phone'), 'completed');
      expect(scenario.phase).to.equal('phone-connected');
      expect(scenario.ordered('pbx.hold')).to.have.length(1);
      expect(scenario.has('operator-phone')).to.be.true;
    });

    it('redials on the operator’s word after an announcement answered', () => {
      const scenario = begun().forward(5000).answer('citizen-phone').answer('operator-phone').settle();
      scenario.send({ type: 'api.redial-requested', by: 'operator:akram' });
      expect(scenario.phase).to.equal('phone-fallback-active');
      expect(scenario.ordered('pbx.hold').map((order) => order.legId)).to.deep.equal([
        `${SESSION}.operator-phone.1`,
      ]);
      expect(scenario.has('citizen-phone'), 'not before the call that is given up has gone').to.be.false;
      scenario.settle();
      expect(scenario.leg('citizen-phone')).to.equal(`${SESSION}.citizen-phone.2`);
    });

    it('refuses a redial while the stream is live', () => {
      const scenario = begun().becomeActive().send({ type: 'api.redial-requested', by: 'operator:akram' });
      expect(scenario.verdicts.at(-1)).to.equal('refused');
    });
  });

  describe('the end', () => {
    it('RTC-9 hangs up every leg, clears every timer, and removes the endpoint after the last leg', () => {
      const scenario = begun().becomeActive().send({ type: 'api.resolved', by: 'operator:akram' });
      expect(scenario.phase).to.equal('resolved');
      expect([...scenario.timers.keys()]).to.be.empty;
      expect(scenario.ordered('pbx.remove-endpoint')).to.be.empty;
      const legs = scenario.ordered('pbx.hangup').map((order) => order.legId);
      expect(legs).to.have.length(2);
      for (const legId of legs) scenario.end(legId, 'completed');
      expect(scenario.ordered('pbx.remove-endpoint').map((order) => order.aor)).to.deep.equal([CITIZEN_AOR]);
      expect(scenario.ordered('pbx.close-bridge')).to.have.length(2);
    });

    it('hangs up what still comes up after the end', () => {
      const scenario = begun();
      const leg = scenario.leg('citizen-app');
      scenario.send({ type: 'api.resolved', by: 'operator:akram' });
      scenario.orders = [];
      scenario.send({ type: 'pbx.answered', legId: leg });
      expect(scenario.orders).to.deep.equal([{ type: 'pbx.hangup', legId: leg, reason: 'session-ended' }]);
    });
  });
});
