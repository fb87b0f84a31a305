/** Everything that one turn of a call writes down: one event, or several that came while it waited. */
import type { Call } from '../../domain/call/call.ts';
import type { CallCommand } from '../../domain/call/command.ts';
import type { CallEvent, CallTimer } from '../../domain/call/event.ts';
import type { Instant } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallPersonal, CallWrite, StoredCall } from '../../ports/call-store.ts';
import { callOutboxOf } from './call-outbox.ts';

/** What a transaction found, beside the events that follow. */
export interface CallFound {
  readonly before: StoredCall | null;
  readonly personal?: CallPersonal;
  readonly added?: PhoneNumber;
}

/** One event that was applied, and what it made of the call. */
export interface CallStep {
  readonly event: CallEvent;
  readonly at: Instant;
  readonly before: Call | null;
  readonly after: Call;
  readonly commands: readonly CallCommand[];
}

/** `null`: nothing was applied. */
export function callWriteOf(
  { before, personal, added }: CallFound,
  steps: readonly CallStep[],
): CallWrite | null {
  const last = steps.at(-1);
  if (!last) return null;
  const timers = timersOf(steps);
  const commands = steps.flatMap((step) => step.commands);
  return {
    before,
    after: last.after,
    at: last.at,
    timersSet: [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [] : [{ timer, dueAt }])),
    timersCleared: [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [timer] : [])),
    legs: commands.flatMap((command) =>
      command.type === 'leg.record' ? [{ legId: command.legId, change: command.change }] : [],
    ),
    outbox: steps.flatMap((step) => callOutboxOf(step.before, step.after, step.at, step.commands)),
    personal: personal ?? null,
    added: added ?? null,
  };
}

/** As they were set or cleared last; one that has fired is cleared unless it is set again. */
function timersOf(steps: readonly CallStep[]): ReadonlyMap<CallTimer, Instant | null> {
  const timers = new Map<CallTimer, Instant | null>();
  for (const { event, commands } of steps) {
    if (event.type === 'timer.due') timers.set(event.timer, null);
    for (const command of commands) {
      if (command.type === 'timer.set') timers.set(command.timer, command.dueAt);
      else if (command.type === 'timer.clear') timers.set(command.timer, null);
    }
  }
  return timers;
}
