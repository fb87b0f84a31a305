import { expect } from 'chai';
import fc from 'fast-check';
import { legIdOf } from '../../../../control-plane/src/domain/ids.ts';
import type { Instant, SessionId } from '../../../../control-plane/src/domain/ids.ts';
import {
  adoptedLine,
  advance,
  isDone,
  newLine,
  withFoundTry,
} from '../../../../control-plane/src/domain/line/line.ts';
import type { Line, LineAction, LineEvent } from '../../../../control-plane/src/domain/line/line.ts';
import type { LegOutcome } from '../../../../control-plane/src/domain/session/leg.ts';
import type { Route } from '../../../../control-plane/src/domain/trunk/routes.ts';

const LEG = legIdOf('00000000-0000-4000-8000-000000000001' as SessionId, 'citizen-phone', 1);
const T0 = 0 as Instant;

function routes(count: number): Route[] {
  return Array.from({ length: count }, (_, index) => ({
    trunk: `trunk${index + 1}`,
    host: { address: '192.0.2.1', port: 5060, priority: 1 },
  }));
}

/** A line with all that it has ordered and told. */
class Played {
  line: Line;
  readonly actions: LineAction[] = [];
  /** Trunks without room for what is no SOS. */
  readonly full = new Set<string>();

  constructor(count: number, purpose: Line['purpose'] = 'sos', triesBefore = 0) {
    this.line = newLine(LEG, purpose, routes(count), triesBefore, T0);
  }

  play(event: LineEvent, atMs = event.type === 'dead-due' ? 60_000 : 0): this {
    const { line, actions } = advance(this.line, event, atMs as Instant, (trunk) => !this.full.has(trunk));
    this.line = line;
    this.actions.push(...actions);
    return this;
  }

  fail(number: number, outcome: LegOutcome, mayTryOther: boolean): this {
    return this.play({
      type: 'ended',
      try: number,
      end: { outcome, sipStatus: null, q850: null },
      mayTryOther,
    });
  }

  /** `dial 1 trunk1`, `hang-up 1`, `tell ringing 1`, `end busy`, `silent 1`. */
  get story(): string[] {
    return this.actions.flatMap((action) => {
      switch (action.do) {
        case 'dial':
          return `dial ${action.try} ${action.route.trunk}`;
        case 'hang-up':
          return `hang-up ${action.try}`;
        case 'tell':
          return `tell ${action.what} ${action.try}`;
        case 'tell-end':
          return `end ${action.end.outcome}`;
        case 'note-end':
          return action.silent ? `silent ${action.try}` : [];
        case 'ask-silence':
        case 'ask-hedge':
        case 'ask-dead':
          return [];
      }
    });
  }
}

const begun = (count: number, purpose: Line['purpose'] = 'sos') =>
  new Played(count, purpose).play({ type: 'begin' });

