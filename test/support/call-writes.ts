/** Calls as the reducer makes them, and what the loop would write of each event. */
import { randomUUID } from 'node:crypto';
import { callWriteOf } from '../../control-plane/src/app/calls/call-write-of.ts';
import type { Call } from '../../control-plane/src/domain/call/call.ts';
import type { CallEvent, NewCall } from '../../control-plane/src/domain/call/event.ts';
import { reduceCall } from '../../control-plane/src/domain/call/reduce-call.ts';
import type { CallId, CallLegKind, Instant, LegId } from '../../control-plane/src/domain/ids.ts';
import { callLegIdOf } from '../../control-plane/src/domain/ids.ts';
import { PhoneNumber } from '../../control-plane/src/domain/numbering/phone-number.ts';
import type { CallPersonal, CallStore, CallWrite } from '../../control-plane/src/ports/call-store.ts';

export const CALL_T0 = Date.UTC(2026, 10, 20, 9, 0, 0, 250) as Instant;

export function callAt(afterMs: number): Instant {
  return (CALL_T0 + afterMs) as Instant;
}

export function phoneNumber(text: string): PhoneNumber {
  const number = PhoneNumber.parse(text);
  if (!number) throw new Error('not E.164');
  return number;
}

export const TO = phoneNumber('+919810012300');
export const BRIDGE_TO = phoneNumber('+917000012400');

export function freshCallId(): CallId {
  return randomUUID() as CallId;
}

export function newCall(change: Partial<NewCall> & { readonly bridges?: number } = {}): NewCall {
  const { bridges = 1, ...rest } = change;
  return {
    id: freshCallId(),
    createdBy: 'backend:dispatch',
    purpose: 'call',
    plan: { bridges, bridgeWhen: 'answered', ringTimeoutMs: 30_000, maxDurationMs: 3_600_000 },
    ...rest,
  };
}

export function personalOf(change: Partial<CallPersonal> = {}): CallPersonal {
  return { numbers: [TO, BRIDGE_TO], callerId: null, metadata: { case: '4711' }, ...change };
}

export function toLeg(id: CallId, kind: CallLegKind = 'call-to', attempt = 1): LegId {
  return callLegIdOf(id, kind, attempt);
}

/** The first write of a call. */
export function creation(
  call: NewCall = newCall(),
  at: Instant = CALL_T0,
  personal: CallPersonal = personalOf(),
): CallWrite {
  const event: CallEvent = { type: 'api.created', call };
  const decision = reduceCall(null, event, at);
  if (!decision) throw new Error('a call did not begin');
  const { call: after, commands } = decision;
  const write = callWriteOf({ before: null, personal }, [{ event, at, before: null, after, commands }]);
  if (!write) throw new Error('a call that begins is written');
  return write;
}

/** Writes what follows from one event after the other. */
export async function happen(
  store: CallStore,
  id: CallId,
  events: readonly (readonly [afterMs: number, event: CallEvent])[],
): Promise<Call> {
  let last: Call | null = null;
  for (const [afterMs, event] of events) {
    last = await store.transact(async (tx) => {
      const before = await tx.load(id);
      if (!before) throw new Error('no such call');
      const decision = reduceCall(before.call, event, callAt(afterMs));
      if (!decision) throw new Error('a call has no answer');
      const step = { event, at: callAt(afterMs), before: before.call, after: decision.call };
      const steps = decision.verdict === 'applied' ? [{ ...step, commands: decision.commands }] : [];
      const write = callWriteOf({ before }, steps);
      if (write) await tx.apply(write);
      return decision.call;
    });
  }
  if (!last) throw new Error('nothing happened');
  return last;
}
