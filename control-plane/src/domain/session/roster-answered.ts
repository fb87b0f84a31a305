/** Who is there: what the roster answered or changed to, and contacts that came or went. */
import type { Instant } from '../ids.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { EventOf } from './event.ts';
import { ignored } from './ignored.ts';
import * as chain from './operator-chain.ts';
import { operatorBack } from './reoffer.ts';
import type { Live } from './session.ts';
import * as stream from './stream.ts';

export function contactChanged(
  session: Live,
  event: EventOf<'contact.online' | 'contact.offline'>,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  if (!session.devices.some((device) => device.aor === event.aor))
    return event.type === 'contact.online' && operatorBack(draft, event.aor)
      ? draft.seal()
      : ignored(session);
  if (event.type === 'contact.online') stream.citizenContactOnline(draft, event.aor);
  else stream.citizenContactOffline(draft, event.aor);
  return draft.seal();
}

export function rosterAnswered(
  session: Live,
  event: EventOf<'roster.assigned' | 'roster.nobody-free' | 'roster.chain-found' | 'roster.changed'>,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  switch (event.type) {
    case 'roster.assigned':
      // A duty phone was joined to her between the question and this: she is his.
      if (draft.hasVoice) return ignored(session);
      draft.change({
        assignment: { state: 'assigned', operatorId: event.operatorId, aor: event.aor, since: at },
      });
      draft.publish('sos.assigned', { operatorId: event.operatorId });
      stream.operatorAssigned(draft);
      break;
    case 'roster.nobody-free':
      if (session.assignment?.state === 'queued' || draft.hasVoice) return ignored(session);
      draft.change({ assignment: { state: 'queued', since: at }, triedOperators: [] });
      draft.publish('sos.queued', {});
      draft.setTimer('no-operator', session.policy.noOperatorAlertMs);
      break;
    case 'roster.chain-found':
      chain.chainFound(draft, event.chain);
      break;
    case 'roster.changed':
      if (session.assignment?.state === 'assigned') return ignored(session);
      draft.order({ type: 'roster.assign', exclude: [] });
      break;
  }
  return draft.seal();
}
