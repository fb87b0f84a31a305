/** What the core orders after a decision. Each is repeatable under its own id. */
import type { AddressOfRecord, AppLegKind, BridgeId, Instant, LegId, OperatorId } from '../ids.ts';
import type { LegOutcome, Party } from './leg.ts';
import type { TimerName } from './event.ts';
import type { AlertKind } from './session.ts';

/** Carried out by the engine after the commit. */
export type PbxCommand =
  | {
      readonly type: 'pbx.dial-app';
      readonly legId: LegId;
      readonly kind: AppLegKind;
      readonly aor: AddressOfRecord;
      readonly ringTimeoutMs: number;
    }
  | {
      readonly type: 'pbx.dial-phone';
      readonly legId: LegId;
      readonly party: Party;
      readonly ringTimeoutMs: number;
      /** Tries that this leg has behind it (a process before this one made them); absent: none. */
      readonly triesBefore?: number;
    }
  | {
      readonly type: 'pbx.hangup';
      readonly legId: LegId;
      readonly reason: 'normal' | 'no-answer' | 'cancelled' | 'stream-won' | 'phone-won' | 'session-ended';
    }
  | {
      readonly type: 'pbx.join';
      readonly bridgeId: BridgeId;
      readonly legId: LegId;
      readonly voice: 'speaks' | 'listens' | 'both';
    }
  | { readonly type: 'pbx.close-bridge'; readonly bridgeId: BridgeId }
  | { readonly type: 'pbx.hold'; readonly legId: LegId }
  /** "Press 1 to take the call", until it is joined or ended. */
  | { readonly type: 'pbx.ask-acceptance'; readonly legId: LegId }
  | { readonly type: 'pbx.watch-media'; readonly legId: LegId }
  /** The session is over and its legs are gone: the device's endpoint goes too. */
  | { readonly type: 'pbx.remove-endpoint'; readonly aor: AddressOfRecord };

/** Written in the deciding transaction. */
export type TimerCommand =
  | { readonly type: 'timer.set'; readonly timer: TimerName; readonly dueAt: Instant }
  | { readonly type: 'timer.clear'; readonly timer: TimerName };

/** Answered inside the deciding transaction by a `roster.*` event. */
export type RosterCommand =
  | { readonly type: 'roster.assign'; readonly exclude: readonly OperatorId[] }
  | { readonly type: 'roster.chain'; readonly first: OperatorId | null }
  /** Who can take her over: `to`, or the next one. `by`: with a panel that is there, or with a duty phone. */
  | {
      readonly type: 'roster.hand-over';
      readonly to: OperatorId | null;
      readonly by: 'panel' | 'phone';
      readonly exclude: readonly OperatorId[];
    };

/** Facts for the records and the outside, written in the deciding transaction. */
export type RecordCommand =
  | {
      readonly type: 'feed.publish';
      readonly event: FeedEventName;
      readonly detail: Readonly<Record<string, string | number | boolean | null>>;
    }
  | { readonly type: 'alert.raise'; readonly kind: AlertKind }
  | { readonly type: 'leg.record'; readonly legId: LegId; readonly change: LegChange };

export type LegChange =
  | { readonly state: 'dialing'; readonly party: Party; readonly at: Instant }
  | { readonly state: 'ringing' | 'progress'; readonly at: Instant }
  /** `trunk` null: an app, or not known. */
  | { readonly state: 'answered'; readonly trunk: string | null; readonly at: Instant }
  | {
      readonly state: 'carrier-reference';
      readonly try: number;
      readonly callId: string;
      readonly at: Instant;
    }
  | { readonly state: 'tried'; readonly try: number; readonly trunk: string; readonly at: Instant }
  | {
      readonly state: 'try-ended';
      readonly try: number;
      readonly trunk: string;
      readonly at: Instant;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  | {
      readonly state: 'ended';
      readonly at: Instant;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    };

export type Command = PbxCommand | TimerCommand | RosterCommand | RecordCommand;

export type FeedEventName =
  | 'sos.activated'
  | 'sos.folded'
  | 'sos.assigned'
  | 'sos.queued'
  | 'sos.offered'
  | 'sos.streaming'
  | 'sos.heard'
  | 'sos.active'
  | 'sos.sound'
  | 'sos.degraded'
  | 'sos.retried'
  | 'sos.media-lost'
  | 'phone-fallback-active'
  | 'phone-fallback-retracted'
  | 'phone.ringing'
  | 'phone.answered'
  | 'phone.accepted'
  | 'phone.ended'
  | 'phone-connected'
  | 'sos.reoffered'
  | 'sos.hand-over'
  | 'sos.handed-over'
  | 'sos.hand-over-failed'
  | 'sos.listening'
  | 'sos.listening-ended'
  | 'sos.alert'
  | 'sos.alert-acknowledged'
  | 'sos.resolved';
