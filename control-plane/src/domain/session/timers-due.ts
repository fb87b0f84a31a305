/** What each timer of a live session decides when it is due. One that no longer means anything is ignored. */
import type { Instant } from '../ids.ts';
import { repeatAlerts } from './alerts.ts';
import { Draft } from './draft.ts';
import type { Decision } from './draft.ts';
import type { EventOf } from './event.ts';
import * as fallback from './fallback.ts';
import { transferDue } from './hand-over.ts';
import { ignored } from './ignored.ts';
import * as chain from './operator-chain.ts';
import type { Live } from './session.ts';
import * as stream from './stream.ts';

export function timerDue(session: Live, timer: EventOf<'timer.due'>['timer'], at: Instant): Decision {
  const draft = new Draft(session, at);
  const connecting = session.phase === 'connecting' || session.phase === 'degraded';
  switch (timer) {
    case 'retry':
      if (!connecting || session.watchdogAt === null) return ignored(session);
      stream.retryDue(draft);
      break;
    case 'watchdog':
      if (session.watchdogAt === null || (!connecting && session.phase !== 'phone-fallback-active'))
        return ignored(session);
      stream.watchdogDue(draft);
      break;
    case 'no-operator':
      if (session.assignment?.state !== 'queued') return ignored(session);
      draft.raise('no-operator');
      // A shift may have begun by the clock alone.
      draft.order({ type: 'roster.assign', exclude: [] });
      break;
    case 'operator-reoffer':
      if (!session.reoffer) return ignored(session);
      stream.reofferDue(draft);
      break;
    case 'transfer':
      if (!session.handOver) return ignored(session);
      transferDue(draft);
      break;
    case 'citizen-ring':
      if (session.phase !== 'phone-fallback-active') return ignored(session);
      draft.hangupAll('citizen-phone', 'no-answer');
      fallback.citizenUnanswered(draft);
      break;
    case 'operator-ring':
      chain.operatorRingDue(draft);
      break;
    case 'citizen-redial':
      fallback.citizenRedialDue(draft);
      break;
    case 'hand-over':
      if (session.phase !== 'phone-connected') return ignored(session);
      fallback.handOverDue(draft);
      break;
    case 'alert-repeat':
      if (session.alertRepeatAt === null) return ignored(session);
      repeatAlerts(draft);
      break;
    case 'long-session':
      // Never a hang-up (decision 35).
      draft.raise('long-session');
      draft.setTimer('long-session', session.policy.maxSessionMs);
      break;
    case 'arming-expiry':
      return ignored(session);
  }
  return draft.seal();
}
