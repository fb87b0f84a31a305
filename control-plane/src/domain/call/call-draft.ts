/** The call under decision: facts changed so far and the commands that follow, in order. */
import { callBridgeIdOf, callLegIdOf } from '../ids.ts';
import type { CallLegKind, Instant, LegId } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';
import { isLiveCall, legOf } from './call.ts';
import type { Answered, Call, CallEndReason, CallLeg, LiveCall, LiveFacts, Over, Place } from './call.ts';
import type { CallCommand, CallNews, CallOrder, LegEnd } from './command.ts';
import { CALL_TIMERS } from './event.ts';
import type { CallTimer } from './event.ts';

/** `ignored`: late or doubled, normal. `refused`: somebody asked for what this state does not allow. */
export type CallVerdict = 'applied' | 'ignored' | 'refused';

export interface CallDecision {
  readonly call: Call;
  readonly commands: readonly CallCommand[];
  readonly verdict: CallVerdict;
}

/** How long a leg waits for a trunk with a channel and a call per second free, and how often it asks. */
export const QUEUE_MS = 10_000;
export const RETRY_MS = 500;
/** A leg that was hung up and says nothing for this long counts as lost. */
export const CLEARING_MS = 5000;

type HangupReason = Extract<CallOrder, { type: 'pbx.hangup' }>['reason'];

export class CallDraft {
  facts: LiveFacts;
  state: LiveCall['state'];
  answeredAt: Instant | null;
  readonly at: Instant;
  readonly commands: CallCommand[] = [];

  constructor(call: LiveCall, at: Instant) {
    this.at = at;
    this.state = call.state;
    this.answeredAt = call.state === 'answered' ? call.answeredAt : null;
    this.facts = factsOf(call);
  }

  change(facts: Partial<LiveFacts>): void {
    this.facts = { ...this.facts, ...facts };
  }

  order(command: CallCommand): void {
    this.commands.push(command);
  }

  leg(legId: LegId | null): CallLeg | null {
    return legId === null ? null : legOf(this.facts, legId);
  }

  changeLeg(legId: LegId, change: Partial<CallLeg>): void {
    this.change({ legs: this.facts.legs.map((leg) => (leg.id === legId ? { ...leg, ...change } : leg)) });
  }

  setTimer(timer: CallTimer, dueAt: number): void {
    this.order({ type: 'timer.set', timer, dueAt: dueAt as Instant });
  }

  clearTimers(...timers: readonly CallTimer[]): void {
    for (const timer of timers) this.order({ type: 'timer.clear', timer });
  }

  publish(event: CallNews, { kind: leg, id: legId }: Pick<CallLeg, 'kind' | 'id'>, end: LegEnd | null): void {
    this.order({ type: 'call.publish', event, leg, legId, end });
  }

  /** Calls a party on a new leg. It has to get on a trunk in `QUEUE_MS`; from then on it may ring. */
  dial(kind: CallLegKind, place: Place): LegId {
    const { id: callId, attempts, legs } = this.facts;
    const attempt = attempts[kind] + 1;
    const id = callLegIdOf(callId, kind, attempt);
    const until = (this.at + QUEUE_MS) as Instant;
    const leg: CallLeg = {
      id,
      kind,
      attempt,
      place,
      state: 'waiting',
      orderedAt: this.at,
      until,
      answeredAt: null,
      trunk: null,
      tries: 0,
      ending: null,
    };
    this.change({ attempts: { ...attempts, [kind]: attempt }, legs: [...legs, leg] });
    this.order({ type: 'leg.record', legId: id, change: { state: 'dialing', place, at: this.at } });
    this.setTimer(`${roleOf(leg)}-queue`, until);
    this.order(dialOrder({ ...this.facts, answeredAt: this.answeredAt }, leg));
    return id;
  }

