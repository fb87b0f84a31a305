/** The verdicts on the way from the press to the stream: RTC-1, RTC-2, RTC-5, RTC-6, RTC-7, and time to voice. */
import { LIMITS } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import type { Way } from './way.ts';

const NO_DEVICE = 'her device was never registered';
const LATE_DEVICE = 'her device was not registered when she pressed';

export function judgeStream(way: Way): readonly Verdict[] {
  return [...offered(way), active(way), assigned(way), told(way), retried(way), voice(way)];
}

/** RTC-1 twice (decision 4): from the activation, and from the moment her device could be called. */
function offered(way: Way): readonly Verdict[] {
  const { offerMs } = LIMITS;
  const { contact } = way;
  const offer = way.first('offer-sent');
  const fromContact = 'RTC-1-from-contact';
  if (contact === null && offer === null)
    return [way.skipped('RTC-1', offerMs, NO_DEVICE), way.skipped(fromContact, offerMs, NO_DEVICE)];
  const wasThere = contact === null || contact === 0;
  return [
    wasThere ? way.within('RTC-1', offerMs, offer) : way.skipped('RTC-1', offerMs, LATE_DEVICE, offer),
    way.within(fromContact, offerMs, offer === null ? null : offer - (contact ?? 0)),
  ];
}

function active(way: Way): Verdict {
  const { contact } = way;
  if (contact === null && !way.has('offer-sent')) return way.skipped('RTC-2', LIMITS.activeMs, NO_DEVICE);
  if (contact !== null && contact > 0) return way.skipped('RTC-2', LIMITS.activeMs, LATE_DEVICE, way.active);
  return way.within('RTC-2', LIMITS.activeMs, way.active);
}

/** Nobody free: an operator within the threshold, or the supervisor's alert at it. */
function assigned(way: Way): Verdict {
  const id = 'RTC-5';
  const limitMs = way.session.policy.noOperatorAlertMs + LIMITS.lateMs;
  const queued = way.first('queued');
  if (queued === null) return way.skipped(id, limitMs, 'an operator was free');
  const ends = [
    way.first('operator-assigned', queued),
    way.first('no-operator-due', queued),
    // Nobody waits for an operator any more.
    way.first('phone-bridged', queued),
    way.first('resolved', queued),
  ].filter((one) => one !== null);
  return way.within(id, limitMs, ends.length === 0 ? null : Math.min(...ends) - queued);
}

/** By the feed; a panel that hears her has been told, even if the note of it was lost. */
function told(way: Way): Verdict {
  const at = way.first('panel-told') ?? way.first('heard');
  if (at === null && !way.has('operator-assigned'))
    return way.skipped('RTC-6', LIMITS.panelToldMs, 'no operator was on shift');
  return way.within('RTC-6', LIMITS.panelToldMs, at);
}

/** The retry at 3 s, or at once after a signalling error. */
function retried(way: Way): Verdict {
  const id = 'RTC-7';
  const { firstRetryMs } = way.session.policy;
  const limitMs = firstRetryMs + LIMITS.lateMs;
  const { active: confirmed, contact } = way;
  if (confirmed !== null && confirmed <= firstRetryMs)
    return way.skipped(id, limitMs, 'the stream stood in time');
  if (contact === null && !way.has('offer-sent')) return way.skipped(id, limitMs, NO_DEVICE);
  const resolved = way.first('resolved');
  if (resolved !== null && resolved <= firstRetryMs)
    return way.skipped(id, limitMs, 'it was resolved before');
  const failed = way.first('citizen-app-ended');
  const due = way.first('retry-due');
  const at = failed !== null && (due === null || failed < due) ? failed : due;
  return way.within(id, limitMs, at);
}

/** From the press until somebody could hear her, whichever way came first. The seeds name no limit for it. */
function voice(way: Way): Verdict {
  const id = 'time-to-voice';
  const ways = [way.active, way.first('phone-bridged')].filter((one) => one !== null);
  if (ways.length > 0) {
    const valueMs = Math.round(Math.min(...ways) * 100) / 100;
    return { id, limitMs: null, valueMs, ok: true, reason: null };
  }
  if (!way.isOver) return way.skipped(id, null, 'it has not happened yet');
  return { id, limitMs: null, valueMs: null, ok: false, reason: 'nobody ever heard her' };
}
