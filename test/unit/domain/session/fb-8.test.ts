/** The table of docs/fb-8.md, row by row. */
import { expect } from 'chai';
import type { LegId } from '../../../../control-plane/src/domain/ids.ts';
import { SessionScenario } from '../../../support/session-scenario.ts';

const begun = (): SessionScenario => new SessionScenario().activate();
/** The deadline has passed: both phones ring, the apps' legs stand. */
const ringing = (): SessionScenario => begun().answer('citizen-app').answer('operator-app').forward(5000);
const hungUp = (scenario: SessionScenario): LegId[] =>
  scenario.ordered('pbx.hangup').map((order) => order.legId);
const alertsOf = (scenario: SessionScenario): string[] => scenario.live.alerts.map(({ kind }) => kind);

describe('domain/session/fb-8', () => {
  it('FB-8 row 1: the stream before the watchdog leaves no trace of a fallback', () => {
    const scenario = begun().becomeActive().forward(10_000);
    expect(scenario.live).to.deep.include({ phase: 'active', fallback: null, watchdogAt: null });
    expect(scenario.ordered('pbx.dial-phone')).to.deep.equal([]);
  });

  it('FB-8 row 2: the stream wins while the phones ring: cancelled as completed elsewhere, record nulled, feed retracts', () => {
    const scenario = ringing();
    const phones = [scenario.leg('citizen-phone'), scenario.leg('operator-phone')];
    scenario.stream().heard();
    expect(scenario.live).to.deep.include({ phase: 'active', fallback: null });
    const reasons = scenario.ordered('pbx.hangup').filter((order) => phones.includes(order.legId));
    expect(reasons.map((order) => order.reason)).to.deep.equal(['stream-won', 'stream-won']);
    expect(scenario.feed.slice(-2)).to.deep.equal(['phone-fallback-retracted', 'sos.active']);
  });

  for (const [row, kind] of [
    [3, 'citizen-phone'],
    [4, 'operator-phone'],
  ] as const) {
    it(`FB-8 row ${row}: a 200 of the ${kind} that crosses the CANCEL is hung up, never joined and never told`, () => {
      const scenario = ringing();
      const leg = scenario.leg(kind);
      scenario.stream().heard();
      scenario.orders = [];
      scenario.send({ type: 'pbx.answered', legId: leg }).send({ type: 'pbx.answered', legId: leg });
      expect(scenario.phase).to.equal('active');
      expect(hungUp(scenario)).to.deep.equal([leg]);
      expect(scenario.ordered('pbx.join')).to.deep.equal([]);
      expect(scenario.feed).to.not.include('phone.answered');
      expect(scenario.end(leg, 'completed').phase).to.equal('active');
    });
  }

  it('FB-8 row 5: the call wins; WebRTC goes once both phones are bridged, not before', () => {
    const scenario = ringing().answer('citizen-phone').answer('operator-phone');
    expect(scenario.has('citizen-app')).to.equal(true);
    scenario.settle();
    expect(scenario.phase).to.equal('phone-connected');
    expect([scenario.has('citizen-app'), scenario.has('operator-app')]).to.deep.equal([false, false]);
    expect(scenario.live.fallback).to.include({ mode: 'both', reason: 'timeout' });
  });

  it('FB-8 row 6: a stream before the bridge is kept until it stands, and does not win', () => {
    const scenario = ringing().answer('citizen-phone').stream().heard();
    expect(scenario.phase).to.equal('phone-connected');
    expect(scenario.has('citizen-app')).to.equal(true);
    scenario.answer('operator-phone').settle();
    expect(scenario.has('citizen-app')).to.equal(false);
    expect(scenario.feed).to.not.include('sos.active');
    expect(scenario.live.fallback).to.not.equal(null);
  });

  it('FB-8 FB-9 row 6: without word of the bridge the hand-over ends after 5 s all the same', () => {
    const scenario = ringing().answer('citizen-phone').stream().heard().answer('operator-phone');
    expect(scenario.forward(4999).has('citizen-app')).to.equal(true);
    expect(scenario.forward(1).has('citizen-app')).to.equal(false);
    expect(scenario.phase).to.equal('phone-connected');
  });

  it('FB-8 row 7: a stream after the phones were told to join is hung up at once', () => {
    const scenario = ringing().answer('citizen-phone').answer('operator-phone');
    const app = scenario.leg('citizen-app');
    scenario.send({ type: 'media.streaming', legId: app });
    expect(hungUp(scenario)).to.include(app);
    expect(scenario.live.stream.streamingSince).to.equal(null);
    expect(scenario.phase).to.equal('phone-connected');
  });

  for (const outcome of ['completed', 'congestion'] as const) {
    it(`FB-8 row 8: a call that ends (${outcome}) before the bridge stands gives way to the stream that was kept`, () => {
      const scenario = ringing().answer('citizen-phone').stream().heard();
      scenario.end(scenario.leg('citizen-phone'), outcome);
      expect(scenario.phase).to.equal('active');
      expect(scenario.live.fallback, 'the call did connect').to.not.equal(null);
      expect(alertsOf(scenario)).to.include(outcome === 'completed' ? 'citizen-hung-up' : 'voice-lost');
      expect(scenario.has('citizen-phone')).to.equal(false);
    });
  }

  it('FB-8 row 9: she hangs up and there is no stream: her app is called, her phone never by itself', () => {
    const scenario = ringing().answer('citizen-phone').answer('operator-phone').settle();
    scenario.end(scenario.leg('citizen-phone'), 'completed').settle();
    expect(scenario.phase).to.equal('degraded');
    expect(scenario.has('citizen-app')).to.equal(true);
    scenario.orders = [];
    scenario.answer('citizen-app').stream();
    scenario.send({ type: 'media.lost', legId: scenario.leg('citizen-app') }).forward(300_000);
    const rung = scenario.ordered('pbx.dial-phone').filter(({ party }) => party.role === 'citizen');
    expect(rung, 'not for a stream that came and went either').to.deep.equal([]);
    expect(alertsOf(scenario)).to.include.members(['citizen-hung-up', 'citizen-silent']);
  });

  it('FB-8 row 10: the network loses the call: she is dialled anew, and her operator is held', () => {
    const scenario = ringing().answer('citizen-phone').answer('operator-phone').settle();
    const operator = scenario.leg('operator-phone');
    scenario.end(scenario.leg('citizen-phone'), 'congestion');
    expect(scenario.live.fallback).to.include({ mode: 'both', reason: 'media-lost' });
    expect(scenario.leg('operator-phone')).to.equal(operator);
    expect(scenario.ordered('pbx.hold').map((order) => order.legId)).to.include(operator);
    expect(scenario.leg('citizen-phone')).to.match(/\.2$/);
    expect(scenario.live.fallback?.attempts).to.have.length(3);
  });

  it('FB-8 row 11: she streams and nobody hears her: a duty phone joins her, and hers stays silent', () => {
    const scenario = begun().answer('citizen-app').stream().forward(5000).answer('operator-phone');
    expect(scenario.phase).to.equal('active');
    expect(scenario.live.fallback).to.include({ mode: 'operators-only', reason: 'operator-absent' });
    expect(scenario.ordered('pbx.dial-phone').some(({ party }) => party.role === 'citizen')).to.equal(false);
  });

  it('FB-8 row 12: that stream is lost before a duty phone was taken: after 4 s hers rings after all', () => {
    const scenario = begun().answer('citizen-app').stream().forward(5000);
    scenario.send({ type: 'media.lost', legId: scenario.leg('citizen-app') });
    expect(scenario.forward(3999).has('citizen-phone')).to.equal(false);
    expect(scenario.forward(1).has('citizen-phone')).to.equal(true);
    expect(scenario.live.fallback).to.include({ mode: 'both', reason: 'media-lost' });
  });

  it('FB-8 row 13: a stream after a fallback that came to nothing leaves what was tried on the record', () => {
    const scenario = ringing().forward(25_000).settle().forward(20_000).forward(25_000).settle();
    expect(scenario.phase).to.equal('degraded');
    scenario.stream();
    if (scenario.phase !== 'active') scenario.heard();
    expect(scenario.phase).to.equal('active');
    expect(scenario.live.fallback?.attempts.some(({ outcome }) => outcome === 'cancelled')).to.equal(true);
  });

  it('FB-8 row 14: after the end a crossing 200 is hung up', () => {
    const scenario = ringing();
    const leg = scenario.leg('citizen-phone');
    scenario.send({ type: 'api.resolved', by: 'operator:akram' });
    scenario.orders = [];
    scenario.send({ type: 'pbx.answered', legId: leg });
    expect(scenario.phase).to.equal('resolved');
    expect(hungUp(scenario)).to.deep.equal([leg]);
  });
});
