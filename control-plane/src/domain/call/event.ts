/** What can happen to a call: past facts, named by their source. */
import type { CallId, LegId } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';
import type { CallPlan, Place } from './call.ts';

export interface NewCall {
  readonly id: CallId;
  readonly createdBy: string;
  readonly purpose: string;
  readonly plan: CallPlan;
}

/** `to-*`: of the first party; `other-*`: of whoever is called to be joined with it, one at a time. */
export type CallTimer =
  | 'to-queue'
  | 'to-retry'
  | 'to-ring'
  | 'other-queue'
  | 'other-retry'
  | 'other-ring'
  | 'max-duration'
  /** A leg that was hung up has not said that it has gone. */
  | 'clear';
export const CALL_TIMERS: readonly CallTimer[] = [
  'to-queue',
  'to-retry',
  'to-ring',
  'other-queue',
  'other-retry',
  'other-ring',
  'max-duration',
  'clear',
];

export type CallEvent =
  | { readonly type: 'api.created'; readonly call: NewCall }
  | { readonly type: 'api.hung-up' }
  | { readonly type: 'api.hold-requested' }
  | { readonly type: 'api.unhold-requested' }
  /** `place`: of somebody who was called before, or the next free one. */
  | { readonly type: 'api.transfer-requested'; readonly place: Place }
  | { readonly type: 'pbx.ringing'; readonly legId: LegId }
  | { readonly type: 'pbx.progress'; readonly legId: LegId }
  | { readonly type: 'pbx.answered'; readonly legId: LegId; readonly trunk?: string }
  | {
      readonly type: 'pbx.ended';
      readonly legId: LegId;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  | {
      readonly type: 'pbx.carrier-reference';
      readonly legId: LegId;
      readonly try?: number;
      readonly callId: string;
    }
  | { readonly type: 'pbx.tried'; readonly legId: LegId; readonly try: number; readonly trunk: string }
  | {
      readonly type: 'pbx.try-ended';
      readonly legId: LegId;
      readonly try: number;
      readonly trunk: string;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  /** No trunk has room for it now; nothing was dialled. */
  | { readonly type: 'pbx.overloaded'; readonly legId: LegId }
  | { readonly type: 'timer.due'; readonly timer: CallTimer };

export type CallEventOf<Type extends CallEvent['type']> = Extract<CallEvent, { type: Type }>;
/** What is told of one leg. */
export type CallLegEvent = Extract<CallEvent, { readonly legId: LegId }>;
