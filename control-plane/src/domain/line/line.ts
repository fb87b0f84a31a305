/**
 * A line: one telephone leg and its tries on trunks. Pure: what happened goes in, what is to be done comes out.
 *
 * A try fails over to the next route by the table in trunk/failover.ts; one that shows no life in time is given up for the
 * next; for an SOS a second one runs beside a first that is slow to ring. What is no SOS passes over trunks that have no
 * room for it. The leg rings once, is answered once (the first real answer wins) and ends once.
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
  /** A route was passed over for want of room: that none is left does not say that every trunk is dead. */
  readonly passedOver: boolean;
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
  | { readonly do: 'ask-dead'; readonly afterMs: number };

/** Every route silent for this long: a clear error, and the supervisor, within 5 s of the order. */
export const DEAD_MS = 4500;
/** What a try gets at the least before the line counts as dead, however late it began. */
const LAST_CHANCE_MS = 2000;

/** Whether a trunk has room for this call now. */
export type Room = (trunk: string) => boolean;
const ALWAYS: Room = () => true;

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
    passedOver: false,
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
export function adoptedLine(legId: LegId, found: readonly LineTry[], at: Instant): Line {
  const winner = found.find((one) => one.state === 'answered')?.number ?? null;
  const rings = found.some((one) => one.state === 'ringing');
  // As it would have been while somebody was there: one that is answered, or rings, is the call.
  const isBehind = ({ number, state }: LineTry): boolean =>
    winner === null ? rings && state !== 'ringing' : number !== winner;
  const tries = found.map((one) => (isBehind(one) ? { ...one, givenUp: true } : one));
  return {
    ...newLine(legId, 'sos', [], Math.max(1, ...tries.map((one) => one.number)), at),
    tries,
    winner,
    hedged: tries.length > 1,
    told: { progress: false, ringing: rings },
  };
}

/** A channel that the engine turns out to have, of an order whose answer was lost. Its state is told as an event. */
export function withFoundTry(line: Line, number: number, trunk: string, at: Instant): Line {
  const givenUp = line.over || line.hangingUp || line.winner !== null;
  const one: LineTry = { number, trunk, dialledAt: at, state: 'dialing', responded: false, givenUp };
  return { ...line, tries: [...line.tries, one], lastTry: Math.max(line.lastTry, number) };
}

/** An order to dial that was never sent: its number is not used again, its way is, and a hedge may still be one. */
export function withoutTry(line: Line, number: number, route: Route): Line {
  const tries = line.tries.filter((one) => one.number !== number);
  return { ...line, tries, routes: [route, ...line.routes], hedged: false };
}

