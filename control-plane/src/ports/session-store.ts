/**
 * The durable home of sessions. Everything that one event changes is written by one `apply` in one transaction:
 * state, event row (hash-chained), timers, legs, feed rows. Errors throw `StoreError`.
 */
import type {
  AddressOfRecord,
  CitizenId,
  Instant,
  LegId,
  OperatorId,
  SessionId,
  ZoneId,
} from '../domain/ids.ts';
import type { Location } from '../contracts/common.ts';
import type { FeedEventName, LegChange } from '../domain/session/command.ts';
import type { SessionEvent, TimerName } from '../domain/session/event.ts';
import type { Party } from '../domain/session/leg.ts';
import type { Session } from '../domain/session/session.ts';
import type { OutboxDraft } from './outbox.ts';
import type { FreeOperator } from '../domain/routing/choose-operator.ts';

export interface StoredSession {
  readonly session: Session;
  /** Number of its last event; 0 before the first. */
  readonly seq: number;
}

export interface FeedDraft {
  readonly type: FeedEventName;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** One reduced event with everything it changes. */
export interface SessionWrite {
  readonly before: StoredSession | null;
  readonly after: Session;
  readonly at: Instant;
  /**
   * The event rows, in order. `event` holds no personal data beyond pseudonymous ids; what is personal stands in
   * `personal`, beside the chain (salted hash in the chain, data in a row that can be erased).
   */
  readonly events: readonly {
    readonly event: SessionEvent;
    readonly at: Instant;
    readonly personal: PersonalFacts | null;
  }[];
  readonly timersSet: readonly { readonly timer: TimerName; readonly dueAt: Instant }[];
  readonly timersCleared: readonly TimerName[];
  readonly legs: readonly { readonly legId: LegId; readonly change: LegChange }[];
  readonly feed: readonly FeedDraft[];
  /** What webhooks tell of it. */
  readonly outbox: readonly OutboxDraft[];
}

export interface PersonalFacts {
  readonly location: Location | null;
  /** What the client claimed: recorded, never trusted. At most 2 kB. */
  readonly claimed: Readonly<Record<string, unknown>> | null;
}

export interface FeedRow {
  /** 0: not numbered yet. The store is away; the row comes again with its number when it is back. */
  readonly seq: number;
  readonly sessionId: SessionId;
  readonly sessionSeq: number;
  readonly type: FeedEventName;
  readonly at: Instant;
  readonly zoneId: ZoneId | null;
  readonly detail: FeedDraft['detail'];
  /** The session's state after this change. */
  readonly session: Session;
  readonly location: Location | null;
}

/** Calls are performed in the order in which they are made; independent ones made together share a round trip. */
export interface SessionTx {
  /** Serialises everything about one citizen's activations; held to the end of the transaction. */
  lockCitizen(citizenId: CitizenId): Promise<void>;
  /** Her open or arming session, row locked, or `null`. */
  findOpen(citizenId: CitizenId): Promise<StoredSession | null>;
  /** Row locked, or `null`. */
  load(sessionId: SessionId): Promise<StoredSession | null>;
  /** Operators on duty for this zone (a `null` zone: everybody on duty), rows locked in id order, with their load. */
  dutyOperators(zoneId: ZoneId | null, at: Instant): Promise<readonly FreeOperator[]>;
  /**
   * How many others than this citizen have pressed in this zone and wait for an operator. Asked after `dutyOperators`, whose
   * locks keep the answer true until the transaction ends.
   */
  waiting(zoneId: ZoneId | null, citizenId: CitizenId): Promise<number>;
  /** Duty phones for this zone in roster order, the supervisor last. */
  dutyPhones(zoneId: ZoneId | null, at: Instant): Promise<readonly Party[]>;
  /**
   * Writes everything; `before` is what this transaction loaded. Returns the new seq and the feed rows as readers will
   * see them. Their numbers grow inside a session; between sessions, a lower one may commit later (`feedAfter`).
   * Setting a timer wins over clearing it; an ended session keeps only what is set now.
   */
  apply(write: SessionWrite): Promise<{ readonly seq: number; readonly feed: readonly FeedRow[] }>;
  /**
   * Remembers an idempotency key. `fresh`: first time. `same`: the same body before. `other-body`: another body.
   * Keys are scoped to the citizen and kept for 24 h.
   */
  claimIdempotencyKey(
    citizenId: CitizenId,
    key: string,
    bodyHash: string,
    sessionId: SessionId,
  ): Promise<
    { readonly seen: 'fresh' } | { readonly seen: 'same' | 'other-body'; readonly sessionId: SessionId }
  >;
}

export interface DueTimer {
  readonly sessionId: SessionId;
  readonly timer: TimerName;
  readonly dueAt: Instant;
}

export interface SessionStore {
  /**
   * Commits what `work` called, or throws and has changed nothing. `work` need not wait for its last calls: they are
   * performed before the commit, and one that fails undoes everything. Serialisation conflicts are retried inside, at
   * most 3 times.
   */
  transact<T>(work: (tx: SessionTx) => Promise<T>): Promise<T>;
  find(sessionId: SessionId): Promise<StoredSession | null>;
  /** Open and arming sessions, and those of the last day whose legs still go down; oldest first, at most `limit`. */
  listOpen(limit: number): Promise<readonly StoredSession[]>;
  /**
   * Sessions newest first; `before` is the id to continue after. Of these zones (one of no zone is in every zone), or
   * open and assigned to `operatorId`; all, where `zones` is null, but those of the zone `except`.
   */
  list(filter: {
    readonly open: boolean | null;
    readonly zones: readonly ZoneId[] | null;
    readonly operatorId?: OperatorId | null;
    readonly except?: ZoneId | null;
    readonly before: SessionId | null;
    readonly limit: number;
  }): Promise<readonly StoredSession[]>;
  location(sessionId: SessionId): Promise<Location | null>;
  /** Every timer of open sessions due before `until`, at most `limit`. */
  timers(until: Instant | null, limit: number): Promise<readonly DueTimer[]>;
  /** A session's events from the first on, at most `limit`. */
  events(sessionId: SessionId, limit: number): Promise<readonly StoredEvent[]>;
  /** Feed rows after `seq` in order, at most `limit`. A row is visible only when no lower one can appear any more. */
  feedAfter(seq: number, limit: number): Promise<readonly FeedRow[]>;
  /** At and below it no row can appear any more: from here a reader that knows the present misses nothing. */
  feedHead(): Promise<number>;
  /** Lowest seq still kept minus 1: a resume from below it gets a snapshot. */
  feedFloor(): Promise<number>;
  ping(deadlineMs: number): Promise<boolean>;
  /** Connections that nobody uses may be dead without saying so: the next work gets new ones. */
  renew(): void;
}

export interface StoredEvent {
  readonly seq: number;
  readonly at: Instant;
  readonly event: SessionEvent;
  readonly hash: string;
}

export type StoreErrorCode =
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_STORE_CONFLICT'
  | 'ERR_STORE_UNKNOWN_OUTCOME'
  /** Another node holds the lease: nothing was written, and nothing of this node will be. */
  | 'ERR_STORE_FENCED';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Who is where: kept in the database so that every node sees it. Writes are fenced like those of sessions. */
export interface PresenceStore {
  setFeedPresence(operatorId: OperatorId, aor: AddressOfRecord, onShift: boolean, at: Instant): Promise<void>;
  setContact(aor: AddressOfRecord, online: boolean, at: Instant): Promise<void>;
  contactOnline(aor: AddressOfRecord): Promise<boolean>;
  /** At the beginning of a tenure: of what was seen under this lease, nothing counts until it shows itself again. */
  clear(): Promise<void>;
}
