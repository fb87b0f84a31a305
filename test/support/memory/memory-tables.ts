/** What the fake keeps, by table. Values are copies: nobody changes them from outside. */
import type { Location } from '../../../control-plane/src/contracts/common.ts';
import type {
  AddressOfRecord,
  CitizenId,
  Instant,
  OperatorId,
  SessionId,
  ZoneId,
} from '../../../control-plane/src/domain/ids.ts';
import { isLive } from '../../../control-plane/src/domain/session/session.ts';
import type { Citizen, Operator, RosterEntry, Zone } from '../../../control-plane/src/ports/directory.ts';
import type {
  DueTimer,
  FeedRow,
  StoredEvent,
  StoredSession,
} from '../../../control-plane/src/ports/session-store.ts';
import type { RevocationOrder } from '../../../control-plane/src/ports/revocations.ts';
import type { TicketGrant } from '../../../control-plane/src/ports/tickets.ts';

export interface ClaimedKey {
  readonly bodyHash: string;
  readonly sessionId: SessionId;
  readonly claimedAt: Instant;
}

export class MemoryTables {
  readonly citizens = new Map<CitizenId, Citizen>();
  readonly operators = new Map<OperatorId, Operator>();
  readonly zones = new Map<ZoneId, Zone>();
  readonly roster = new Map<ZoneId, readonly RosterEntry[]>();
  readonly shifts = new Map<
    AddressOfRecord,
    { readonly operatorId: OperatorId; readonly onShift: boolean; readonly since: Instant }
  >();
  readonly contacts = new Map<AddressOfRecord, { readonly online: boolean; readonly since: Instant }>();
  readonly sessions = new Map<SessionId, StoredSession>();
  readonly events = new Map<SessionId, readonly StoredEvent[]>();
  readonly locations = new Map<SessionId, Location>();
  /** By session and timer. */
  readonly timers = new Map<string, DueTimer>();
  readonly feed = new Map<number, FeedRow>();
  readonly keys = new Map<string, ClaimedKey>();
  readonly tickets = new Map<string, { readonly grant: TicketGrant; readonly expiresAt: Instant }>();
  readonly revocations = new Map<string, RevocationOrder>();
  /** Last number drawn; transactions that drew since some number and are still open. */
  feedDrawn = 0;
  readonly feedGates = new Map<object, number>();

  /** Below it no feed row can appear any more. */
  feedHorizon(): number {
    return Math.min(this.feedDrawn, ...this.feedGates.values());
  }
}

export function isOpen({ session }: StoredSession): boolean {
  return session.phase === 'arming' || isLive(session);
}

export function operatorOf({ session }: StoredSession): OperatorId | null {
  if ('operatorId' in session) return session.operatorId;
  if (!('assignment' in session) || session.assignment?.state !== 'assigned') return null;
  return session.assignment.operatorId;
}

/** Who is to take it over. */
export function handedTo({ session }: StoredSession): OperatorId | null {
  return isLive(session) ? (session.handOver?.to.operatorId ?? null) : null;
}

/** As a column of a database would give it back. */
export function copied<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
