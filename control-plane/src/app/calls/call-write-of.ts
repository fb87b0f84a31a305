/** Everything that one decided event of a call writes down. */
import type { Call } from '../../domain/call/call.ts';
import type { CallCommand } from '../../domain/call/command.ts';
import type { CallEvent, CallTimer } from '../../domain/call/event.ts';
import type { Instant } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallPersonal, CallWrite, StoredCall } from '../../ports/call-store.ts';
import { callOutboxOf } from './call-outbox.ts';

/** What a transaction found, and the event that follows from it. */
export interface CallFound {
  readonly before: StoredCall | null;
  readonly event: CallEvent;
  readonly personal?: CallPersonal;
  readonly added?: PhoneNumber;
}

export function callWriteOf(
  { before, event, personal, added }: CallFound,
  after: Call,
  at: Instant,
  commands: readonly CallCommand[],
): CallWrite {
  const timers = new Map<CallTimer, Instant | null>();
  if (event.type === 'timer.due') timers.set(event.timer, null);
  for (const command of commands) {
    if (command.type === 'timer.set') timers.set(command.timer, command.dueAt);
    else if (command.type === 'timer.clear') timers.set(command.timer, null);
  }
  return {
    before,
    after,
    at,
    timersSet: [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [] : [{ timer, dueAt }])),
    timersCleared: [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [timer] : [])),
    legs: commands.flatMap((command) =>
      command.type === 'leg.record' ? [{ legId: command.legId, change: command.change }] : [],
    ),
    outbox: callOutboxOf(before?.call ?? null, after, at, commands),
    personal: personal ?? null,
    added: added ?? null,
  };
}
