/**
 * What the requirements say of one session: each that it can be judged by, with limit, value and verdict. Judged by
 * milestones alone, so that the ledger can be judged again when the events are gone.
 */
import { judgeFallback } from './judge-fallback.ts';
import { judgeStream } from './judge-stream.ts';
import type { Milestone } from './timeline.ts';
import { LIMITS } from './verdict.ts';
import type { JudgedSession, Verdict } from './verdict.ts';
import { Way } from './way.ts';

export function judge(session: JudgedSession, milestones: readonly Milestone[]): readonly Verdict[] {
  const way = new Way(session, milestones);
  if (!way.wasActivated) return [neverActivated(way)];
  return [...judgeStream(way), ...judgeFallback(way), released(way)];
}

/** FB-10: a press that was released before it counted never calls anybody. */
function neverActivated(way: Way): Verdict {
  const called = ['citizen-phone-invited', 'citizen-phone-ringing', 'citizen-phone-answered'].some((name) =>
    way.has(name),
  );
  return { id: 'FB-10', limitMs: null, valueMs: null, ok: !called, reason: null };
}

/** RTC-9: after the end nothing of the session is left in the engine. */
function released(way: Way): Verdict {
  const id = 'RTC-9';
  const resolved = way.first('resolved');
  if (resolved === null)
    return { id, limitMs: LIMITS.releaseMs, valueMs: null, ok: null, reason: 'it is still open' };
  const lastGone = way.last(/^(citizen|operator)-(app|phone)-ended$/, resolved);
  const isClear = way.session.standingLegs === 0;
  return way.within(id, LIMITS.releaseMs, isClear ? (lastGone ?? resolved) - resolved : null);
}
