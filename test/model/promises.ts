/**
 * What a session promises, whatever happens: checked at each decision and at each rest between two events. A broken
 * promise throws, and names the rule.
 */
import type { Command } from '../../control-plane/src/domain/session/command.ts';
import type { Decision } from '../../control-plane/src/domain/session/draft.ts';
import type { SessionEvent } from '../../control-plane/src/domain/session/event.ts';
import { isUp } from '../../control-plane/src/domain/session/leg.ts';
import type { Leg } from '../../control-plane/src/domain/session/leg.ts';
import { isLive } from '../../control-plane/src/domain/session/session.ts';
import type { Live, Session } from '../../control-plane/src/domain/session/session.ts';
import { isLegal } from '../../control-plane/src/domain/session/transitions.ts';
import { parseLegId } from '../../control-plane/src/domain/ids.ts';
import type { Instant, LegId } from '../../control-plane/src/domain/ids.ts';

const MAX_ATTEMPTS_PER_DEVICE = 3;

/** A channel of the engine, whatever the session believes of it. */
export interface Channel {
  readonly legId: LegId;
  readonly person: string;
  readonly isPhone: boolean;
  state: 'dialing' | 'ringing' | 'answered';
  /** When its hang-up was ordered. */
  hangupAt: Instant | null;
}

/** The world as far as promises look at it, and what they remember from one event to the next. */
export interface Watched {
  readonly session: Session | null;
  readonly timers: ReadonlyMap<string, Instant>;
  readonly channels: ReadonlyMap<LegId, Channel>;
  /** She ended her call: until she presses, streams or is redialled, nobody may ring her. */
  hungUp: boolean;
  /** She did not answer, and the alert of FB-6 is owed. */
  missed: boolean;
  /** Automatic retries of the stream since connecting (re)started. */
  retries: number;
  /** Feed rows of the decisions since the last rest, for promises about what the panel is told. */
  told: { readonly event: string; readonly detail: Readonly<Record<string, unknown>> }[];
}

export function kindOf(legId: LegId): string {
  return parseLegId(legId)?.kind ?? '';
}

export class BrokenPromise extends Error {
  readonly rule: string;

  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
    this.rule = rule;
  }
}

function promise(holds: boolean, rule: string, what: string): void {
  if (!holds) throw new BrokenPromise(rule, what);
}

/** One decision: from which phase to which, and what it orders. */
export function checkDecision(
  world: Watched,
  before: Session | null,
  event: SessionEvent,
  { session, commands }: Decision,
): void {
  if (before) promise(isLegal(before.phase, session.phase), 'phases', `${before.phase} → ${session.phase}`);
  noteWhetherSheMayRing(world, before, event, session);
  for (const command of commands) checkCommand(world, before, event, session, command);
  if (before && isLive(before)) {
    noteMissed(world, before, event, session);
    checkCarriers(before, event, session);
    checkRace(before, event, session, commands);
    if (event.type === 'timer.due') checkTimer(before, event.timer, session, commands);
    if (event.type === 'api.activated' && isLive(session) && before.watchdogAt !== null)
      promise(session.watchdogAt === before.watchdogAt, 'FB-1', 'a press postponed the deadline');
  }
}

function noteWhetherSheMayRing(
  world: Watched,
  before: Session | null,
  event: SessionEvent,
  after: Session,
): void {
  const isCallEnd =
    before?.phase === 'phone-connected' && event.type === 'pbx.ended' && event.legId === before.citizenPhone;
  if (isCallEnd && event.outcome === 'completed') world.hungUp = true;
  if (event.type === 'api.activated' || event.type === 'api.redial-requested' || after.phase === 'active')
    world.hungUp = false;
  if (event.type === 'api.activated') world.retries = 0;
}

