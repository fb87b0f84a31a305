/** One statement that writes everything an event changes: state, chained events, personal facts, timers, legs, feed. */
import { randomBytes } from 'node:crypto';
import type { QueryConfig } from 'pg';
import type { Instant } from '../../domain/ids.ts';
import { isLive } from '../../domain/session/session.ts';
import type { Session } from '../../domain/session/session.ts';
import type { Fence } from '../../ports/lease.ts';
import type { SessionWrite } from '../../ports/session-store.ts';
import { canonicalJson, jsonText, storableText } from '../../evidence/canonical-json.ts';
import { chainHash, personalHash } from '../../evidence/event-chain.ts';
import { timestampText, timestampTextOrNull } from './instant.ts';
import { legRecords, partyId } from './leg-record.ts';
import type { LegRecord } from './leg-record.ts';
import { legColumns, trunkColumns } from './leg-values.ts';
import { sessionRecord } from './session-columns.ts';
import { SESSION_WRITE_SQL } from './session-write-sql.ts';

export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
}

export interface PreparedWrite {
  readonly statement: QueryConfig;
  readonly head: ChainHead;
}

/** The statement for a write that continues the chain at `head`, and the chain's head after it. */
export function prepareWrite(write: SessionWrite, head: ChainHead, fence: Fence): PreparedWrite {
  const events = chainedEvents(write, head);
  const newHead = events.at(-1) ?? head;
  const values = [
    ...sessionValues(write, head, { seq: newHead.seq, hash: newHead.hash }),
    ...eventValues(events),
    ...personalValues(events),
    ...timerValues(write),
    ...legValues(legRecords(write.legs)),
    write.feed.map((draft) => draft.type),
    write.feed.map((draft) => jsonText(draft.detail)),
    fence.lease,
    fence.node,
    fence.epoch,
    sessionRecord(write.after).handedTo,
    ...trunkColumns(legRecords(write.legs)),
    write.outbox.map((draft) => draft.type),
    write.outbox.map((draft) => timestampText(draft.at)),
    write.outbox.map((draft) => jsonText(draft.data)),
  ];
  return {
    statement: { name: 'session-write', text: SESSION_WRITE_SQL, values },
    head: { seq: newHead.seq, hash: newHead.hash },
  };
}

interface ChainedEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: Instant;
  readonly event: string;
  readonly personal: { readonly salt: Buffer; readonly facts: PersonalFacts } | null;
  readonly personalHash: Buffer | null;
  readonly hash: Buffer;
}
type PersonalFacts = NonNullable<SessionWrite['events'][number]['personal']>;

function chainedEvents(write: SessionWrite, head: ChainHead): readonly ChainedEvent[] {
  let { seq, hash } = head;
  return write.events.map(({ event, at, personal }) => {
    const beside = personal && { salt: randomBytes(32), facts: withFinitePosition(personal) };
    const hashed = beside && personalHash(beside.salt, beside.facts);
    seq += 1;
    hash = chainHash(hash, { seq, type: event.type, at, event, personalHash: hashed });
    return {
      seq,
      type: event.type,
      at,
      event: canonicalJson(event),
      personal: beside,
      personalHash: hashed,
      hash,
    };
  });
}

/** A position that is no number is none: it must not cost the SOS its record. */
function withFinitePosition(facts: PersonalFacts): PersonalFacts {
  const { location } = facts;
  if (!location || (Number.isFinite(location.latitude) && Number.isFinite(location.longitude))) return facts;
  return { ...facts, location: null };
}

function sessionValues(write: SessionWrite, before: ChainHead, head: ChainHead): unknown[] {
  const { after } = write;
  const record = sessionRecord(after);
  return [
    after.id,
    after.citizenId,
    after.deviceId,
    after.zoneId,
    after.phase,
    timestampText(after.createdAt),
    timestampTextOrNull(record.activatedAt),
    record.operatorId,
    record.webrtcSessionId,
    record.degradedReason === null ? null : storableText(record.degradedReason),
    timestampTextOrNull(record.fallback?.failedAt ?? null),
    timestampTextOrNull(record.fallback?.initiatedAt ?? null),
    record.fallback ? storableText(record.fallback.callReference) : null,
    record.fallback?.reason ?? null,
    timestampTextOrNull(record.end?.at ?? null),
    record.end ? storableText(record.end.by) : null,
    after.phase === 'resolved' ? timestampText(after.endedAt) : null,
    timestampText(write.at),
    head.seq,
    head.hash,
    jsonText(after),
    write.before === null ? -1 : before.seq,
  ];
}

function eventValues(events: readonly ChainedEvent[]): unknown[] {
  return [
    events.map((one) => one.seq),
    events.map((one) => one.type),
    events.map((one) => timestampText(one.at)),
    events.map((one) => one.event),
    events.map((one) => one.personalHash),
    events.map((one) => one.hash),
  ];
}

function personalValues(events: readonly ChainedEvent[]): unknown[] {
  const rows = events.flatMap(({ seq, personal }) => (personal ? [{ seq, ...personal }] : []));
  return [
    rows.map((row) => row.seq),
    rows.map((row) => row.salt),
    rows.map((row) => row.facts.location?.latitude ?? null),
    rows.map((row) => row.facts.location?.longitude ?? null),
    rows.map((row) => row.facts.location?.accuracyM ?? null),
    rows.map((row) => (row.facts.claimed ? canonicalJson(row.facts.claimed) : null)),
  ];
}

/** Setting a timer wins over clearing it; an ended session keeps none but those set now. */
function timerValues(write: SessionWrite): unknown[] {
  const set = new Map(write.timersSet.map(({ timer, dueAt }) => [timer, dueAt]));
  const cleared = write.timersCleared.filter((timer) => !set.has(timer));
  return [[...set.keys()], [...set.values()].map(timestampText), cleared, isEnded(write.after)];
}

function isEnded(session: Session): boolean {
  return session.phase !== 'arming' && !isLive(session);
}

function legValues(records: readonly LegRecord[]): unknown[] {
  return [
    records.map((leg) => leg.id),
    records.map((leg) => leg.kind),
    records.map((leg) => leg.attempt),
    records.map((leg) => leg.party?.role ?? null),
    records.map((leg) => (leg.party ? partyId(leg.party) : null)),
    ...legColumns(records),
  ];
}