describe('domain/line/line', () => {
  it('TEL-7: a trunk that fails is followed by the next, and the leg ends once, when the last has failed', () => {
    const played = begun(2).fail(1, 'congestion', true).fail(2, 'trunk-unreachable', true);
    expect(played.story).to.deep.equal(['dial 1 trunk1', 'dial 2 trunk2', 'end trunk-unreachable']);
    expect(isDone(played.line)).to.equal(true);
  });

  for (const outcome of ['busy', 'rejected', 'invalid-number'] as const) {
    it(`TEL-7: ${outcome} is an answer: no other trunk rings her again`, () => {
      expect(begun(3).fail(1, outcome, false).story).to.deep.equal(['dial 1 trunk1', `end ${outcome}`]);
    });
  }

  it('TEL-7: a silent trunk is given up for the next, which is dialled first', () => {
    const played = begun(2).play({ type: 'silence-due', try: 1, responded: false });
    expect(played.story).to.deep.equal(['dial 1 trunk1', 'dial 2 trunk2', 'silent 1', 'hang-up 1']);
    played.play({ type: 'ringing', try: 2 }).fail(1, 'cancelled', false).play({ type: 'answered', try: 2 });
    expect(played.story.slice(4)).to.deep.equal(['tell ringing 2', 'tell answered 2']);
  });

  it('keeps a trunk that has said 100 and takes its time', () => {
    const played = begun(2).play({ type: 'silence-due', try: 1, responded: true });
    expect(played.story).to.deep.equal(['dial 1 trunk1']);
  });

  it('TEL-7: waits for the last silent trunk until the line is dead, and then ends', () => {
    const played = begun(2)
      .play({ type: 'silence-due', try: 1, responded: false })
      .play({ type: 'silence-due', try: 2, responded: false });
    expect(played.story.at(-1)).to.equal('hang-up 1');
    played.play({ type: 'dead-due', responded: false });
    expect(played.story.slice(4)).to.deep.equal(['silent 2', 'hang-up 2', 'end trunk-unreachable']);
    expect(isDone(played.line)).to.equal(false);
    played.fail(1, 'cancelled', false).fail(2, 'cancelled', false);
    expect(isDone(played.line)).to.equal(true);
    expect(played.story.filter((one) => one.startsWith('end'))).to.have.length(1);
  });

  it('is not dead as long as any trunk has said a word', () => {
    const played = begun(1).play({ type: 'dead-due', responded: true });
    expect(played.line.over).to.equal(false);
  });

  it('TEL-7: an SOS that is slow to ring gets one second try beside the first; the first that rings is the call', () => {
    const played = begun(3).play({ type: 'hedge-due', try: 1 }).play({ type: 'hedge-due', try: 2 });
    expect(played.story).to.deep.equal(['dial 1 trunk1', 'dial 2 trunk2']);
    played.play({ type: 'ringing', try: 2 });
    expect(played.story.slice(2)).to.deep.equal(['tell ringing 2', 'hang-up 1']);
  });

  it('TEL-7: a call with early media is not hedged, and neither is one that is no SOS', () => {
    const early = begun(2).play({ type: 'progress', try: 1 }).play({ type: 'hedge-due', try: 1 });
    expect(early.story).to.deep.equal(['dial 1 trunk1', 'tell progress 1']);
    expect(begun(2, 'call').actions.some((action) => action.do === 'ask-hedge')).to.equal(false);
  });

  it('ignores the failure of one hedged try while the other lives, and says what a person said in the end', () => {
    const played = begun(2).play({ type: 'hedge-due', try: 1 }).fail(2, 'busy', false);
    expect(played.line.over).to.equal(false);
    expect(played.fail(1, 'congestion', true).story.at(-1)).to.equal('end busy');
  });

  it('TEL-7: beside a hedged try with early media no third one is sent, beside one that has said 100 it is', () => {
    const early = begun(3).play({ type: 'hedge-due', try: 1 }).play({ type: 'progress', try: 1 });
    expect(early.fail(2, 'congestion', true).story.slice(2)).to.deep.equal(['tell progress 1']);
    expect(early.fail(1, 'congestion', true).story.at(-1)).to.equal('dial 3 trunk3');
    const waiting = begun(3).play({ type: 'hedge-due', try: 1 }).fail(2, 'congestion', true);
    expect(waiting.story.at(-1)).to.equal('dial 3 trunk3');
  });

  it('TEL-7: passes over trunks without room for what is no SOS, and says congestion when none has any', () => {
    const call = new Played(3, 'call');
    call.full.add('trunk1').add('trunk3');
    call.play({ type: 'begin' });
    expect(call.story).to.deep.equal(['dial 1 trunk2']);
    expect(call.fail(1, 'trunk-unreachable', true).story.at(-1)).to.equal('end trunk-unreachable');
    expect(call.line.passedOver).to.equal(true);

    const none = new Played(1, 'call');
    none.full.add('trunk1');
    expect(none.play({ type: 'begin' }).story).to.deep.equal(['end congestion']);

    const sos = new Played(1, 'sos');
    sos.full.add('trunk1');
    expect(sos.play({ type: 'begin' }).story).to.deep.equal(['dial 1 trunk1']);
  });

  it('keeps a silent trunk when no other has room', () => {
    const call = begun(2, 'call');
    call.full.add('trunk2');
    call.play({ type: 'silence-due', try: 1, responded: false });
    expect(call.story).to.deep.equal(['dial 1 trunk1']);
    expect(call.actions.at(-1)).to.deep.equal({ do: 'ask-silence', try: 1 });
    call.full.clear();
    call.play({ type: 'silence-due', try: 1, responded: false });
    expect(call.story.slice(1)).to.deep.equal(['dial 2 trunk2', 'silent 1', 'hang-up 1']);
  });

  it('TEL-7: a carrier that was asked late gets two seconds before the line is dead', () => {
    const dueMs = (played: Played) =>
      played.actions.flatMap((action) => (action.do === 'ask-dead' ? action.afterMs : []));
    const played = begun(2).fail(1, 'cancelled', false);
    expect(dueMs(played)).to.deep.equal([4500]);
    const late = begun(2).play(
      {
        type: 'ended',
        try: 1,
        end: { outcome: 'congestion', sipStatus: 503, q850: 34 },
        mayTryOther: true,
      },
      4400,
    );
    expect(dueMs(late)).to.deep.equal([4500, 2000]);
    late.play({ type: 'dead-due', responded: false }, 4500);
    expect(late.line.over).to.equal(false);
    late.play({ type: 'dead-due', responded: false }, 6400);
    expect(late.story.slice(-2)).to.deep.equal(['hang-up 2', 'end trunk-unreachable']);
  });

  it('TEL-7: finds the last carrier dead though the one before it had said a word', () => {
    const played = begun(2)
      .play({ type: 'silence-due', try: 1, responded: true }, 1000)
      .play({ type: 'dead-due', responded: true }, 4500);
    played.play(
      {
        type: 'ended',
        try: 1,
        end: { outcome: 'congestion', sipStatus: 503, q850: 34 },
        mayTryOther: true,
      },
      6000,
    );
    expect(played.actions.at(-1)).to.deep.equal({ do: 'ask-dead', afterMs: 2000 });
    played.play({ type: 'dead-due', responded: false }, 8000);
    expect(played.story.at(-1)).to.equal('end trunk-unreachable');
  });

  it('says what a person has said, though the other carrier was dead', () => {
    const played = begun(2).play({ type: 'hedge-due', try: 1 }).fail(2, 'busy', false);
    expect(played.play({ type: 'dead-due', responded: false }).story.at(-1)).to.equal('end busy');
  });

  it('takes up what it finds: one that rings or was answered is the call', () => {
    const at = { dialledAt: T0, responded: false, givenUp: false };
    const line = adoptedLine(
      LEG,
      [
        { ...at, number: 1, trunk: 'a', state: 'dialing' },
        { ...at, number: 2, trunk: 'b', state: 'ringing' },
      ],
      T0,
    );
    expect(line.tries.map(({ givenUp }) => givenUp)).to.deep.equal([true, false]);
    const found = withFoundTry(begun(1).line, 2, 'b', T0);
    expect(found.tries.map(({ number, givenUp }) => [number, givenUp])).to.deep.equal([
      [1, false],
      [2, false],
    ]);
    expect(found.lastTry).to.equal(2);
    const answered = begun(1).play({ type: 'answered', try: 1 }).line;
    expect(withFoundTry(answered, 2, 'b', T0).tries.at(-1)).to.include({ givenUp: true });
  });

  it('FB-8: of two answers the first is the call, the second is hung up', () => {
    const played = begun(2)
      .play({ type: 'hedge-due', try: 1 })
      .play({ type: 'answered', try: 1 })
      .play({ type: 'answered', try: 2 });
    expect(played.story.slice(2)).to.deep.equal(['tell answered 1', 'hang-up 2', 'hang-up 2']);
    expect(played.fail(1, 'completed', false).story.at(-1)).to.equal('end completed');
  });

  it('hangs up every try when it is told to, dials none any more, and ends as the last of them did', () => {
    const played = begun(3).play({ type: 'hedge-due', try: 1 }).play({ type: 'hang-up' });
    played.fail(1, 'no-answer', false).play({ type: 'silence-due', try: 2, responded: false });
    played.fail(2, 'no-answer', true);
    expect(played.story.slice(2)).to.deep.equal(['hang-up 1', 'hang-up 2', 'end no-answer']);
  });

  it('goes on numbering where a process before this one ended', () => {
    const played = new Played(1, 'sos', 2).play({ type: 'begin' });
    expect(played.story).to.deep.equal(['dial 3 trunk1']);
  });

  it('hangs up a try that answers after the leg has ended', () => {
    const played = begun(1).play({ type: 'dead-due', responded: false }).play({ type: 'answered', try: 1 });
    expect(played.story.slice(-2)).to.deep.equal(['end trunk-unreachable', 'hang-up 1']);
  });

  const number = fc.integer({ min: 1, max: 5 });
  const outcome = fc.constantFrom<LegOutcome>(
    'busy',
    'rejected',
    'no-answer',
    'congestion',
    'trunk-unreachable',
    'cancelled',
  );
  const event: fc.Arbitrary<LineEvent> = fc.oneof(
    fc.record({
      type: fc.constant('refused' as const),
      try: number,
      outcome: fc.constant('trunk-unreachable' as const),
    }),
    fc.record({ type: fc.constant('silence-due' as const), try: number, responded: fc.boolean() }),
    fc.record({ type: fc.constant('hedge-due' as const), try: number }),
    fc.record({ type: fc.constant('dead-due' as const), responded: fc.boolean() }),
    fc.record({
      type: fc.constantFrom('progress' as const, 'ringing' as const, 'answered' as const),
      try: number,
    }),
    fc.record({
      type: fc.constant('ended' as const),
      try: number,
      end: outcome.map((one) => ({ outcome: one, sipStatus: null, q850: null })),
      mayTryOther: fc.boolean(),
    }),
    fc.constant({ type: 'hang-up' as const }),
  );

  it('TEL-7: keeps its promises whatever comes in whatever order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom<Line['purpose']>('sos', 'call'),
        fc.array(event, { maxLength: 25 }),
        (count, purpose, events) => {
          const played = begun(count, purpose);
          const dialled = new Set([1]);
          const gone = new Set<number>();
          for (const one of events) {
            // The engine speaks of tries that it has, and ends each once.
            if ('try' in one && (!dialled.has(one.try) || gone.has(one.try))) continue;
            const before = played.actions.length;
            const was = played.line;
            played.play(one);
            if (one.type === 'ended' || one.type === 'refused') gone.add(one.try);
            const news = played.actions.slice(before);
            for (const action of news) {
              if (action.do !== 'dial') continue;
              expect(dialled.has(action.try), 'a number is used once').to.equal(false);
              expect(was.winner, 'nothing is dialled beside an answer').to.equal(null);
              expect(was.hangingUp || was.over, 'nothing is dialled after the end').to.equal(false);
              dialled.add(action.try);
            }
            const { line } = played;
            const alive = line.tries.filter(({ givenUp }) => !givenUp);
            expect(alive.length).to.be.at.most(purpose === 'sos' ? 2 : 1);
            if (!line.over && !line.hangingUp)
              expect(alive.length, 'somebody is still called').to.be.above(0);
            if (line.winner !== null && !line.over && !line.hangingUp)
              expect(alive.map((other) => other.number)).to.deep.equal([line.winner]);
          }
          const told = played.actions.filter(({ do: what }) => what === 'tell-end');
          expect(told.length).to.equal(played.line.over ? 1 : 0);
          const answers = played.actions.filter((one) => one.do === 'tell' && one.what === 'answered');
          expect(answers.length).to.be.at.most(1);
          // What the engine still has ends in the end, and then the line is done with.
          played.play({ type: 'hang-up' });
          for (const { number: left } of [...played.line.tries]) played.fail(left, 'cancelled', false);
          expect(isDone(played.line)).to.equal(true);
          expect(played.actions.filter(({ do: what }) => what === 'tell-end')).to.have.length(1);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
