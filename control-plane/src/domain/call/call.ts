/**
 * The state of one telephone call that the backend asked for. A discriminated union over `state`; everything is plain
 * JSON, so a call is stored and sent as it stands. Numbers are personal data and stay outside: a party is known by its place.
 */
import type { CallId, CallLegKind, Instant, LegId } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';

/** 0 is who is called first; then those of `bridgeTo` in their order; then whoever a transfer named. */
export type Place = number;

/** What was asked for, fixed when the call begins. */
export interface CallPlan {
  /** How many may be joined with the first party, tried one after the other: places 1 to `bridges`. */
  readonly bridges: number;
  /** `at-once`: they are called beside the first party; `answered`: once it has answered. */
  readonly bridgeWhen: 'answered' | 'at-once';
  /** Of each party, from the moment in which its call is on a trunk. */
  readonly ringTimeoutMs: number;
  /** From the first party's answer. */
  readonly maxDurationMs: number;
}

export interface CallLeg {
  readonly id: LegId;
  readonly kind: CallLegKind;
  readonly attempt: number;
  readonly place: Place;
  /** `waiting`: ordered, and not known to be on a trunk. */
  readonly state: 'waiting' | 'dialing' | 'ringing' | 'answered';
  readonly orderedAt: Instant;
  /** Until then it waits for a trunk, or rings. */
  readonly until: Instant;
  readonly answeredAt: Instant | null;
  /** By which it was answered; until then the last one tried. */
  readonly trunk: string | null;
  /** Tries that were made for it so far, each by one trunk. */
  readonly tries: number;
  /**
   * A hangup was ordered then; what it reports until its end changes nothing. `as`: how it ended, should the engine never
   * say.
   */
  readonly ending: { readonly since: Instant; readonly as: LegOutcome } | null;
}

interface Common {
  readonly id: CallId;
  /** Who asked for it: role and subject of the token. */
  readonly createdBy: string;
  /** A word of the backend's own; decides nothing. */
  readonly purpose: string;
  readonly plan: CallPlan;
  readonly createdAt: Instant;
  /** Parties that have a place, by number. */
  readonly places: number;
  /** Highest attempt used, by kind: ids are never used twice. */
  readonly attempts: Readonly<Record<CallLegKind, number>>;
  readonly legs: readonly CallLeg[];
}

export interface LiveFacts extends Common {
  /** The first party's leg. While it lives, the call does. */
  readonly to: LegId;
  /** Who is joined with the first party, or is called to be; null: nobody. */
  readonly other: LegId | null;
  /** Of `bridgeTo` the next one to call. */
  readonly nextBridge: Place;
  /** Both hear the holding prompt, and not each other. */
  readonly onHold: boolean;
  /** Somebody is called to take the other's place; both hear the holding prompt meanwhile. */
  readonly transfer: {
    readonly leg: LegId;
    /** What stands again when he does not answer. */
    readonly from: 'alone' | 'joined';
  } | null;
}

/** `queued`: not on a trunk yet. */
export interface Placing extends LiveFacts {
  readonly state: 'queued' | 'dialing' | 'ringing';
}

/** The first party has answered. */
export interface Answered extends LiveFacts {
  readonly state: 'answered';
  readonly answeredAt: Instant;
}

/** `ended`: it was answered, or given up by who asked for it; `failed`: it came to nothing. */
export interface Over extends Common {
  readonly state: 'ended' | 'failed';
  readonly answeredAt: Instant | null;
  readonly endedAt: Instant;
  readonly reason: CallEndReason;
}

export type LiveCall = Placing | Answered;
export type Call = LiveCall | Over;
export type CallState = Call['state'];
export const CALL_STATES: readonly CallState[] = [
  'queued',
  'dialing',
  'ringing',
  'answered',
  'ended',
  'failed',
];

/**
 * Why a call is over. The first party's own outcome where that never answered; else who or what ended it.
 * `no-capacity`: no trunk had a channel or a call per second free in time. `bridge-unanswered`: nobody of `bridgeTo` answered.
 */
export type CallEndReason =
  | LegOutcome
  | 'hung-up'
  | 'to-hung-up'
  | 'other-hung-up'
  | 'max-duration'
  | 'no-capacity'
  | 'bridge-unanswered';

export function isLiveCall(call: Call): call is LiveCall {
  switch (call.state) {
    case 'queued':
    case 'dialing':
    case 'ringing':
    case 'answered':
      return true;
    case 'ended':
    case 'failed':
      return false;
  }
}

/** How the parties stand to each other. */
export type Talk = 'none' | 'waiting' | 'calling' | 'joined' | 'on-hold' | 'transferring';

/** `waiting`: the first party hears the holding prompt, and nobody is called to be joined with it. */
export function talkOf(call: Call): Talk {
  if (!isLiveCall(call)) return 'none';
  if (call.transfer !== null) return 'transferring';
  const other = call.other === null ? null : legOf(call, call.other);
  if (other === null) return call.state === 'answered' ? 'waiting' : 'none';
  if (call.state !== 'answered' || other.state !== 'answered') return 'calling';
  return call.onHold ? 'on-hold' : 'joined';
}

export function legOf({ legs }: Pick<Call, 'legs'>, legId: LegId): CallLeg | null {
  return legs.find((leg) => leg.id === legId) ?? null;
}
