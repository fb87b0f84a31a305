/** A leg's call detail record, folded from the changes that one write brings. */
import type { CallLegChange } from '../../domain/call/command.ts';
import { parseCallLegId, parseLegId } from '../../domain/ids.ts';
import type { CallLegKind, Instant, LegId, LegKind } from '../../domain/ids.ts';
import type { LegChange } from '../../domain/session/command.ts';
import type { LegOutcome, Party } from '../../domain/session/leg.ts';

export interface LegRecord {
  readonly id: LegId;
  readonly kind: LegKind | CallLegKind;
  readonly attempt: number;
  /** Of a session's leg. */
  party: Party | null;
  /** Of a call's leg. */
  place: number | null;
  dialledAt: Instant | null;
  ringingAt: Instant | null;
  progressAt: Instant | null;
  answeredAt: Instant | null;
  end: {
    readonly at: Instant;
    readonly outcome: LegOutcome;
    readonly sipStatus: number | null;
    readonly q850: number | null;
  } | null;
  carrierCallId: string | null;
  /** By which it was answered; until then, and if never, the last one tried. */
  trunk: string | null;
  tries: Map<number, TryRecord>;
}

/** One try on one trunk; what a write does not tell is null. */
export interface TryRecord {
  trunk: string | null;
  dialledAt: Instant | null;
  carrierCallId: string | null;
  end: LegRecord['end'];
}

/** One record per leg, in the order of their first change. Of doubled facts the first stands. */
export function legRecords(
  changes: readonly { readonly legId: LegId; readonly change: LegChange | CallLegChange }[],
): readonly LegRecord[] {
  const records = new Map<LegId, LegRecord>();
  for (const { legId, change } of changes) {
    const record = records.get(legId) ?? emptyRecord(legId);
    records.set(legId, record);
    note(record, change);
  }
  return [...records.values()];
}

export function partyId(party: Party): string {
  return party.role === 'citizen' ? party.citizenId : party.operatorId;
}

function emptyRecord(legId: LegId): LegRecord {
  const parsed = parseLegId(legId) ?? parseCallLegId(legId);
  if (!parsed) throw new Error('a leg id that names no leg');
  return {
    id: legId,
    kind: parsed.kind,
    attempt: parsed.attempt,
    party: null,
    place: null,
    dialledAt: null,
    ringingAt: null,
    progressAt: null,
    answeredAt: null,
    end: null,
    carrierCallId: null,
    trunk: null,
    tries: new Map(),
  };
}

function note(record: LegRecord, change: LegChange | CallLegChange): void {
  switch (change.state) {
    case 'dialing':
      if ('party' in change) record.party ??= change.party;
      else record.place ??= change.place;
      record.dialledAt ??= change.at;
      return;
    case 'ringing':
      record.ringingAt ??= change.at;
      return;
    case 'progress':
      record.progressAt ??= change.at;
      return;
    case 'answered':
      record.answeredAt ??= change.at;
      record.trunk = change.trunk ?? record.trunk;
      return;
    case 'carrier-reference':
      record.carrierCallId ??= change.callId;
      tryOf(record, change.try).carrierCallId ??= change.callId;
      return;
    case 'tried': {
      const one = tryOf(record, change.try);
      one.trunk ??= change.trunk;
      one.dialledAt ??= change.at;
      if (record.answeredAt === null) record.trunk = change.trunk;
      return;
    }
    case 'try-ended': {
      const one = tryOf(record, change.try);
      one.trunk ??= change.trunk;
      one.end ??= change;
      return;
    }
    case 'ended':
      record.end ??= change;
      return;
  }
}

function tryOf(record: LegRecord, number: number): TryRecord {
  const known = record.tries.get(number);
  if (known) return known;
  const fresh: TryRecord = { trunk: null, dialledAt: null, carrierCallId: null, end: null };
  record.tries.set(number, fresh);
  return fresh;
}
