/** What staff ask of a live session beside ending it: hand-over, join, listening in, an alert taken note of. */
import type { Instant } from '../ids.ts';
import { acknowledgeAlert } from './alerts.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { EventOf } from './event.ts';
import { askForNext, beginHandOver, mayHandOver } from './hand-over.ts';
import { ignored, refused } from './ignored.ts';
import { listen, stopListening } from './listen.ts';
import type { Live } from './session.ts';

/** What staff may ask of a session beside ending it. Who may ask is judged outside, but for who has her (decision 23). */
export function staffAsked(
  session: Live,
  event: EventOf<
    | 'api.transfer-requested'
    | 'api.join-requested'
    | 'api.listen-requested'
    | 'api.listen-ended'
    | 'roster.hand-over-found'
    | 'roster.hand-over-nobody'
  >,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  switch (event.type) {
    case 'api.transfer-requested':
      if (!mayHandOver(draft, event.asker)) return refused(session);
      askForNext(draft, event.to);
      break;
    case 'api.join-requested': {
      const { operatorId, role } = event;
      if (!mayHandOver(draft, role === 'operator' ? operatorId : null)) return refused(session);
      if (!beginHandOver(draft, { role, operatorId }, event.aor)) return refused(session);
      break;
    }
    case 'api.listen-requested':
      if (!listen(draft, event.operatorId, event.aor)) return refused(session);
      break;
    case 'api.listen-ended':
      if (!stopListening(draft, event.operatorId)) return ignored(session);
      break;
    case 'roster.hand-over-found': {
      const { operatorId, aor, acceptance } = event;
      const to = { role: 'operator', operatorId, ...(acceptance ? { acceptance } : {}) } as const;
      if (!beginHandOver(draft, to, aor)) return ignored(session);
      break;
    }
    case 'roster.hand-over-nobody':
      return ignored(session);
  }
  return draft.seal();
}

export function acknowledge(
  session: Live,
  event: EventOf<'panel.alert-acknowledged'>,
  at: Instant,
): Decision {
  const draft = new Draft(session, at);
  return acknowledgeAlert(draft, event.kind, event.by) ? draft.seal() : ignored(session);
}
