/**
 * The state of one SOS. A discriminated union over `phase`: each phase holds exactly what can be true in it.
 * Everything is plain JSON, so a session is stored and sent as it stands.
 */
import type {
  AddressOfRecord,
  CitizenId,
  DeviceId,
  Instant,
  LegId,
  LegKind,
  OperatorId,
  SessionId,
  ZoneId,
} from '../ids.ts';
import type { CallAttempt, Leg, LegFailure, Party } from './leg.ts';
import type { Policy } from './policy.ts';

export type Flag =
  | 'unknown-citizen'
  | 'unknown-device'
  | 'phone-missing'
  | 'phone-unverified'
  | 'location-missing'
  | 'location-absurd'
  | 'unknown-zone'
  | 'body-malformed'
  | 'idempotency-key-reused'
  | 'folded';

export type AlertKind =
  | 'no-operator'
  | 'operator-absent'
  | 'operators-unreachable'
  /** No carrier took a call of this incident: nobody can be called. */
  | 'trunks-dead'
  | 'citizen-unanswered'
  | 'citizen-hung-up'
  | 'voice-lost'
  | 'phone-unusable'
  | 'citizen-silent'
  | 'no-voice'
  | 'long-session'
  /** The record was told two stories: this node and another both acted, or a part could not be written down. */
  | 'record-doubtful';

/** A fact on the side, not a phase: a supervisor was alerted, until somebody acknowledges it. */
export interface Alert {
  readonly kind: AlertKind;
  readonly raisedAt: Instant;
  readonly acknowledgedBy: OperatorId | null;
}

export type Assignment =
  | {
      readonly state: 'assigned';
      readonly operatorId: OperatorId;
      /** The panel that was offered; `null`: taken by telephone, without a panel. */
      readonly aor: AddressOfRecord | null;
      readonly since: Instant;
    }
  | { readonly state: 'queued'; readonly since: Instant };

/** The panel that heard her is gone or silent: the same operator may come back until the timer `operator-reoffer`. */
export interface Reoffer {
  readonly operatorId: OperatorId;
  /** Where his next call goes: his newest contact. */
  readonly aor: AddressOfRecord;
  /** His leg that stands and says nothing any more; `null`: it has ended. */
  readonly silentLeg: LegId | null;
  readonly until: Instant;
}

/** She is being handed to another operator: the old one keeps her until the new one hears her, or speaks with her. */
export interface HandOver {
  readonly to: Party & { readonly operatorId: OperatorId };
  /** The new operator's call. */
  readonly legId: LegId;
  readonly since: Instant;
}

/** What the citizen's profile allows, fixed when the session begins. */
export interface CitizenProfile {
  /** Her verified number may be called. Its digits stay outside the domain. */
  readonly phone: 'verified' | 'unverified' | 'missing';
  /** Never ring her phone: it may give her away. */
  readonly silent: boolean;
}

interface Common {
  readonly id: SessionId;
  readonly citizenId: CitizenId;
  readonly deviceId: DeviceId;
  readonly aor: AddressOfRecord;
  readonly zoneId: ZoneId | null;
  readonly profile: CitizenProfile;
  readonly flags: readonly Flag[];
  /** The times and choices in force when it began: a change of configuration changes no running session. */
  readonly policy: Policy;
  readonly createdAt: Instant;
}

/** Which facts of the stream hold, and what has failed so far. */
export interface Stream {
  /** The leg whose packets arrive; the winner among the attempts. */
  readonly leg: LegId | null;
  readonly streamingSince: Instant | null;
  /** The operator's leg that reported packets, or the duty phone joined to her stream. */
  readonly heardBy: LegId | null;
  /** Since when hers are among those packets: never before she streams (a bridge of three mixes silence), nor after. */
  readonly heardSince: Instant | null;
  readonly sound: boolean | null;
  readonly retryUsed: boolean;
  /** Definitive failures of her attempts since connecting (re)started; the newest last, at most 10. */
  readonly failures: readonly LegFailure[];
  /** Packets stopped; the grace of `policy.mediaLostMs` runs. */
  readonly lost: boolean;
}

export type FallbackReason = 'timeout' | 'signalling-error' | 'operator-absent' | 'media-lost' | 'redial';

