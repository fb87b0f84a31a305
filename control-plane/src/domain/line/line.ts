/**
 * A line: one telephone leg and its tries on trunks. Pure: what happened goes in, what is to be done comes out.
 *
 * A try fails over to the next route by the table in trunk/failover.ts; one that shows no life in time is given up for the
 * next; for an SOS a second one runs beside a first that is slow to ring. The leg rings once, is answered once (the first
 * real answer wins) and ends once.
 */
import type { Instant, LegId } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';
import type { TryEnd } from '../trunk/failover.ts';
import type { Route } from '../trunk/routes.ts';

export interface LineTry {
  readonly number: number;
  readonly trunk: string;
  readonly dialledAt: Instant;
  readonly state: 'dialing' | 'progress' | 'ringing' | 'answered';
  /** The carrier has said anything at all, if only 100. */
  readonly responded: boolean;
  /** A hangup was ordered; how it ends means nothing. */
  readonly givenUp: boolean;
}

export interface Line {
  readonly legId: LegId;
  readonly purpose: 'sos' | 'call' | 'synthetic';
  readonly beganAt: Instant;
  /** Not taken yet, in order. */
  readonly routes: readonly Route[];
  /** Alive, oldest first. */
  readonly tries: readonly LineTry[];
  readonly lastTry: number;
  /** A second try runs beside a first one, or has run: there is one hedge a line. */
  readonly hedged: boolean;
  readonly told: { readonly progress: boolean; readonly ringing: boolean };
  /** Number of the try that was answered. */
  readonly winner: number | null;
  /** The best reason so far why it was not: what a person has said counts for more than what a network has. */
  readonly failure: TryEnd | null;
  /** A person has declined, or the number is none: no further try, though another may still be running. */
  readonly settled: boolean;
  /** Ordered from above. */
  readonly hangingUp: boolean;
  readonly over: boolean;
}

export type LineEvent =
  | { readonly type: 'begin' }
  /** The engine refused the order to dial. */
  | { readonly type: 'refused'; readonly try: number; readonly outcome: LegOutcome }
  /** `responded` as the engine knows it when the time of silence is over. */
  | { readonly type: 'silence-due'; readonly try: number; readonly responded: boolean }
  | { readonly type: 'hedge-due'; readonly try: number }
  | { readonly type: 'dead-due'; readonly responded: boolean }
  | { readonly type: 'progress' | 'ringing' | 'answered'; readonly try: number }
  | {
      readonly type: 'ended';
      readonly try: number;
      readonly end: TryEnd;
      /** By the table: another trunk may be tried. */
      readonly mayTryOther: boolean;
    }
  | { readonly type: 'hang-up' };

export type LineAction =
  | { readonly do: 'dial'; readonly try: number; readonly route: Route }
  | { readonly do: 'hang-up'; readonly try: number; readonly why: 'given-up' | 'ordered' }
  | { readonly do: 'tell'; readonly what: 'progress' | 'ringing' | 'answered'; readonly try: number }
  /** Of this try; not counted against the leg. */
  | { readonly do: 'note-end'; readonly try: number; readonly end: TryEnd; readonly silent: boolean }
  | { readonly do: 'tell-end'; readonly end: TryEnd }
  | { readonly do: 'ask-silence'; readonly try: number }
  | { readonly do: 'ask-hedge'; readonly try: number }
  | { readonly do: 'ask-dead' };

/** Whether anything of it may still come from the engine. */
export function isDone(line: Line): boolean {
  return line.over && line.tries.length === 0;
}

export interface LineStep {
  readonly line: Line;
  readonly actions: readonly LineAction[];
}

export function newLine(
  legId: LegId,
  purpose: Line['purpose'],
  routes: readonly Route[],
  triesBefore: number,
  at: Instant,
): Line {
  return {
    legId,
    purpose,
    beganAt: at,
    routes,
    tries: [],
    lastTry: triesBefore,
    hedged: false,
    told: { progress: false, ringing: false },
    winner: null,
    failure: null,
    settled: false,
    hangingUp: false,
    over: false,
  };
}

/** Found in the engine by a process that did not dial it. */
export function adoptedLine(legId: LegId, tries: readonly LineTry[], at: Instant): Line {
  const winner = tries.find((one) => one.state === 'answered')?.number ?? null;
  return {
    ...newLine(legId, 'sos', [], Math.max(1, ...tries.map((one) => one.number)), at),
    tries,
    winner,
    hedged: tries.length > 1,
    told: { progress: false, ringing: tries.some((one) => one.state === 'ringing') },
  };
}

