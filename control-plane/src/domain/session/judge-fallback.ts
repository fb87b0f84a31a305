/** The verdicts on the watchdog and on what follows it: FB-1, FB-2, FB-5 to FB-9. */
import { LIMITS } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import type { Way } from './way.ts';

const NO_FALLBACK = 'there was no fallback';

export function judgeFallback(way: Way): readonly Verdict[] {
  const initiated = way.first('fallback-initiated');
  const watch = watchdog(way, initiated);
  if (initiated === null)
    return [
      watch,
      way.skipped('FB-2', LIMITS.fallbackMs, NO_FALLBACK),
      way.skipped('FB-5', LIMITS.fallbackToldMs, NO_FALLBACK),
      way.skipped('FB-6', way.session.policy.citizenRingMs + LIMITS.lateMs, NO_FALLBACK),
      way.skipped('FB-7', way.session.policy.citizenRingMs, NO_FALLBACK),
      way.skipped('FB-8', LIMITS.releaseMs, NO_FALLBACK),
      way.skipped('FB-9', LIMITS.releaseMs, NO_FALLBACK),
    ];
  return [
    watch,
    called(way, initiated),
    toldOfFallback(way, initiated),
    unanswered(way, initiated),
    chain(way, initiated),
    streamWon(way, initiated),
    phoneWon(way),
  ];
}

/** FB-1: cleared without a trace when the stream stands in time; due at its time when it does not. */
function watchdog(way: Way, initiated: number | null): Verdict {
  const id = 'FB-1';
  const { watchdogMs } = way.session.policy;
  const limitMs = watchdogMs + LIMITS.lateMs;
  const { active } = way;
  const due = way.first('watchdog-due');
  if (active !== null && active < watchdogMs && (due === null || due > active)) {
    const isClean = initiated === null || initiated > active;
    const reason = isClean ? 'the stream stood in time: cleared' : 'a fallback began before the stream stood';
    return { id, limitMs, valueMs: null, ok: isClean ? true : null, reason };
  }
  if (initiated !== null && (due === null || initiated < due))
    return way.skipped(id, limitMs, 'signalling errors began the fallback before the deadline');
  const resolved = way.first('resolved');
  if (due === null && resolved !== null && resolved <= limitMs)
    return way.skipped(id, limitMs, 'it was resolved before the deadline');
  return way.within(id, limitMs, due);
}

/** FB-2: from the deadline (or the error that did not wait for it) to the INVITE towards the carrier. */
function called(way: Way, initiated: number): Verdict {
  const { fallbackMs } = LIMITS;
  const due = way.first('watchdog-due');
  const trigger = due !== null && due <= initiated ? due : initiated;
  const invited = way.first('citizen-phone-invited', trigger);
  if (invited !== null) return way.within('FB-2', fallbackMs, invited - trigger);
  if (!way.has('citizen-phone-ended') && !way.has('citizen-phone-ringing'))
    return way.skipped('FB-2', fallbackMs, 'her phone was not to be called');
  const rang = way.first('citizen-phone-ringing', trigger);
  return way.within('FB-2', fallbackMs, rang === null ? null : rang - trigger);
}

function toldOfFallback(way: Way, initiated: number): Verdict {
  const told = way.first('fallback-told', initiated);
  if (told === null && !way.has('panel-told'))
    return way.skipped('FB-5', LIMITS.fallbackToldMs, 'no panel was there to be told');
  return way.within('FB-5', LIMITS.fallbackToldMs, told === null ? null : told - initiated);
}

/** FB-6: an unanswered call is known as such (and the supervisor alerted) when its ring timeout is over. */
function unanswered(way: Way, initiated: number): Verdict {
  const id = 'FB-6';
  const limitMs = way.session.policy.citizenRingMs + LIMITS.lateMs;
  if (way.has('citizen-phone-answered')) return way.skipped(id, limitMs, 'she answered');
  const invited = way.first('citizen-phone-invited', initiated);
  if (invited === null) return way.skipped(id, limitMs, 'her phone was not called');
  const { active } = way;
  if (active !== null && active <= invited + limitMs)
    return way.skipped(id, limitMs, 'the stream came first');
  const resolved = way.first('resolved');
  if (resolved !== null && resolved <= invited + limitMs)
    return way.skipped(id, limitMs, 'it was resolved while her phone rang');
  const ends = [way.first('citizen-ring-due', initiated), way.first('citizen-phone-ended', initiated)];
  const known = ends.filter((one) => one !== null);
  return way.within(id, limitMs, known.length === 0 ? null : Math.min(...known) - initiated);
}

/** FB-7: when the first duty phone is not answered, the next is, or all were tried, within her ring timeout. */
function chain(way: Way, initiated: number): Verdict {
  const id = 'FB-7';
  const limitMs = way.session.policy.citizenRingMs;
  const answered = way.first('operator-phone-answered', initiated);
  const failed = way.first('operator-phone-ended', initiated);
  if (answered !== null && (failed === null || answered < failed))
    return way.skipped(id, limitMs, 'the first duty phone was answered');
  if (failed === null && !way.isOver) return way.skipped(id, limitMs, 'it has not happened yet');
  if (failed === null) return way.skipped(id, limitMs, 'no duty phone ended unanswered');
  const { active } = way;
  if (answered === null && active !== null) return way.skipped(id, limitMs, 'the stream came first');
  const lastTried = way.last(/^operator-phone-ended$/, initiated) ?? failed;
  return way.within(id, limitMs, (answered ?? lastTried) - initiated);
}

/** FB-8: the stream stood before she answered: her phone is released. */
function streamWon(way: Way, initiated: number): Verdict {
  const id = 'FB-8';
  const { active } = way;
  const answered = way.first('citizen-phone-answered', initiated);
  if (active === null || active < initiated || (answered !== null && answered < active))
    return way.skipped(id, LIMITS.releaseMs, 'the stream did not come back before the call');
  if (!way.has('citizen-phone-invited')) return way.skipped(id, LIMITS.releaseMs, 'her phone was not called');
  const gone = way.last(/^citizen-phone-ended$/, initiated);
  return way.within(id, LIMITS.releaseMs, gone === null ? null : Math.max(0, gone - active));
}

/** FB-9: the phones are joined: nothing of the WebRTC attempt is left. */
function phoneWon(way: Way): Verdict {
  const id = 'FB-9';
  const bridged = way.first('phone-bridged');
  if (bridged === null) return way.skipped(id, LIMITS.releaseMs, 'the phones were not joined');
  const stood = (['citizen-app', 'operator-app'] as const).filter(
    (kind) => way.countUntil(`${kind}-answered`, bridged) > way.countUntil(`${kind}-ended`, bridged),
  );
  if (stood.length === 0) return way.skipped(id, LIMITS.releaseMs, 'no WebRTC leg stood any more');
  const gone = stood.map((kind) => way.first(`${kind}-ended`, bridged));
  const last = gone.includes(null) ? null : Math.max(...gone.map((one) => one ?? bridged));
  return way.within(id, LIMITS.releaseMs, last === null ? null : last - bridged);
}