/** No carrier took a call that is still wanted: a supervisor is told at once. */
function checkCarriers(before: Live, event: SessionEvent, after: Session): void {
  if (event.type !== 'pbx.ended' || !isLive(after)) return;
  const ended = before.legs.find((leg) => leg.id === event.legId);
  if (ended?.aor !== null || ended.ending) return;
  if (event.outcome !== 'congestion' && event.outcome !== 'trunk-unreachable') return;
  const stands = after.alerts.some(
    ({ kind, acknowledgedBy }) => kind === 'trunks-dead' && acknowledgedBy === null,
  );
  promise(stands, 'TEL-7', 'no carrier takes calls, and nobody is alerted');
}

/** A call that she did not answer, and that nobody gave up: its alert is owed. */
function noteMissed(world: Watched, before: Live, event: SessionEvent, after: Session): void {
  if (before.phase !== 'phone-fallback-active' || after.phase !== 'phone-fallback-active') {
    world.missed = false;
    return;
  }
  const ended = event.type === 'pbx.ended' ? before.legs.find((leg) => leg.id === event.legId) : undefined;
  if (ended?.kind === 'citizen-phone' && !ended.ending && !isTheEnginesLoss(before, after))
    world.missed = true;
  if (event.type === 'timer.due' && event.timer === 'citizen-ring') world.missed = true;
}

/** A call that the engine lost, or that was busy with one that it lost, is none that she left unanswered. */
function isTheEnginesLoss({ fallback: before }: Live, after: Session): boolean {
  if (!before || !('fallback' in after) || !after.fallback) return false;
  const { ghostUntil, citizenCalls } = after.fallback;
  return ghostUntil !== before.ghostUntil || citizenCalls < before.citizenCalls;
}

function checkCommand(
  world: Watched,
  before: Session | null,
  event: SessionEvent,
  session: Session,
  command: Command,
): void {
  switch (command.type) {
    case 'pbx.dial-app':
    case 'pbx.dial-phone': {
      promise(isLive(session), 'FB-10', `a dial while ${session.phase}`);
      const rings = command.type === 'pbx.dial-phone' && command.party.role === 'citizen';
      if (!rings) return;
      const { profile } = session;
      promise(profile.phone === 'verified' && !profile.silent, 'silent', 'her phone is rung all the same');
      promise(!world.hungUp, 'hung-up', 'her phone is rung by itself after she hung up');
      const streams = before !== null && isLive(before) && before.stream.streamingSince !== null;
      const byWatchdog = event.type === 'timer.due' && event.timer !== 'citizen-ring';
      const waited = before !== null && 'fallback' in before && before.fallback?.waiting.citizen === true;
      promise(
        !(streams && byWatchdog && !waited && session.policy.operatorAbsent === 'dial-operator'),
        'decision-8',
        'her phone is rung although her stream is good',
      );
      return;
    }
    case 'pbx.join': {
      const kind = kindOf(command.legId);
      const isStream = command.bridgeId.endsWith('.stream');
      if (isStream)
        promise(
          command.voice === (kind === 'citizen-app' ? 'speaks' : 'listens'),
          'RTC-3',
          `${kind} ${command.voice}`,
        );
      else if (kind === 'supervisor-app')
        promise(command.voice === 'listens', 'RTC-3', `${kind} ${command.voice}`);
      else promise(kind.endsWith('-phone'), 'RTC-3', `${kind} in the phone bridge`);
      const leg = 'legs' in session ? session.legs.find((one) => one.id === command.legId) : undefined;
      promise(leg?.kind !== 'operator-phone' || isUp(leg), 'decision-16', 'joined before it was accepted');
      return;
    }
    case 'feed.publish':
      world.told.push({ event: command.event, detail: command.detail });
      return;
    default:
      return;
  }
}

