/** What webhooks tell of one change of a call (TEL-3): in the shape in which they tell of an SOS's telephone legs. */
import { isLiveCall, legOf } from '../../domain/call/call.ts';
import type { Call } from '../../domain/call/call.ts';
import type { CallCommand } from '../../domain/call/command.ts';
import type { Instant } from '../../domain/ids.ts';
import type { CallEventType, OutboxDraft } from '../../ports/outbox.ts';

/** Of the first party exactly one `call.ended` or `call.failed` is told, and it is the call's own last word. */
export function callOutboxOf(
  before: Call | null,
  after: Call,
  at: Instant,
  commands: readonly CallCommand[],
): readonly OutboxDraft[] {
  return commands.flatMap((command): OutboxDraft[] => {
    if (command.type !== 'call.publish') return [];
    const { event, leg, legId, end } = command;
    const isEnd = event === 'ended' || event === 'failed';
    const was = legOf(after, legId) ?? (before && legOf(before, legId));
    const answeredAt = was?.answeredAt ?? null;
    return [
      {
        type: `call.${event}` satisfies CallEventType,
        at,
        data: {
          callId: after.id,
          leg,
          legId,
          state: after.state,
          trunk: was?.trunk ?? null,
          ...(isEnd
            ? {
                reason: leg === 'call-to' && !isLiveCall(after) ? after.reason : null,
                ...(end ? { outcome: end.outcome } : {}),
                sipStatus: end?.sipStatus ?? null,
                q850: end?.q850 ?? null,
                durationMs: answeredAt === null ? null : Math.round(at - answeredAt),
              }
            : {}),
        },
      },
    ];
  });
}
