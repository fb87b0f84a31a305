import { expect } from 'chai';
import fc from 'fast-check';
import { isLegal } from '../../../../control-plane/src/domain/session/transitions.ts';
import { isLive } from '../../../../control-plane/src/domain/session/session.ts';
import type { LegId, LegKind } from '../../../../control-plane/src/domain/ids.ts';
import type { Leg, LegOutcome } from '../../../../control-plane/src/domain/session/leg.ts';
import type { Phase } from '../../../../control-plane/src/domain/session/session.ts';
import { AKRAM, BINA, CITIZEN_AOR, SessionScenario, subject } from '../../../support/session-scenario.ts';

const RUNS = 3000;
const OUTCOMES: readonly LegOutcome[] = [
  'completed',
  'busy',
  'rejected',
  'no-answer',
  'unreachable',
  'congestion',
  'media-failed',
  'lost',
];

type Action = (scenario: SessionScenario) => void;

/** One of the session's legs by a random index, alive or on its way out; nothing when it has none. */
function withLeg(pick: number, act: (scenario: SessionScenario, leg: Leg) => void): Action {
  return (scenario) => {
    const legs = scenario.session && 'legs' in scenario.session ? scenario.session.legs : [];
    const leg = legs[pick % Math.max(1, legs.length)];
    if (leg) act(scenario, leg);
  };
}

/** The newest standing leg of a kind answers, streams, is heard: the paths that matter are walked often. */
function directed(kind: LegKind, act: (scenario: SessionScenario, legId: LegId) => void): Action {
  return (scenario) => {
    if (scenario.has(kind)) act(scenario, scenario.leg(kind));
  };
}

const pick = fc.nat(20);
const always = (act: Action): fc.Arbitrary<Action> => fc.constant(act);
const directedAction: fc.Arbitrary<Action> = fc.oneof(
  fc
    .constantFrom<LegKind>('citizen-app', 'operator-app', 'citizen-phone', 'operator-phone')
    .map((kind) => directed(kind, (s) => s.answer(kind))),
  always(directed('citizen-app', (s) => s.stream())),
  always(directed('operator-app', (s) => s.heard())),
  always((s) => s.settle()),
  fc.constantFrom(100, 3000, 5000, 8000, 25_000).map(
    (ms): Action =>
      (s) =>
        s.forward(ms),
  ),
);
const wildAction: fc.Arbitrary<Action> = fc.oneof(
  always((s) => s.activate()),
  always((s) => s.send({ type: 'api.activated', subject: subject(), contactOnline: false })),
  always((s) => s.send({ type: 'contact.online', aor: CITIZEN_AOR })),
  always((s) => s.send({ type: 'contact.offline', aor: CITIZEN_AOR })),
  always((s) => s.send({ type: 'api.redial-requested', by: 'operator:akram' })),
  always((s) => s.send({ type: 'api.released' })),
  always((s) => s.send({ type: 'roster.changed' })),
  fc.integer({ min: 1, max: 9000 }).map(
    (ms): Action =>
      (s) =>
        s.forward(ms),
  ),
  fc.subarray([AKRAM, BINA]).map((free): Action => (s) => {
    s.free = free;
  }),
  fc.boolean().map((any): Action => (s) => {
    s.chain = any ? [{ role: 'operator', operatorId: AKRAM }] : [];
  }),
  pick.map((at) => withLeg(at, (s, leg) => s.send({ type: 'pbx.ringing', legId: leg.id }))),
  pick.map((at) => withLeg(at, (s, leg) => s.send({ type: 'pbx.answered', legId: leg.id }))),
  pick.map((at) => withLeg(at, (s, leg) => s.send({ type: 'media.streaming', legId: leg.id }))),
  pick.map((at) => withLeg(at, (s, leg) => s.send({ type: 'media.lost', legId: leg.id }))),
  pick.map((at) => withLeg(at, (s, leg) => s.send({ type: 'panel.silent', legId: leg.id }))),
  fc
    .tuple(pick, fc.constantFrom(...OUTCOMES))
    .map(([at, outcome]) => withLeg(at, (s, leg) => s.end(leg.id, outcome, 486))),
);
const action = fc.oneof({ arbitrary: directedAction, weight: 2 }, { arbitrary: wildAction, weight: 1 });

/** Holds the state to its promises; a failure tells the events that led there. */
function check(scenario: SessionScenario, before: Phase | null): void {
  try {
    promises(scenario, before);
  } catch (error) {
    if (error instanceof Error) error.message += `\nafter: ${scenario.trace.join(' | ')}`;
    throw error;
  }
}

function promises(scenario: SessionScenario, before: Phase | null): void {
  const { session } = scenario;
  if (!session) return;
  if (before) expect(isLegal(before, session.phase), `${before} → ${session.phase}`).to.be.true;
  if (!isLive(session)) return;
  const standing = (kind: Leg['kind']): number =>
    session.legs.filter((leg) => leg.kind === kind && !leg.ending).length;
  expect(standing('citizen-phone'), 'her phone is called once at a time').to.be.at.most(1);
  expect(standing('operator-phone'), 'one duty phone at a time').to.be.at.most(1);
  expect(session.watchdogAt, 'state and timer row agree').to.equal(scenario.timers.get('watchdog') ?? null);
  if (session.phase === 'active') {
    expect(session.stream.streamingSince, 'active means packets').not.to.be.null;
    expect(session.stream.heardBy, 'active means heard').not.to.be.null;
    expect(standing('citizen-phone'), 'active: no call to her').to.equal(0);
  }
  if (session.phase === 'phone-connected')
    expect(standing('citizen-phone'), 'connected: her call stands').to.equal(1);
  const deadline = ['watchdog', 'citizen-ring', 'operator-ring', 'citizen-redial'].some((timer) =>
    scenario.timers.has(timer as 'watchdog'),
  );
  const voice =
    session.phase === 'active' || (session.phase === 'phone-connected' && session.bridgedWith !== null);
  const escalated = session.alerts.some((alert) => alert.acknowledgedBy === null);
  expect(voice || deadline || escalated, `${session.phase}: voice, a running deadline, or an open alert`).to
    .be.true;
}

describe('domain/session/reduce (model)', () => {
  it('FB-8 keeps its promises under any interleaving of events, delays, doubles and losses', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }), (actions) => {
        const scenario = new SessionScenario().activate();
        check(scenario, null);
        for (const act of actions) {
          const before = scenario.session?.phase ?? null;
          const orders = scenario.verdicts.length;
          act(scenario);
          // Several events in one action may pass through several phases: only single steps are held to the table.
          check(scenario, scenario.verdicts.length - orders === 1 ? before : null);
        }
        scenario.send({ type: 'api.resolved', by: 'operator:akram' }).settle();
        expect(scenario.phase).to.equal('resolved');
        expect([...scenario.timers.keys()], 'no timer outlives the session').to.be.empty;
        expect(
          scenario.session && 'legs' in scenario.session && scenario.session.legs.every((leg) => leg.ending),
        ).to.be.true;
      }),
      { numRuns: RUNS },
    );
  }).timeout(60_000);
});
