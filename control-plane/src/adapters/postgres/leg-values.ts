/** Call detail records and their tries as arrays, one per column: so a statement has one text however many there are. */
import { storableText } from '../../evidence/canonical-json.ts';
import { timestampTextOrNull } from './instant.ts';
import type { LegRecord } from './leg-record.ts';

/** Of a leg: dialled, ringing, progress, answered, ended, outcome, SIP status, Q.850, carrier's Call-ID. */
export function legColumns(records: readonly LegRecord[]): unknown[] {
  return [
    records.map((leg) => timestampTextOrNull(leg.dialledAt)),
    records.map((leg) => timestampTextOrNull(leg.ringingAt)),
    records.map((leg) => timestampTextOrNull(leg.progressAt)),
    records.map((leg) => timestampTextOrNull(leg.answeredAt)),
    records.map((leg) => timestampTextOrNull(leg.end?.at ?? null)),
    records.map((leg) => leg.end?.outcome ?? null),
    records.map((leg) => leg.end?.sipStatus ?? null),
    records.map((leg) => leg.end?.q850 ?? null),
    records.map((leg) => (leg.carrierCallId === null ? null : storableText(leg.carrierCallId))),
  ];
}

/** By which trunk each leg went, and every try of it. */
export function trunkColumns(records: readonly LegRecord[]): unknown[] {
  const tries = records.flatMap(({ id, tries: of }) =>
    [...of].map(([number, one]) => ({ id, number, ...one })),
  );
  return [
    records.map((leg) => leg.trunk),
    tries.map((one) => one.id),
    tries.map((one) => one.number),
    tries.map((one) => one.trunk),
    tries.map((one) => timestampTextOrNull(one.dialledAt)),
    tries.map((one) => (one.carrierCallId === null ? null : storableText(one.carrierCallId))),
    tries.map((one) => timestampTextOrNull(one.end?.at ?? null)),
    tries.map((one) => one.end?.outcome ?? null),
    tries.map((one) => one.end?.sipStatus ?? null),
    tries.map((one) => one.end?.q850 ?? null),
  ];
}
