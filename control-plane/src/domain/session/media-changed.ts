/** Packets that begin, stop and return on a leg, and what the operator's end says of them. */
import type { Instant } from '../ids.ts';
import { heard } from './confirm-active.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { EventOf } from './event.ts';
import { ignored } from './ignored.ts';
import type { Live } from './session.ts';
import * as stream from './stream.ts';

export function mediaChanged(
  session: Live,
  event: EventOf<
    | 'media.first-packet'
    | 'media.streaming'
    | 'media.lost'
    | 'media.back'
    | 'media.sound'
    | 'panel.heard'
    | 'panel.silent'
  >,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  const leg = draft.leg(event.legId);
  if (!leg || leg.ending) return ignored(session);
  switch (event.type) {
    case 'media.first-packet':
      break;
    case 'media.streaming':
    case 'media.back':
      if (leg.kind !== 'citizen-app' || (leg.streaming && !session.stream.lost)) return ignored(session);
      stream.streaming(draft, leg);
      break;
    case 'media.lost':
      stream.mediaLost(draft, leg.id);
      break;
    case 'media.sound':
      if (!event.talking || leg.kind !== 'citizen-app' || leg.sound) return ignored(session);
      stream.soundHeard(draft, leg);
      break;
    case 'panel.heard':
      if (leg.kind !== 'operator-app' || leg.state !== 'answered' || leg.party.role === 'citizen')
        return ignored(session);
      // Told again each second: nothing new, and no row in the record.
      if (leg.party.operatorId !== event.operatorId) return ignored(session);
      if (session.stream.heardBy === leg.id && session.reoffer) stream.heardAgain(draft, leg);
      else if (!heard(draft, leg)) return ignored(session);
      break;
    case 'panel.silent':
      if (session.stream.heardBy !== leg.id || session.reoffer) return ignored(session);
      stream.operatorSilent(draft, leg);
      break;
  }
  return draft.seal();
}