/** FB-8: which of the two facts committed first decides, and nothing else. */
function checkRace(before: Live, event: SessionEvent, session: Session, commands: readonly Command[]): void {
  if (event.type === 'pbx.answered') {
    const leg = before.legs.find((one) => one.id === event.legId);
    const isHers = leg?.kind === 'citizen-phone' && leg.state !== 'answered';
    if (isHers && leg.ending)
      promise(
        commands.some((one) => one.type === 'pbx.hangup' && one.legId === leg.id),
        'FB-8',
        'an answer that crossed its CANCEL was not hung up',
      );
    if (isHers && !leg.ending)
      promise(session.phase === 'phone-connected', 'FB-8', `her phone answered, and it is ${session.phase}`);
  }
  if (before.phase === 'phone-connected') {
    const isOver =
      event.type === 'api.redial-requested' ||
      (event.type === 'pbx.ended' && event.legId === before.citizenPhone);
    promise(isOver || session.phase !== 'active', 'FB-8', 'the stream won against a connected call');
    const isStream = event.type === 'media.streaming' || event.type === 'panel.heard';
    promise(!isStream || session.phase === before.phase, 'FB-8', 'a stream changed a connected call');
  }
  if (before.phase !== 'active' && session.phase === 'active' && isLive(session)) {
    const byPhone = session.legs.find((leg) => leg.id === session.stream.heardBy)?.kind === 'operator-phone';
    // What an earlier round left on the record stays there: its calls were made, and came to nothing.
    const wasOver = before.phase !== 'phone-fallback-active' && before.fallback !== null;
    promise(
      byPhone || wasOver || session.fallback === null,
      'FB-8',
      'the stream won, and a fallback record is left',
    );
    const retracted = commands.some(
      (one) => one.type === 'feed.publish' && one.event === 'phone-fallback-retracted',
    );
    if (before.phase === 'phone-fallback-active')
      promise(byPhone || retracted, 'FB-8', 'the stream won, and the feed does not retract');
  }
}

function checkTimer(before: Live, timer: string, session: Session, commands: readonly Command[]): void {
  if (timer === 'long-session')
    promise(!commands.some((one) => one.type === 'pbx.hangup'), 'decision-35', 'a long session was hung up');
  const wasConnecting = before.phase === 'connecting' || before.phase === 'degraded';
  if (timer === 'watchdog' && wasConnecting && before.watchdogAt !== null) {
    promise(
      session.phase === 'phone-fallback-active',
      'FB-2',
      `the deadline passed, and it is ${session.phase}`,
    );
    const mode = 'fallback' in session ? session.fallback?.mode : null;
    const { profile, stream, hungUp } = before;
    const expected =
      profile.phone === 'verified' && !profile.silent && !hungUp && stream.streamingSince === null
        ? 'both'
        : 'operators-only';
    if (before.policy.operatorAbsent === 'dial-operator')
      promise(mode === expected, 'FB-2', `the deadline passed: ${mode ?? 'none'} in place of ${expected}`);
    const isTimeout = 'fallback' in session && session.fallback?.reason === 'timeout';
    promise(
      !isTimeout || before.stream.failures.length === 0,
      'FB-4',
      'a signalling error is called a timeout',
    );
  }
}

/** The session as it stands between two events. */
export function checkRest(world: Watched): void {
  const { session, timers } = world;
  checkOnePerPerson(world);
  checkTold(world);
  if (!session) return;
  if (!isLive(session)) {
    const due = session.phase === 'arming' ? 1 : 0;
    promise(timers.size === due, 'end', `timers outlive it: ${[...timers.keys()].join()}`);
    return;
  }
  checkLegs(session);
  checkStream(session);
  checkDeadlines(world, session);
  checkChain(world, session);
}

function checkOnePerPerson({ channels }: Watched): void {
  const called = new Set<string>();
  for (const { isPhone, person, legId } of channels.values()) {
    if (!isPhone) continue;
    promise(!called.has(person), 'decision-17', `two calls of ours to ${person}: ${legId}`);
    called.add(person);
  }
}