export function advance(line: Line, event: LineEvent, at: Instant): LineStep {
  if (line.over) return afterwards(line, event);
  switch (event.type) {
    case 'begin':
      return begin(line, at);
    case 'refused':
      return ended(line, event.try, failed(event.outcome), true, at);
    case 'silence-due':
      return silenceDue(line, event.try, event.responded, at);
    case 'hedge-due':
      return hedgeDue(line, event.try, at);
    case 'dead-due':
      return deadDue(line, event.responded);
    case 'progress':
    case 'ringing':
      return showsLife(line, event.try, event.type);
    case 'answered':
      return answered(line, event.try);
    case 'ended':
      return ended(line, event.try, event.end, event.mayTryOther, at);
    case 'hang-up':
      return hangUp(line);
  }
}

/** The leg has ended; tries that were given up may still answer, and are still to end. */
function afterwards(line: Line, event: LineEvent): LineStep {
  if (event.type === 'answered')
    return { line, actions: [{ do: 'hang-up', try: event.try, why: 'given-up' }] };
  if (event.type !== 'ended' || !line.tries.some((one) => one.number === event.try)) return still(line);
  return {
    line: { ...line, tries: line.tries.filter((one) => one.number !== event.try) },
    actions: [{ do: 'note-end', try: event.try, end: event.end, silent: false }],
  };
}

const CANCELLED: TryEnd = failed('cancelled');

function failed(outcome: LegOutcome): TryEnd {
  return { outcome, sipStatus: null, q850: null };
}

function begin(line: Line, at: Instant): LineStep {
  const first = dialNext(line, at);
  if (first === null) return over(line, failed('trunk-unreachable'), []);
  return { line: first.line, actions: [...first.actions, { do: 'ask-dead' }] };
}

/** The next route, if there is one. */
function dialNext(line: Line, at: Instant): LineStep | null {
  const [route, ...rest] = line.routes;
  if (!route) return null;
  const number = line.lastTry + 1;
  const one: LineTry = {
    number,
    trunk: route.trunk,
    dialledAt: at,
    state: 'dialing',
    responded: false,
    givenUp: false,
  };
  const actions: LineAction[] = [
    { do: 'dial', try: number, route },
    { do: 'ask-silence', try: number },
  ];
  if (line.purpose === 'sos' && !line.hedged) actions.push({ do: 'ask-hedge', try: number });
  return { line: { ...line, routes: rest, lastTry: number, tries: [...line.tries, one] }, actions };
}

/** Nobody there, not even a 100. Given up for the next route; the last one is waited for until the line is dead. */
function silenceDue(line: Line, number: number, responded: boolean, at: Instant): LineStep {
  const one = running(line, number);
  if (one?.state !== 'dialing') return still(line);
  if (responded) return still(change(line, number, { responded: true }));
  if (line.winner !== null || line.hangingUp || line.settled) return still(line);
  const next = dialNext(line, at);
  if (next === null) return still(line);
  const gone = giveUp(next.line, number);
  const silent: LineAction = { do: 'note-end', try: number, end: failed('trunk-unreachable'), silent: true };
  // The new way first: giving up the old one is not what she waits for.
  return { line: gone.line, actions: [...next.actions, silent, ...gone.actions] };
}

/** Slow to ring: a second try beside it. Its first sign of life, or the first answer, decides. */
function hedgeDue(line: Line, number: number, at: Instant): LineStep {
  const one = running(line, number);
  const isWaiting = one?.state === 'dialing' && line.winner === null && !line.hangingUp && !line.settled;
  if (
    !isWaiting ||
    line.purpose !== 'sos' ||
    line.hedged ||
    alive(line).some((other) => other.state !== 'dialing')
  )
    return still(line);
  const next = dialNext({ ...line, hedged: true }, at);
  return next ?? still(line);
}

/** No carrier has said a word: what is still open is hung up, and the leg has ended. */
function deadDue(line: Line, responded: boolean): LineStep {
  const hasLife =
    responded || line.winner !== null || line.tries.some((one) => one.responded || one.state !== 'dialing');
  if (hasLife || line.hangingUp) return still(line);
  const actions: LineAction[] = [];
  let after = line;
  for (const { number, givenUp } of line.tries) {
    if (givenUp) continue;
    const gone = giveUp(after, number);
    after = gone.line;
    actions.push(
      { do: 'note-end', try: number, end: failed('trunk-unreachable'), silent: true },
      ...gone.actions,
    );
  }
  return over(after, failed('trunk-unreachable'), actions);
}

