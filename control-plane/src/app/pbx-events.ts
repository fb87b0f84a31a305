/** Engine events in the words of a session. */
import { parseBridgeId, parseLegId } from '../domain/ids.ts';
import type { SessionId } from '../domain/ids.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import type { PbxEvent } from '../ports/pbx-driver.ts';

/** The session that an engine event belongs to and what it means there; `null`: it is not about one session. */
export function sessionEventOf(
  event: PbxEvent,
): { readonly sessionId: SessionId; readonly event: SessionEvent } | null {
  switch (event.type) {
    case 'leg.ringing':
      return ofLeg(event.legId, { type: 'pbx.ringing', legId: event.legId });
    case 'leg.progress':
      return ofLeg(event.legId, { type: 'pbx.progress', legId: event.legId });
    case 'leg.answered':
      return ofLeg(event.legId, {
        type: 'pbx.answered',
        legId: event.legId,
        ...(event.trunk === undefined ? {} : { trunk: event.trunk }),
      });
    case 'leg.tried':
      return ofLeg(event.legId, {
        type: 'pbx.tried',
        legId: event.legId,
        try: event.try,
        trunk: event.trunk,
      });
    case 'leg.try-ended': {
      const { legId, try: number, trunk, outcome, sipStatus, q850 } = event;
      return ofLeg(legId, { type: 'pbx.try-ended', legId, try: number, trunk, outcome, sipStatus, q850 });
    }
    case 'leg.key-pressed':
      return ofLeg(event.legId, { type: 'pbx.key-pressed', legId: event.legId, key: event.key });
    case 'leg.ended': {
      const { legId, outcome, sipStatus, q850 } = event;
      return ofLeg(legId, { type: 'pbx.ended', legId, outcome, sipStatus, q850 });
    }
    case 'leg.carrier-reference':
      return ofLeg(event.legId, {
        type: 'pbx.carrier-reference',
        legId: event.legId,
        ...(event.try === undefined ? {} : { try: event.try }),
        callId: event.callId,
      });
    case 'leg.bridged': {
      const bridge = parseBridgeId(event.bridgeId);
      const { bridgeId, legIds, technology } = event;
      return (
        bridge && {
          sessionId: bridge.sessionId,
          event: { type: 'pbx.bridged', bridgeId, legIds, technology },
        }
      );
    }
    case 'media.first-packet':
    case 'media.streaming':
    case 'media.lost':
    case 'media.back':
      return ofLeg(event.legId, { type: event.type, legId: event.legId });
    case 'media.sound':
      return ofLeg(event.legId, { type: 'media.sound', legId: event.legId, talking: event.talking });
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

function ofLeg(legId: string, event: SessionEvent): { sessionId: SessionId; event: SessionEvent } | null {
  const leg = parseLegId(legId);
  return leg && { sessionId: leg.sessionId, event };
}
