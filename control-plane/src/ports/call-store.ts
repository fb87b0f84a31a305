/**
 * The durable home of calls. Everything that one event changes is written by one `apply` in one transaction, under the
 * core's lease like a session's. Its connections are calls' own, so that no call takes one from an SOS. Errors throw `StoreError`.
 */
import type { Call, CallState } from '../domain/call/call.ts';
import type { CallLegChange } from '../domain/call/command.ts';
import type { CallTimer } from '../domain/call/event.ts';
import type { CallId, CallLegKind, Instant, LegId, LegKind, SessionId } from '../domain/ids.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { LegOutcome } from '../domain/session/leg.ts';
import type { OutboxDraft } from './outbox.ts';

export interface StoredCall {
  readonly call: Call;
  /** Number of its last change, counted from 1. */
  readonly seq: number;
}

/** What stands beside a call and can be erased. */
export interface CallPersonal {
  /** By place. */
  readonly numbers: readonly PhoneNumber[];
  readonly callerId: PhoneNumber | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface KnownCall extends StoredCall {
  /** `null`: erased, or past its time. */
  readonly personal: CallPersonal | null;
}

/** One reduced event with everything it changes. */
export interface CallWrite {
  readonly before: StoredCall | null;
  readonly after: Call;
  readonly at: Instant;
  readonly timersSet: readonly { readonly timer: CallTimer; readonly dueAt: Instant }[];
  readonly timersCleared: readonly CallTimer[];
  readonly legs: readonly { readonly legId: LegId; readonly change: CallLegChange }[];
  readonly outbox: readonly OutboxDraft[];
  /** Of a new call. */
  readonly personal: CallPersonal | null;
  /** Who has got the next place. */
  readonly added: PhoneNumber | null;
}

export type ClaimedCallKey =
  { readonly seen: 'fresh' } | { readonly seen: 'same' | 'other-body'; readonly callId: CallId };

/** Calls are performed in the order in which they are made; those made together share a round trip. */
export interface CallTx {
  /** Row locked, or `null`. */
  load(callId: CallId): Promise<StoredCall | null>;
  /** Who has which place; empty once they are erased. */
  numbers(callId: CallId): Promise<readonly PhoneNumber[]>;
  /** Remembers a key of this caller for 24 h; held to the end of the transaction. */
  claimKey(caller: string, key: string, bodyHash: string, callId: CallId): Promise<ClaimedCallKey>;
  /** `before` is what this transaction loaded. Returns the new seq. Setting a timer wins over clearing it. */
  apply(write: CallWrite): Promise<number>;
}

export interface CallFilter {
  /** `null`: anybody. */
  readonly createdBy: string | null;
  readonly states: readonly CallState[];
  /** Created at or after, and before. */
  readonly since: Instant | null;
  readonly until: Instant | null;
  /** Calls of this caller whose metadata says this under this key. */
  readonly metadata: { readonly createdBy: string; readonly key: string; readonly value: string } | null;
  /** The id to continue after. */
  readonly before: CallId | null;
  readonly limit: number;
}

/** One telephone leg, of an SOS or of a call (TEL-11). Never a number. */
export interface CallRecord {
  readonly legId: LegId;
  readonly owner:
    { readonly kind: 'session'; readonly id: SessionId } | { readonly kind: 'call'; readonly id: CallId };
  readonly kind: LegKind | CallLegKind;
  readonly attempt: number;
  readonly trunk: string | null;
  readonly dialledAt: Instant;
  readonly progressAt: Instant | null;
  readonly ringingAt: Instant | null;
  readonly answeredAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly outcome: LegOutcome | null;
  readonly sipStatus: number | null;
  readonly q850: number | null;
  /** The carrier's Call-ID. */
  readonly carrierCallId: string | null;
  readonly tries: readonly CallTryRecord[];
}

/** One channel on one trunk. */
export interface CallTryRecord {
  readonly try: number;
  readonly trunk: string;
  readonly dialledAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly outcome: LegOutcome | null;
  readonly sipStatus: number | null;
  readonly q850: number | null;
  readonly carrierCallId: string | null;
}

export interface CallRecordFilter {
  /** Dialled at or after, and before. */
  readonly since: Instant | null;
  readonly until: Instant | null;
  /** That answered it, or was tried. */
  readonly trunk: string | null;
  readonly outcome: LegOutcome | null;
  /** A session's or a call's id. */
  readonly owner: string | null;
  /** The leg to continue after. */
  readonly before: LegId | null;
  readonly limit: number;
}

export interface CallStore {
  /**
   * Commits what `work` called, or throws and has changed nothing. `work` need not wait for its last calls. Serialisation
   * conflicts are retried inside, at most 3 times.
   */
  transact<T>(work: (tx: CallTx) => Promise<T>): Promise<T>;
  find(callId: CallId): Promise<KnownCall | null>;
  /** Newest first. */
  list(filter: CallFilter): Promise<readonly KnownCall[]>;
  /** Calls that are not over, and those of the last day whose legs still go down; oldest first. */
  listUnfinished(limit: number): Promise<readonly StoredCall[]>;
  timers(limit: number): Promise<readonly DueCallTimer[]>;
  /** Newest first. */
  records(filter: CallRecordFilter): Promise<readonly CallRecord[]>;
  /** Numbers and metadata of calls that ended before `at`. Returns how many calls lost theirs. */
  dropPersonalBefore(at: Instant): Promise<number>;
  /** Keys past their life. */
  dropExpiredKeys(now: Instant): Promise<number>;
}

export interface DueCallTimer {
  readonly callId: CallId;
  readonly timer: CallTimer;
  readonly dueAt: Instant;
}
