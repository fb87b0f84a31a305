import { expect } from 'chai';
import { differences } from '../../../control-plane/src/app/reconcile.ts';
import { bridgeIdOf, legIdOf } from '../../../control-plane/src/domain/ids.ts';
import type { BridgeId, LegId } from '../../../control-plane/src/domain/ids.ts';
import type { LegSnapshot, PbxSnapshot } from '../../../control-plane/src/ports/pbx-driver.ts';
import { instant, sessionIdOf } from '../../support/core-lab.ts';
import { SESSION, SessionScenario } from '../../support/session-scenario.ts';

const engine = (
  legs: readonly (readonly [LegId, LegSnapshot['state']])[],
  bridges: readonly BridgeId[] = [],
): PbxSnapshot => ({
  legs: legs.map(([legId, state]) => ({ legId, state, bridgeId: null })),
  bridges: bridges.map((bridgeId) => ({ bridgeId, legIds: [] })),
  contacts: [],
});
const begun = () => new SessionScenario().activate();
const found = (
  scenario: SessionScenario,
  snapshot: PbxSnapshot,
  afterMs = 100,
  isDialledSince = (_: LegId) => false,
) => differences(snapshot, [scenario.live], instant(scenario.now + afterMs), isDialledSince);
const words = (orders: ReturnType<typeof differences>['orders']) =>
  orders
    .flatMap((one) => one.orders)
    .map((order) => `${order.type} ${'legId' in order ? order.legId.slice(37) : ''}`);

describe('app/reconcile', () => {
  it('tells a session what the engine saw: an answer, a ringing', () => {
    const scenario = begun();
    const [citizen, operator] = [scenario.leg('citizen-app'), scenario.leg('operator-app')];
    const { events, orders } = found(
      scenario,
      engine([
        [citizen, 'answered'],
        [operator, 'ringing'],
      ]),
    );
    expect(events.map(({ event }) => event)).to.deep.equal([
      { type: 'pbx.answered', legId: citizen },
      { type: 'pbx.ringing', legId: operator },
    ]);
    expect(orders).to.be.empty;
  });

  it('finishes a leg that rang or was answered and is gone', () => {
    const scenario = begun()
      .answer('citizen-app')
      .send({ type: 'pbx.ringing', legId: `${SESSION}.operator-app.1` as LegId });
    const { events } = found(scenario, engine([]));
    expect(events.map(({ event }) => 'outcome' in event && event.outcome)).to.deep.equal(['lost', 'lost']);
  });

  it('dials again what was never dialled, while its ring time runs; then it is lost', () => {
    const scenario = begun();
    expect(words(found(scenario, engine([])).orders)).to.deep.equal([
      'pbx.dial-app citizen-app.1',
      'pbx.dial-app operator-app.1',
    ]);
    const later = found(scenario, engine([]), 3000);
    expect(words(later.orders)).to.deep.equal(['pbx.dial-app citizen-app.1']);
    expect(later.events).to.have.length(1);
  });

  it('RTC-3 joins answered legs anew, muted as they were', () => {
    const scenario = begun().answer('citizen-app').answer('operator-app');
    const legs = [
      [scenario.leg('citizen-app'), 'answered'],
      [scenario.leg('operator-app'), 'answered'],
    ] as const;
    const { orders, events } = found(scenario, engine(legs));
    expect(events).to.be.empty;
    const joins = orders.flatMap((one) => one.orders).filter((order) => order.type === 'pbx.join');
    expect(joins.map(({ voice }) => voice)).to.deep.equal(['speaks', 'listens']);
    expect(words(orders)).to.include('pbx.watch-media citizen-app.1');
  });

  it('FB-3 joins two phones that were bridged, and holds one that waits', () => {
    const waiting = begun().forward(5000).answer('citizen-phone');
    const phone = waiting.leg('citizen-phone');
    expect(words(found(waiting, engine([[phone, 'answered']])).orders)).to.include(
      'pbx.hold citizen-phone.1',
    );
    const talking = waiting.answer('operator-phone');
    const operator = talking.leg('operator-phone');
    const { orders } = found(
      talking,
      engine([
        [phone, 'answered'],
        [operator, 'answered'],
      ]),
    );
    expect(orders.flatMap((one) => one.orders).filter((order) => order.type === 'pbx.join')).to.deep.equal(
      [phone, operator].map((legId) => ({
        type: 'pbx.join',
        bridgeId: bridgeIdOf(SESSION, 'phone'),
        legId,
        voice: 'both',
      })),
    );
  });

  it('FB-8 hangs up what was to be hung up and still lives', () => {
    const scenario = begun().answer('citizen-app').answer('operator-app').forward(5000);
    const phone = scenario.leg('citizen-phone');
    scenario.stream().heard();
    expect(words(found(scenario, engine([[phone, 'ringing']])).orders)).to.include(
      'pbx.hangup citizen-phone.1',
    );
  });

  it('leaves alone what this process has dialled after the engine was asked', () => {
    const scenario = begun();
    const { events, orders } = found(scenario, engine([]), -1, () => true);
    expect(events).to.be.empty;
    expect(orders).to.be.empty;
  });

  it('adopts and finishes the legs of an earlier process whose clock was ahead of ours', () => {
    const scenario = begun().send({ type: 'pbx.ringing', legId: `${SESSION}.operator-app.1` as LegId });
    const citizen = scenario.leg('citizen-app');
    const { events } = found(scenario, engine([[citizen, 'answered']]), -3000);
    expect(events.map(({ event }) => event.type)).to.deep.equal(['pbx.answered', 'pbx.ended']);
  });

  it('finds strays: legs of no open session, bridges of none; what is not ours is left alone', () => {
    const scenario = begun();
    const stray = legIdOf(sessionIdOf(9), 'citizen-phone', 1);
    const forgotten = legIdOf(SESSION, 'citizen-phone', 9);
    const foreign = 'PJSIP/test-0001' as LegId;
    const bridges = [
      bridgeIdOf(SESSION, 'stream'),
      bridgeIdOf(sessionIdOf(9), 'phone'),
      'someone-elses' as BridgeId,
    ];
    const snapshot = engine(
      [
        [stray, 'ringing'],
        [forgotten, 'ringing'],
        [foreign, 'answered'],
      ],
      bridges,
    );
    const { strayLegs, strayBridges } = found(scenario, snapshot);
    expect(strayLegs).to.deep.equal([stray, forgotten]);
    expect(strayBridges).to.deep.equal([bridgeIdOf(sessionIdOf(9), 'phone')]);
  });
});
