/** A call and a call detail record as the API shows them. */
import type { CallRecordView, CallView } from '../../contracts/call-api.ts';
import { isLiveCall, talkOf } from '../../domain/call/call.ts';
import type { Call } from '../../domain/call/call.ts';
import type { Instant } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallRecord, KnownCall } from '../../ports/call-store.ts';
import { isoTime } from '../session-view.ts';

const MAX_LEGS = 20;

/** `isOwn`: the call is shown to who asked for it, numbers in clear. */
export function callViewOf({ call, seq, personal }: KnownCall, isOwn: boolean): CallView {
  const over = isLiveCall(call) ? null : call;
  const answeredAt = 'answeredAt' in call ? call.answeredAt : null;
  const shown = (number: PhoneNumber): string => (isOwn ? number.reveal() : number.toString());
  const [to, ...others] = personal?.numbers ?? [];
  return {
    id: call.id,
    state: call.state,
    talk: talkOf(call),
    seq,
    createdAt: isoTime(call.createdAt),
    answeredAt: timeOrNull(answeredAt),
    endedAt: timeOrNull(over?.endedAt ?? null),
    durationS: over && answeredAt !== null ? seconds(over.endedAt - answeredAt) : null,
    reason: over?.reason ?? null,
    code: over?.reason === 'no-capacity' ? 'ERR_CALL_NO_CAPACITY' : null,
    purpose: call.purpose,
    to: to ? shown(to) : null,
    bridgeTo: personal ? others.map(shown) : null,
    // Our own number: nobody's secret.
    callerId: personal?.callerId?.reveal() ?? null,
    bridgeWhen: call.plan.bridgeWhen,
    ringTimeoutS: call.plan.ringTimeoutMs / 1000,
    maxDurationS: call.plan.maxDurationMs / 1000,
    metadata: isOwn && personal ? { ...personal.metadata } : null,
    legs: legsOf(call),
  };
}

function legsOf({ legs }: Call): CallView['legs'] {
  return legs.slice(0, MAX_LEGS).map(({ id, kind, place, state, ending, trunk }) => ({
    legId: id,
    leg: kind,
    place,
    state: ending === null ? state : 'ending',
    trunk,
  }));
}

export function callRecordViewOf(record: CallRecord): CallRecordView {
  const { dialledAt, ringingAt, progressAt, answeredAt, endedAt, tries } = record;
  const first = [ringingAt, progressAt].filter((at) => at !== null);
  return {
    legId: record.legId,
    owner: { kind: record.owner.kind, id: record.owner.id },
    leg: record.kind,
    attempt: record.attempt,
    trunk: record.trunk,
    dialledAt: isoTime(dialledAt),
    ringingAt: timeOrNull(ringingAt),
    answeredAt: timeOrNull(answeredAt),
    endedAt: timeOrNull(endedAt),
    postDialDelayMs: first.length === 0 ? null : Math.round(Math.min(...first) - dialledAt),
    durationS: answeredAt === null || endedAt === null ? null : seconds(endedAt - answeredAt),
    outcome: record.outcome,
    sipStatus: record.sipStatus,
    q850: record.q850,
    carrierCallId: record.carrierCallId,
    attempts: tries.map((one) => ({
      try: one.try,
      trunk: one.trunk,
      dialledAt: timeOrNull(one.dialledAt),
      endedAt: timeOrNull(one.endedAt),
      outcome: one.outcome,
      sipStatus: one.sipStatus,
      q850: one.q850,
      carrierCallId: one.carrierCallId,
    })),
  };
}

function timeOrNull(at: Instant | null): string | null {
  return at === null ? null : isoTime(at);
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