/** `room` counts for what is no SOS alone. */
export function advance(line: Line, event: LineEvent, at: Instant, room: Room = ALWAYS): LineStep {
  if (line.over) return afterwards(line, event);
  switch (event.type) {
    case 'begin':
      return begin(line, at, room);
    case 'refused':
      return ended(line, event.try, { end: failed(event.outcome), mayTryOther: true }, at, room);
    case 'silence-due':
      return silenceDue(line, event, at, room);
    case 'hedge-due':
      return hedgeDue(line, event.try, at, room);
    case 'dead-due':
      return deadDue(line, event.responded, at);
    case 'progress':
    case 'ringing':
      return showsLife(line, event.try, event.type);
    case 'answered':
      return answered(line, event.try);
    case 'ended':
      return ended(line, event.try, event, at, room);
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

function begin(line: Line, at: Instant, room: Room): LineStep {
  const { step, line: left } = dialNext(line, at, room);
  if (step !== null) return step;
  return over(left, failed(left.passedOver ? 'congestion' : 'trunk-unreachable'), []);
}

/** The next route that may be taken, if there is one; `line`: without those that may not. */
function dialNext(line: Line, at: Instant, room: Room): { step: LineStep | null; line: Line } {
  const index = line.routes.findIndex(({ trunk }) => line.purpose === 'sos' || room(trunk));
  const route = line.routes[index];
  const passedOver = line.passedOver || index > 0 || (index < 0 && line.routes.length > 0);
  if (!route) return { step: null, line: { ...line, routes: [], passedOver } };
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
  actions.push({ do: 'ask-dead', afterMs: Math.max(line.beganAt + DEAD_MS, at + LAST_CHANCE_MS) - at });
  const routes = line.routes.slice(index + 1);
  const dialled = { ...line, routes, passedOver, lastTry: number, tries: [...line.tries, one] };
  return { step: { line: dialled, actions }, line: dialled };
}

/** Nobody there, not even a 100. Given up for the next route; the last one is waited for until the line is dead. */
function silenceDue(
  line: Line,
  { try: number, responded }: { readonly try: number; readonly responded: boolean },
  at: Instant,
  room: Room,
): LineStep {
  const one = running(line, number);
  if (one?.state !== 'dialing') return still(line);
  if (responded) return still(change(line, number, { responded: true }));
  if (line.winner !== null || line.hangingUp || line.settled) return still(line);
  const { step: next, line: left } = dialNext(line, at, room);
  if (next === null) {
    // Nobody has room at this moment: what is there is kept, and it is looked at again.
    const again: LineAction[] = line.routes.length > 0 ? [{ do: 'ask-silence', try: number }] : [];
    return { line: { ...line, passedOver: left.passedOver }, actions: again };
  }
  const gone = giveUp(next.line, number);
  const silent: LineAction = { do: 'note-end', try: number, end: failed('trunk-unreachable'), silent: true };
  // The new way first: giving up the old one is not what she waits for.
  return { line: gone.line, actions: [...next.actions, silent, ...gone.actions] };
}

/** Slow to ring: a second try beside it. Its first sign of life, or the first answer, decides. */
function hedgeDue(line: Line, number: number, at: Instant, room: Room): LineStep {
  const one = running(line, number);
  const isWaiting = one?.state === 'dialing' && line.winner === null && !line.hangingUp && !line.settled;
  if (
    !isWaiting ||
    line.purpose !== 'sos' ||
    line.hedged ||
    alive(line).some((other) => other.state !== 'dialing')
  )
    return still(line);
  return dialNext({ ...line, hedged: true }, at, room).step ?? still(line);
}

/** No carrier that is still asked has said a word: all is hung up, and the leg has ended. */
function deadDue(line: Line, responded: boolean, at: Instant): LineStep {
  const waiting = alive(line);
  const hasLife =
    responded || line.winner !== null || waiting.some((one) => one.responded || one.state !== 'dialing');
  // A try that has only just begun has its own look later.
  const isEarly = at < line.beganAt + DEAD_MS || waiting.some((one) => at < one.dialledAt + LAST_CHANCE_MS);
  if (hasLife || isEarly || line.hangingUp) return still(line);
  const actions: LineAction[] = [];
  const end = failed('trunk-unreachable');
  let after = line;
  for (const { number } of waiting) {
    const gone = giveUp(after, number);
    after = gone.line;
    actions.push({ do: 'note-end', try: number, end, silent: true }, ...gone.actions);
  }
  return over(after, worse(after.failure, end), actions);
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

function ended(
  line: Line,
  number: number,
  { end, mayTryOther }: { readonly end: TryEnd; readonly mayTryOther: boolean },
  at: Instant,
  room: Room,
): LineStep {
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
  // Beside one that has come farther than a 100, her telephone may ring already: no third one is sent there.
  const mayRing = alive(judged).some(({ state }) => state !== 'dialing');
  if (judged.settled || mayRing) return orOver(judged, note);
  const { step: next, line: left } = dialNext(judged, at, room);
  return next === null ? orOver(left, note) : { line: next.line, actions: [note, ...next.actions] };
}

/** A failure of one is ignored as long as another lives. */
function orOver(line: Line, note: LineAction): LineStep {
  if (alive(line).length > 0) return { line, actions: [note] };
  return over(line, line.failure ?? CANCELLED, [note]);
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
