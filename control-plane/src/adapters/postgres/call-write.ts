/** One statement that writes everything that an event of a call changes. */
import type { QueryConfig } from 'pg';
import { isLiveCall } from '../../domain/call/call.ts';
import type { Fence } from '../../ports/lease.ts';
import type { CallWrite } from '../../ports/call-store.ts';
import { jsonText, storableText } from '../../evidence/canonical-json.ts';
import { timestampText, timestampTextOrNull } from './instant.ts';
import { legRecords } from './leg-record.ts';
import { legColumns, trunkColumns } from './leg-values.ts';
import { CALL_WRITE_SQL } from './call-write-sql.ts';

export function prepareCallWrite(
  write: CallWrite,
  { lease, node, epoch }: Fence,
): { readonly statement: QueryConfig; readonly seq: number } {
  const seq = (write.before?.seq ?? 0) + 1;
  const values = [
    lease,
    node,
    epoch,
    ...callValues(write, seq),
    ...personalValues(write),
    ...timerValues(write),
    ...legValues(write),
    write.outbox.map((draft) => draft.type),
    write.outbox.map((draft) => timestampText(draft.at)),
    write.outbox.map((draft) => jsonText(draft.data)),
  ];
  return { statement: { name: 'call-write', text: CALL_WRITE_SQL, values }, seq };
}

function callValues({ after, at }: CallWrite, seq: number): unknown[] {
  const over = isLiveCall(after) ? null : after;
  return [
    after.id,
    storableText(after.createdBy),
    storableText(after.purpose),
    after.state,
    over?.reason ?? null,
    timestampText(after.createdAt),
    timestampTextOrNull('answeredAt' in after ? after.answeredAt : null),
    timestampTextOrNull(over?.endedAt ?? null),
    timestampText(at),
    seq,
    jsonText(after),
  ];
}

function personalValues({ personal, added }: CallWrite): unknown[] {
  return [
    personal?.numbers.map((number) => number.reveal()) ?? null,
    personal?.callerId?.reveal() ?? null,
    jsonText(personal?.metadata ?? {}),
    added?.reveal() ?? null,
  ];
}

/** Setting a timer wins over clearing it; a call that is over keeps none but those set now. */
function timerValues({ after, timersSet, timersCleared }: CallWrite): unknown[] {
  const set = new Map(timersSet.map(({ timer, dueAt }) => [timer, dueAt]));
  const cleared = timersCleared.filter((timer) => !set.has(timer));
  const isAtRest = !isLiveCall(after) && after.legs.length === 0;
  return [[...set.keys()], [...set.values()].map(timestampText), cleared, isAtRest];
}

function legValues({ legs }: CallWrite): unknown[] {
  const records = legRecords(legs);
  const [trunks, ...tries] = trunkColumns(records);
  return [
    records.map((leg) => leg.id),
    records.map((leg) => leg.kind),
    records.map((leg) => leg.attempt),
    records.map((leg) => leg.place),
    ...legColumns(records),
    trunks,
    ...tries,
  ];
}