function checkTold(world: Watched): void {
  for (const { event, detail } of world.told) {
    if (event !== 'sos.retried' || detail['leg'] !== 'citizen-app') continue;
    world.retries += 1;
    promise(world.retries <= 1, 'RTC-7', 'a second automatic retry');
    promise(typeof detail['reason'] === 'string', 'RTC-7', 'a retry without a reason');
  }
  world.told = [];
}

function standingOf(session: Live, kind: Leg['kind']): readonly Leg[] {
  return session.legs.filter((leg) => leg.kind === kind && !leg.ending);
}

function checkLegs(session: Live): void {
  const { phase } = session;
  const hers = standingOf(session, 'citizen-phone');
  const duty = standingOf(session, 'operator-phone');
  // Who is to take her over is called beside who speaks with her.
  const settled = duty.filter((leg) => leg.id !== session.handOver?.legId);
  promise(
    hers.length <= 1 && settled.length <= 1 && duty.length <= 2,
    'decision-17',
    'two calls to her, or two duty phones, at once',
  );
  if (session.handOver) {
    const { legId } = session.handOver;
    promise(
      session.legs.some((leg) => leg.id === legId && !leg.ending),
      'TEL-10',
      'a hand-over without its call',
    );
  }
  if (session.phase === 'phone-connected' && session.bridgedWith !== null)
    promise(
      duty.some((leg) => leg.id === session.bridgedWith),
      'TEL-10',
      'she speaks with nobody',
    );
  const voice = session.phase === 'phone-connected' ? session.bridgedWith : session.stream.heardBy;
  const party = session.legs.find((leg) => leg.id === voice)?.party;
  const hasVoice = session.phase === 'active' || session.phase === 'phone-connected';
  if (hasVoice && party && party.role !== 'citizen')
    promise(
      session.assignment?.state === 'assigned' && session.assignment.operatorId === party.operatorId,
      'TEL-10',
      `${party.operatorId} has her voice, and she is ${whoseSheIs(session)}`,
    );
  promise(
    session.stream.heardBy?.includes('supervisor-app') !== true,
    'RTC-2',
    'who listens in counts as hearing her',
  );
  for (const { aor } of session.devices) {
    const attempts = standingOf(session, 'citizen-app').filter((leg) => leg.aor === aor);
    promise(attempts.length <= MAX_ATTEMPTS_PER_DEVICE, 'RTC-7', 'attempts pile up at one device');
  }
  switch (phase) {
    case 'active':
      promise(hers.length === 0, 'two-voices', 'active, and her phone is called');
      promise(
        duty.every((leg) => leg.id === session.stream.heardBy),
        'two-voices',
        'active, and a duty phone is called that does not hear her',
      );
      return;
    case 'phone-connected':
      promise(
        hers.some((leg) => leg.id === session.citizenPhone),
        'FB-8',
        'connected without her call',
      );
      return;
    case 'connecting':
    case 'degraded':
      promise(
        hers.length === 0 && duty.every((leg) => leg.id === session.stream.heardBy),
        'two-voices',
        `${phase}, and phones are called`,
      );
      return;
    case 'phone-fallback-active':
      return;
  }
}

function whoseSheIs({ assignment }: Live): string {
  return assignment?.state === 'assigned' ? `${assignment.operatorId}'s` : 'nobody’s';
}

function checkStream(session: Live): void {
  const { streamingSince, heardBy, heardSince } = session.stream;
  promise(heardSince === null || streamingSince !== null, 'honest', 'heard, though she does not stream');
  promise(heardSince === null || heardBy !== null, 'honest', 'heard by nobody');
  if (session.phase === 'active') promise(heardSince !== null, 'honest', 'active, and not heard');
  if (session.phase === 'degraded' && streamingSince !== null)
    promise(session.watchdogAt !== null, 'decision-8', 'she streams, nobody hears her, and no deadline runs');
  const { profile, hungUp, fallback } = session;
  if (
    session.phase === 'phone-fallback-active' &&
    fallback?.mode === 'operators-only' &&
    streamingSince === null
  )
    promise(
      profile.phone !== 'verified' || profile.silent || hungUp || session.watchdogAt !== null,
      'media-lost',
      'her phone was left in peace for a stream that is gone, and no deadline runs',
    );
  if (streamingSince !== null && heardBy !== null)
    promise(
      session.phase === 'active' || session.phase === 'phone-connected',
      'RTC-2',
      `both facts hold, and it is ${session.phase}`,
    );
}