/** One that rings is the call: others that have not come as far are given up. */
function showsLife(line: Line, number: number, state: 'progress' | 'ringing'): LineStep {
  const one = running(line, number);
  if (!one || one.state === 'answered' || one.state === 'ringing') return still(line);
  let after = change(line, number, { state, responded: true });
  const actions: LineAction[] = [];
  if (!after.told[state] && !after.hangingUp) {
    after = { ...after, told: { ...after.told, [state]: true } };
    actions.push({ do: 'tell', what: state, try: number });
  }
  if (state === 'progress') return { line: after, actions };
  for (const other of alive(after)) {
    if (other.number === number || other.state === 'ringing') continue;
    const gone = giveUp(after, other.number);
    after = gone.line;
    actions.push(...gone.actions);
  }
  return { line: after, actions };
}

function answered(line: Line, number: number): LineStep {
  const one = line.tries.find((other) => other.number === number);
  if (!one || one.state === 'answered') return still(line);
  let after = change(line, number, { state: 'answered', responded: true });
  // Its hangup is on its way, or somebody else has been answered: it crossed.
  if (one.givenUp || line.hangingUp || line.winner !== null) {
    const gone = giveUp(after, number, line.hangingUp ? 'ordered' : 'given-up');
    return { line: gone.line, actions: gone.actions };
  }
  after = { ...after, winner: number };
  const actions: LineAction[] = [{ do: 'tell', what: 'answered', try: number }];
  for (const other of alive(after)) {
    if (other.number === number) continue;
    const gone = giveUp(after, other.number);
    after = gone.line;
    actions.push(...gone.actions);
  }
  return { line: after, actions };
}

function ended(line: Line, number: number, end: TryEnd, mayTryOther: boolean, at: Instant): LineStep {
  const one = line.tries.find((other) => other.number === number);
  if (!one) return still(line);
  const after = { ...line, tries: line.tries.filter((other) => other.number !== number) };
  const note: LineAction = { do: 'note-end', try: number, end, silent: false };
  if (line.winner === number) return over(after, end, [note]);
  if (line.hangingUp) {
    // The one that was the call when the order came says how it ended.
    const judged = one.givenUp ? after : { ...after, failure: end };
    return judged.tries.length > 0
      ? { line: judged, actions: [note] }
      : over(judged, judged.failure ?? end, [note]);
  }
  if (one.givenUp) {
    if (alive(after).length > 0 || after.winner !== null) return { line: after, actions: [note] };
    return over(after, after.failure ?? end, [note]);
  }
  if (line.winner !== null) return { line: after, actions: [note] };
  const judged = { ...after, failure: worse(after.failure, end), settled: after.settled || !mayTryOther };
  const next = judged.settled ? null : dialNext(judged, at);
  if (next !== null) return { line: next.line, actions: [note, ...next.actions] };
  // A failure of one is ignored as long as another lives.
  if (alive(judged).length > 0) return { line: judged, actions: [note] };
  return over(judged, judged.failure, [note]);
}

/** What is told of the leg in the end: a person's word before the last trunk's. */
function worse(before: TryEnd | null, end: TryEnd): TryEnd {
  return before !== null && isPersons(before) && !isPersons(end) ? before : end;
}

function isPersons({ outcome }: TryEnd): boolean {
  return (
    outcome === 'busy' || outcome === 'rejected' || outcome === 'no-answer' || outcome === 'invalid-number'
  );
}

function hangUp(line: Line): LineStep {
  const after = { ...line, hangingUp: true };
  if (line.tries.length === 0) return over(after, CANCELLED, []);
  return {
    line: after,
    actions: line.tries.map(({ number }) => ({ do: 'hang-up', try: number, why: 'ordered' })),
  };
}

function giveUp(line: Line, number: number, why: 'given-up' | 'ordered' = 'given-up'): LineStep {
  return {
    line: change(line, number, { givenUp: true }),
    actions: [{ do: 'hang-up', try: number, why }],
  };
}

function over(line: Line, end: TryEnd, actions: readonly LineAction[]): LineStep {
  return { line: { ...line, over: true }, actions: [...actions, { do: 'tell-end', end }] };
}

function still(line: Line): LineStep {
  return { line, actions: [] };
}

function change(line: Line, number: number, what: Partial<LineTry>): Line {
  return { ...line, tries: line.tries.map((one) => (one.number === number ? { ...one, ...what } : one)) };
}

function running(line: Line, number: number): LineTry | null {
  return line.tries.find((one) => one.number === number && !one.givenUp) ?? null;
}

function alive(line: Line): readonly LineTry[] {
  return line.tries.filter((one) => !one.givenUp);
}