  /** Nothing more is waited for at it; its end is still to come. */
  hangUp(leg: CallLeg, reason: HangupReason, as: LegOutcome = leftAs(leg)): void {
    this.order({ type: 'pbx.hangup', legId: leg.id, reason });
    if (leg.ending !== null) return;
    this.changeLeg(leg.id, { ending: { since: this.at, as } });
    this.setTimer('clear', Math.min(...this.#endingSince()) + CLEARING_MS);
  }

  /** It has gone, or was never there. */
  removeLeg(leg: CallLeg, end: LegEnd): void {
    this.change({ legs: this.facts.legs.filter(({ id }) => id !== leg.id) });
    this.order({ type: 'leg.record', legId: leg.id, change: { state: 'ended', at: this.at, ...end } });
    if (leg.ending === null) return;
    const ending = this.#endingSince();
    if (ending.length === 0) this.clearTimers('clear');
    else this.setTimer('clear', Math.min(...ending) + CLEARING_MS);
  }

  /** Both hear each other. */
  get isJoined(): boolean {
    const { onHold, transfer, other } = this.facts;
    return this.state === 'answered' && !onHold && transfer === null && this.#isUp(this.leg(other));
  }

  /** Whoever is up hears the other one, or the holding prompt. `wasJoined`: before what is being decided. */
  arrange(wasJoined: boolean): void {
    const { id, to, other } = this.facts;
    const bridgeId = callBridgeIdOf(id);
    if (this.isJoined && other !== null) {
      this.order({ type: 'pbx.join', bridgeId, legId: to });
      this.order({ type: 'pbx.join', bridgeId, legId: other });
      return;
    }
    if (wasJoined) this.order({ type: 'pbx.close-bridge', bridgeId });
    for (const leg of this.facts.legs) if (this.#isUp(leg)) this.order({ type: 'pbx.hold', legId: leg.id });
  }

  seal(): CallDecision {
    return { call: this.#call(), commands: this.commands, verdict: 'applied' };
  }

  /**
   * The end of the call: told once, and everybody is hung up. `end`: how the first party's leg ended, if it has; else it
   * ends as one that we leave.
   */
  finish(state: Over['state'], reason: CallEndReason, end: LegEnd | null = null): CallDecision {
    const { to, id } = this.facts;
    const left = this.leg(to);
    const ours: LegEnd | null = left && { outcome: leftAs(left), sipStatus: null, q850: null };
    this.publish(state, { kind: 'call-to', id: to }, end ?? ours);
    if (this.answeredAt !== null) this.order({ type: 'pbx.close-bridge', bridgeId: callBridgeIdOf(id) });
    for (const leg of this.facts.legs) {
      if (leg.ending !== null) continue;
      const isUnanswered = reason === 'no-answer' && leg.id === to;
      const how = leg.state === 'answered' ? 'normal' : isUnanswered ? 'no-answer' : 'cancelled';
      this.hangUp(leg, how, leg.id === to ? end?.outcome : undefined);
    }
    const hasLegs = this.facts.legs.length > 0;
    this.clearTimers(...CALL_TIMERS.filter((timer) => !(hasLegs && timer === 'clear')));
    const { createdBy, purpose, plan, createdAt, places, attempts, legs } = this.facts;
    const call: Over = {
      id,
      createdBy,
      purpose,
      plan,
      createdAt,
      places,
      attempts,
      legs,
      state,
      answeredAt: this.answeredAt,
      endedAt: this.at,
      reason,
    };
    return { call, commands: this.commands, verdict: 'applied' };
  }

  #isUp(leg: CallLeg | null): boolean {
    return leg?.state === 'answered' && leg.ending === null;
  }

  #endingSince(): readonly number[] {
    return this.facts.legs.flatMap(({ ending }) => ending?.since ?? []);
  }

  #call(): LiveCall {
    const { facts, state, answeredAt } = this;
    if (state !== 'answered') return { ...facts, state };
    return { ...facts, state, answeredAt: answeredAt ?? this.at } satisfies Answered;
  }
}

function leftAs({ state }: CallLeg): LegOutcome {
  return state === 'answered' ? 'completed' : 'cancelled';
}

export function roleOf({ kind }: Pick<CallLeg, 'kind'>): 'to' | 'other' {
  return kind === 'call-to' ? 'to' : 'other';
}

export function dialOrder(
  call: Pick<LiveCall, 'plan' | 'createdAt'> & { readonly answeredAt?: Instant | null },
  { id: legId, place, tries: triesBefore }: CallLeg,
): CallOrder {
  const { ringTimeoutMs } = call.plan;
  return { type: 'pbx.dial-phone', legId, place, ringTimeoutMs, triesBefore, overBy: overBy(call) };
}

/** Its longest time, from the first party's answer; until then from the last moment in which that could still come. */
function overBy({
  plan,
  createdAt,
  answeredAt,
}: Pick<LiveCall, 'plan' | 'createdAt'> & { readonly answeredAt?: Instant | null }): Instant {
  const from = answeredAt ?? createdAt + QUEUE_MS + plan.ringTimeoutMs;
  return (from + plan.maxDurationMs) as Instant;
}

export function unchanged(call: Call, verdict: 'ignored' | 'refused' = 'ignored'): CallDecision {
  return { call, commands: [], verdict };
}

function factsOf(call: LiveCall): LiveFacts {
  if (!isLiveCall(call) || call.state !== 'answered') {
    const { state: _, ...facts } = call;
    return facts;
  }
  const { state: _, answeredAt: __, ...facts } = call;
  return facts;
}