function checkDeadlines({ timers }: Watched, session: Live): void {
  promise(
    session.watchdogAt === (timers.get('watchdog') ?? null),
    'timers',
    'watchdog: state and row differ',
  );
  promise(
    session.alertRepeatAt === (timers.get('alert-repeat') ?? null),
    'timers',
    'alert: state and row differ',
  );
  const voice =
    session.phase === 'active' || (session.phase === 'phone-connected' && session.bridgedWith !== null);
  const open = session.alerts.some((alert) => alert.acknowledgedBy === null);
  const due = (['watchdog', 'alert-repeat'] as const).some((timer) => timers.has(timer));
  promise(voice || due, 'silence', `${session.phase}: no voice, and nothing will ever happen`);
  promise(!open || timers.has('alert-repeat'), 'alerts', 'an alert stands, and is not repeated');
  promise(timers.has('long-session'), 'decision-35', 'nobody is told of a session that lasts');
  if (session.phase === 'phone-fallback-active') {
    const phones = session.legs.some((leg) => leg.kind.endsWith('-phone') && !leg.ending);
    const next = (['citizen-ring', 'operator-ring', 'citizen-redial', 'watchdog'] as const).some((timer) =>
      timers.has(timer),
    );
    promise(phones || next, 'silence', 'a fallback in which nobody is called, nor will be');
    const rings = standingOf(session, 'citizen-phone').some((leg) => leg.state !== 'answered');
    promise(!rings || timers.has('citizen-ring'), 'timers', 'her phone rings without an end');
  }
  for (const leg of standingOf(session, 'operator-phone')) {
    const limit = leg.id === session.handOver?.legId && timers.has('transfer') ? 'transfer' : 'operator-ring';
    promise(isUp(leg) || timers.has(limit), 'timers', 'a duty phone rings without an end');
  }
  if (session.phase === 'phone-connected') {
    const duty = standingOf(session, 'operator-phone').length > 0;
    promise(
      duty || timers.has('operator-ring'),
      'FB-7',
      'she waits in her call, and no duty phone is called',
    );
    const apps = standingOf(session, 'citizen-app').length + standingOf(session, 'operator-app').length;
    promise(
      session.bridgedWith === null || apps === 0 || timers.has('hand-over'),
      'FB-9',
      'two voices beyond the hand-over',
    );
  }
}

function checkChain(world: Watched, session: Live): void {
  const { fallback, alerts } = session;
  if (session.phase !== 'phone-fallback-active' || !fallback) return;
  const has = (kind: string): boolean => alerts.some((alert) => alert.kind === kind);
  if (fallback.chainExhausted)
    promise(has('operators-unreachable'), 'FB-7', 'the chain is exhausted, and nobody is alerted');
  const settled = fallback.chainExhausted || standingOf(session, 'operator-phone').some(isUp);
  if (world.missed && settled)
    promise(has('citizen-unanswered'), 'FB-6', 'she did not answer, and nobody is alerted');
  if (fallback.mode === 'both')
    promise(fallback.callReference !== '', 'FB-4', 'a fallback without the reference of its call');
  for (const leg of session.legs)
    if (leg.kind.endsWith('-phone') && !leg.ending)
      promise(
        fallback.attempts.some((one) => one.legId === leg.id && one.outcome === null),
        'FB-6',
        'a call that the history does not know',
      );
}