/** The phone fallback (FB-4). `operators-only`: her phone does not ring; duty phones are joined to her stream or held. */
export interface Fallback {
  readonly mode: 'both' | 'operators-only';
  readonly reason: FallbackReason;
  /** Tells which signalling error or which timeout: `sip-488`, `media-failed`, `timeout-no-contact`, `timeout-no-media`, `not-heard` … */
  readonly detail: string;
  readonly failedAt: Instant;
  readonly initiatedAt: Instant;
  /** Our leg id at once, the carrier's Call-ID when known. */
  readonly callReference: string;
  /** Operators' duty phones in order, the supervisor last. */
  readonly chain: readonly Party[];
  /** Index in `chain` of the phone that is being called, or was last. */
  readonly chainAt: number;
  readonly chainExhausted: boolean;
  readonly citizenCalls: number;
  /** Until then a call to her that the engine lost may ring on, and make her phone busy. */
  readonly ghostUntil?: Instant;
  /** Set while no call to her is running and one more is due. */
  readonly citizenRedialDue: boolean;
  /** Called as soon as the call before has gone: nobody's phone gets two of ours at once (decision 17). */
  readonly waiting: { readonly citizen: boolean; readonly operator: boolean };
  /** She did not answer; the alert waits for the end of the operators' chain (FB-7). */
  readonly unansweredDue: boolean;
  /** Every call of this incident's fallbacks, oldest first; the newest 20. */
  readonly attempts: readonly CallAttempt[];
  /** Her leg and the operator's whose bridge was told last. */
  readonly bridged?: readonly [LegId, LegId];
}

/** A device from which she pressed SOS in this session. */
export interface CitizenDevice {
  readonly aor: AddressOfRecord;
  /** Its contact is registered: the offer can go out. */
  readonly online: boolean;
}

/** Everything that a session holds while it is open. */
export interface LiveFacts extends Common {
  /** Receipt of the activation: t0 of every limit. */
  readonly activatedAt: Instant;
  /** In the order of their first press; each is offered the stream when its contact appears. The newest 5 are kept. */
  readonly devices: readonly CitizenDevice[];
  /** When a second press was last written down. */
  readonly foldedAt: Instant | null;
  readonly assignment: Assignment | null;
  /** Operators whose app leg failed in this round; not offered again before the others. */
  readonly triedOperators: readonly OperatorId[];
  readonly legs: readonly Leg[];
  /** Highest attempt number used, by kind: ids are never used twice. */
  readonly attempts: Readonly<Record<LegKind, number>>;
  readonly stream: Stream;
  readonly degradedReason: string | null;
  readonly alerts: readonly Alert[];
  /** When the alerts that stand are raised again, or the lack of a voice is noticed; `null`: there is neither. */
  readonly alertRepeatAt: Instant | null;
  /** She ended the call herself: nobody rings her by himself until she streams, presses again, or is redialled. */
  readonly hungUp: boolean;
  /** When the running watchdog is due; `null` while none runs. A second activation never postpones it. */
  readonly watchdogAt: Instant | null;
  /** The running or last phone fallback; `null` when there was none, or the stream won (FB-8). */
  readonly fallback: Fallback | null;
  readonly reoffer?: Reoffer | null;
  readonly handOver?: HandOver | null;
}

export interface Arming extends Common {
  readonly phase: 'arming';
}
export interface Connecting extends LiveFacts {
  readonly phase: 'connecting' | 'degraded';
}
export interface Active extends LiveFacts {
  readonly phase: 'active';
}
export interface FallbackActive extends LiveFacts {
  readonly phase: 'phone-fallback-active';
  readonly fallback: Fallback;
}
/** The call has connected: `citizen-phone` answered and committed (FB-8). */
export interface PhoneConnected extends LiveFacts {
  readonly phase: 'phone-connected';
  readonly fallback: Fallback;
  readonly citizenPhone: LegId;
  /** The duty phone that stands in the bridge with her; `null` while she hears the holding prompt. */
  readonly bridgedWith: LegId | null;
}
export interface Ended extends Common {
  readonly phase: 'resolved' | 'released';
  readonly activatedAt: Instant | null;
  /** Her devices' addresses of record: their endpoints go with the last leg. */
  readonly aors: readonly AddressOfRecord[];
  readonly endedAt: Instant;
  readonly endedBy: string;
  /** Kept for the record and the card. */
  readonly operatorId: OperatorId | null;
  readonly webrtcSessionId: LegId | null;
  readonly fallback: Fallback | null;
  readonly degradedReason: string | null;
  readonly alerts: readonly Alert[];
  /** Legs still going down; new ones that turn up are hung up. */
  readonly legs: readonly Leg[];
}

export type Live = Connecting | Active | FallbackActive | PhoneConnected;
export type Session = Arming | Live | Ended;
export type Phase = Session['phase'];

export function isLive(session: Session): session is Live {
  switch (session.phase) {
    case 'connecting':
    case 'degraded':
    case 'active':
    case 'phone-fallback-active':
    case 'phone-connected':
      return true;
    case 'arming':
    case 'resolved':
    case 'released':
      return false;
  }
}

/** Any of her devices can be reached. */
export function isReachable({ devices }: Pick<LiveFacts, 'devices'>): boolean {
  return devices.some((device) => device.online);
}

export function fallbackOf(session: Session): Fallback | null {
  return 'fallback' in session ? session.fallback : null;
}
