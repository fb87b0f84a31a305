/** What follows from a decision about a call. Orders are repeatable under their own ids. */
import type { BridgeId, CallLegKind, Instant, LegId } from '../ids.ts';
import type { LegChange } from '../session/command.ts';
import type { LegOutcome } from '../session/leg.ts';
import type { Place } from './call.ts';
import type { CallTimer } from './event.ts';

/** Carried out by the engine after the commit. */
export type CallOrder =
  | {
      readonly type: 'pbx.dial-phone';
      readonly legId: LegId;
      readonly place: Place;
      readonly ringTimeoutMs: number;
      /** Tries that this leg has behind it. */
      readonly triesBefore: number;
      /** The call is over by then, whatever happens: the engine ends the leg by itself should nobody be there to do it. */
      readonly overBy: Instant;
    }
  | {
      readonly type: 'pbx.hangup';
      readonly legId: LegId;
      readonly reason: 'normal' | 'no-answer' | 'cancelled';
    }
  | { readonly type: 'pbx.join'; readonly bridgeId: BridgeId; readonly legId: LegId }
  /** Whoever is in it hears nobody any more, and lives on. */
  | { readonly type: 'pbx.close-bridge'; readonly bridgeId: BridgeId }
  /** "Please hold", until it is joined or ended. */
  | { readonly type: 'pbx.hold'; readonly legId: LegId };

/** Written in the deciding transaction. */
export type CallRecordCommand =
  | { readonly type: 'timer.set'; readonly timer: CallTimer; readonly dueAt: Instant }
  | { readonly type: 'timer.clear'; readonly timer: CallTimer }
  | { readonly type: 'leg.record'; readonly legId: LegId; readonly change: CallLegChange }
  | {
      readonly type: 'call.publish';
      readonly event: CallNews;
      readonly leg: CallLegKind;
      readonly legId: LegId;
      readonly end: LegEnd | null;
    };

export type CallCommand = CallOrder | CallRecordCommand;

/** News of the first party are news of the call: exactly one of them is `ended` or `failed`, and it is the last. */
export type CallNews = 'ringing' | 'answered' | 'ended' | 'failed';

export interface LegEnd {
  readonly outcome: LegOutcome;
  readonly sipStatus: number | null;
  readonly q850: number | null;
}

export type CallLegChange =
  | { readonly state: 'dialing'; readonly place: Place; readonly at: Instant }
  | Exclude<LegChange, { readonly state: 'dialing' }>;
