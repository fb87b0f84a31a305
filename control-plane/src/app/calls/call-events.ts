/** Engine events in the words of a call. */
import { parseCallLegId } from '../../domain/ids.ts';
import type { CallId } from '../../domain/ids.ts';
import type { CallEvent } from '../../domain/call/event.ts';
import type { PbxEvent } from '../../ports/pbx-driver.ts';

/** The call that an engine event belongs to and what it means there; `null`: it is about no call. */
export function callEventOf(event: PbxEvent): { readonly callId: CallId; readonly event: CallEvent } | null {
  const leg = 'legId' in event ? parseCallLegId(event.legId) : null;
  const meant = leg && meaningOf(event);
  return leg && meant ? { callId: leg.callId, event: meant } : null;
}

function meaningOf(event: PbxEvent): CallEvent | null {
  switch (event.type) {
    case 'leg.ringing':
      return { type: 'pbx.ringing', legId: event.legId };
    case 'leg.progress':
      return { type: 'pbx.progress', legId: event.legId };
    case 'leg.answered': {
      const { legId, trunk } = event;
      return { type: 'pbx.answered', legId, ...(trunk === undefined ? {} : { trunk }) };
    }
    case 'leg.ended': {
      const { legId, outcome, sipStatus, q850 } = event;
      return { type: 'pbx.ended', legId, outcome, sipStatus, q850 };
    }
    case 'leg.carrier-reference': {
      const { legId, callId, try: number } = event;
      return {
        type: 'pbx.carrier-reference',
        legId,
        callId,
        ...(number === undefined ? {} : { try: number }),
      };
    }
    case 'leg.tried':
      return { type: 'pbx.tried', legId: event.legId, try: event.try, trunk: event.trunk };
    case 'leg.try-ended': {
      const { legId, try: number, trunk, outcome, sipStatus, q850 } = event;
      return { type: 'pbx.try-ended', legId, try: number, trunk, outcome, sipStatus, q850 };
    }
    case 'leg.key-pressed':
    case 'leg.bridged':
    case 'media.first-packet':
    case 'media.streaming':
    case 'media.lost':
    case 'media.back':
    case 'media.sound':
    case 'contact.online':
    case 'contact.offline':
    case 'trunk.up':
    case 'trunk.down':
    case 'call.unexpected':
    case 'engine.lost':
    case 'engine.replaced':
    case 'engine.back':
      return null;
  }
}
