/** What is written down and told of a leg, whatever the call makes of it. */
import type { Instant } from '../ids.ts';
import type { CallLeg } from './call.ts';
import type { CallCommand, LegEnd } from './command.ts';
import type { CallLegEvent } from './event.ts';

/** The call detail record's line for an event; nothing for what is recorded elsewhere. */
export function recordOf(event: CallLegEvent, at: Instant): readonly CallCommand[] {
  const { legId } = event;
  switch (event.type) {
    case 'pbx.ringing':
      return [{ type: 'leg.record', legId, change: { state: 'ringing', at } }];
    case 'pbx.progress':
      return [{ type: 'leg.record', legId, change: { state: 'progress', at } }];
    case 'pbx.answered':
      return [{ type: 'leg.record', legId, change: { state: 'answered', trunk: event.trunk ?? null, at } }];
    case 'pbx.carrier-reference':
      return [
        {
          type: 'leg.record',
          legId,
          change: { state: 'carrier-reference', try: event.try ?? 1, callId: event.callId, at },
        },
      ];
    case 'pbx.tried':
      return [
        { type: 'leg.record', legId, change: { state: 'tried', try: event.try, trunk: event.trunk, at } },
      ];
    case 'pbx.try-ended': {
      const { try: number, trunk, outcome, sipStatus, q850 } = event;
      const change = { state: 'try-ended', try: number, trunk, at, outcome, sipStatus, q850 } as const;
      return [{ type: 'leg.record', legId, change }];
    }
    case 'pbx.ended':
    case 'pbx.overloaded':
      return [];
  }
}

/** `ended`: it was connected, or we gave it up ourselves; anything else has failed. */
export function newsOfEnd({ kind: leg, id: legId }: CallLeg, end: LegEnd): CallCommand {
  const event = end.outcome === 'completed' || end.outcome === 'cancelled' ? 'ended' : 'failed';
  return { type: 'call.publish', event, leg, legId, end };
}

/** How a leg ended that we left, and of which the engine says nothing. */
export function leftByUs({ ending }: CallLeg): LegEnd {
  return { outcome: ending?.as ?? 'lost', sipStatus: null, q850: null };
}
