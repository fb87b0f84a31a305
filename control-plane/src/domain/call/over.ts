/** After the end only its legs matter: what still comes up is hung up, what ends is struck off. */
import type { Instant } from '../ids.ts';
import { legOf } from './call.ts';
import type { CallLeg, Over } from './call.ts';
import { CLEARING_MS, unchanged } from './call-draft.ts';
import type { CallDecision } from './call-draft.ts';
import type { CallCommand, LegEnd } from './command.ts';
import type { CallEvent, CallLegEvent } from './event.ts';
import { leftByUs, newsOfEnd, recordOf } from './leg-news.ts';

export function reduceOver(call: Over, event: CallEvent, at: Instant): CallDecision {
  switch (event.type) {
    case 'api.created':
    case 'api.hung-up':
      return unchanged(call);
    case 'api.hold-requested':
    case 'api.unhold-requested':
    case 'api.transfer-requested':
      return unchanged(call, 'refused');
    case 'timer.due':
      return event.timer === 'clear' ? clear(call, at) : unchanged(call);
    case 'pbx.ringing':
    case 'pbx.progress':
    case 'pbx.answered':
    case 'pbx.ended':
    case 'pbx.carrier-reference':
    case 'pbx.tried':
    case 'pbx.try-ended':
    case 'pbx.overloaded':
      return legChanged(call, event, at);
  }
}

function legChanged(call: Over, event: CallLegEvent, at: Instant): CallDecision {
  const leg = legOf(call, event.legId);
  const hangup: CallCommand = { type: 'pbx.hangup', legId: event.legId, reason: 'cancelled' };
  switch (event.type) {
    case 'pbx.ended':
      return leg ? gone(call, [[leg, event]], at) : unchanged(call);
    case 'pbx.overloaded':
      return leg ? gone(call, [[leg, leftByUs(leg)]], at) : unchanged(call);
    case 'pbx.ringing':
    case 'pbx.answered':
    case 'pbx.tried': {
      const record = leg ? recordOf(event, at) : [];
      return { call, commands: [...record, hangup], verdict: leg ? 'applied' : 'ignored' };
    }
    case 'pbx.progress':
    case 'pbx.carrier-reference':
    case 'pbx.try-ended':
      return leg ? { call, commands: recordOf(event, at), verdict: 'applied' } : unchanged(call);
  }
}

/** The engine never told that they have gone: they are hung up once more, and count as lost. */
function clear(call: Over, at: Instant): CallDecision {
  const late = call.legs.filter(({ ending }) => (ending?.since ?? at) + CLEARING_MS <= at);
  const hangups = late.map(({ id: legId }): CallCommand => ({ type: 'pbx.hangup', legId, reason: 'normal' }));
  const cleared = gone(
    call,
    late.map((leg) => [leg, leftByUs(leg)]),
    at,
  );
  return { ...cleared, commands: [...hangups, ...cleared.commands] };
}

function gone(call: Over, ends: readonly (readonly [CallLeg, LegEnd])[], at: Instant): CallDecision {
  const legs = call.legs.filter((leg) => !ends.some(([{ id }]) => id === leg.id));
  const due = Math.min(...legs.map(({ ending }) => ending?.since ?? at)) + CLEARING_MS;
  const told = ends.flatMap(([leg, { outcome, sipStatus, q850 }]): CallCommand[] => {
    const end = { outcome, sipStatus, q850 };
    const change = { state: 'ended', at, ...end } as const;
    return [
      { type: 'leg.record', legId: leg.id, change },
      ...(leg.kind === 'call-bridge-to' ? [newsOfEnd(leg, end)] : []),
    ];
  });
  return {
    call: { ...call, legs },
    commands: [
      ...told,
      legs.length === 0
        ? { type: 'timer.clear', timer: 'clear' }
        : { type: 'timer.set', timer: 'clear', dueAt: due as Instant },
    ],
    verdict: 'applied',
  };
}
