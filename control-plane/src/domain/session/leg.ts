/** A leg: one attempt to have one party on one channel. */
import type { AddressOfRecord, CitizenId, Instant, LegId, LegKind, OperatorId } from '../ids.ts';

/** Who is called. Numbers are personal data and stay outside the domain: the app looks them up when it dials. */
export type Party =
  | { readonly role: 'citizen'; readonly citizenId: CitizenId }
  | { readonly role: 'operator'; readonly operatorId: OperatorId; readonly acceptance?: Acceptance }
  | { readonly role: 'supervisor'; readonly operatorId: OperatorId; readonly acceptance?: Acceptance };

/** A duty phone that has answered counts only once somebody has pressed 1: a voicemail answers like a human. */
export type Acceptance = 'press-1';

/**
 * How a leg ended, in words that no provider owns.
 * `unreachable`: the far end or its contact cannot be reached; `trunk-unreachable`/`congestion`: another trunk may;
 * `media-failed`: signalling worked, media did not (ICE, DTLS); `cancelled`: we ended it before it was answered;
 * `lost`: the engine no longer has it.
 */
export type LegOutcome =
  | 'completed'
  | 'busy'
  | 'rejected'
  | 'no-answer'
  | 'unreachable'
  | 'invalid-number'
  | 'congestion'
  | 'trunk-unreachable'
  | 'media-failed'
  | 'cancelled'
  | 'lost';

export type LegState = 'dialing' | 'ringing' | 'answered';

export interface Leg {
  readonly id: LegId;
  readonly kind: LegKind;
  readonly attempt: number;
  readonly party: Party;
  /** The SIP contact that an app leg goes to; `null` for phones. */
  readonly aor: AddressOfRecord | null;
  readonly state: LegState;
  readonly dialledAt: Instant;
  /** Somebody is there: always, but for a duty phone that has to press 1 first. */
  readonly accepted: boolean;
  /** Its packets reach the gateway (citizen's legs). */
  readonly streaming: boolean;
  /** There was sound in its packets; it may be known before they count as a stream. */
  readonly sound: boolean;
  /** Tries that were made for it so far, each by one trunk; absent: none yet. */
  readonly tries?: number;
  /** A hangup was ordered; what it reports until its end changes nothing. */
  readonly ending: boolean;
}

/** Answered, and by somebody: it may be joined. */
export function isUp({ state, accepted }: Leg): boolean {
  return state === 'answered' && accepted;
}

/** One call to a phone as the supervisor's alert tells of it (FB-6). Times of what did not come about are `null`. */
export interface CallAttempt {
  readonly legId: LegId;
  readonly kind: LegKind;
  readonly party: Party;
  readonly dialledAt: Instant;
  readonly ringingAt: Instant | null;
  readonly answeredAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly outcome: LegOutcome | null;
  readonly sipStatus: number | null;
}

/** A definitive failure of one attempt, with the reason that FB-4 and RTC-7 ask for. */
export interface LegFailure {
  readonly legId: LegId;
  readonly kind: LegKind;
  readonly outcome: LegOutcome;
  readonly sipStatus: number | null;
  readonly q850: number | null;
  readonly at: Instant;
}
