/** What the outside may ask of the gateway: the use cases that HTTP, feed and edge call. `app/` implements it. */
import type { Activated, Timeline } from '../contracts/sos-api.ts';
import type { Location, Role } from '../contracts/common.ts';
import type { SessionView } from '../contracts/session-view.ts';
import type {
  AddressOfRecord,
  CitizenId,
  ClientId,
  Instant,
  LegId,
  OperatorId,
  SessionId,
  ZoneId,
} from '../domain/ids.ts';
import type { ToldNews } from '../domain/session/event.ts';
import type { AlertKind, Session } from '../domain/session/session.ts';
import type { FeedRow } from './session-store.ts';

/** Who asks: from a verified token. */
export interface Caller {
  readonly role: Role;
  /** Citizen or operator id, or the backend's name. */
  readonly subject: string;
  /** Token id, for revocation; `null` when the token carries none. */
  readonly tokenId: string | null;
  /** When the token was issued, where it says so. */
  readonly issuedAt?: Instant | null;
}

/** As what somebody asked for is kept and logged under: whichever of his tokens he had. */
export function nameOf({ role, subject }: Caller): string {
  return `${role}:${subject}`;
}

/** Which of somebody's tokens this is: what is counted by it, another token of the same person does not use up. */
export function tokenOf({ role, subject, tokenId, issuedAt }: Caller): string {
  return `${role}:${subject}:${tokenId ?? `at ${issuedAt ?? 'any time'}`}`;
}

export type GatewayErrorCode =
  | 'ERR_SOS_NOT_FOUND'
  | 'ERR_SOS_FOREIGN'
  | 'ERR_SOS_PHASE'
  | 'ERR_SOS_OPERATOR_UNAVAILABLE'
  | 'ERR_SOS_PANEL_ABSENT'
  | 'ERR_SOS_REASON_REQUIRED'
  | 'ERR_SOS_CITIZEN_REQUIRED'
  | 'ERR_GATEWAY_BUSY'
  | 'ERR_GATEWAY_UNAVAILABLE';

export type GatewayResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: GatewayErrorCode; readonly detail: string };

export interface ActivateRequest {
  readonly citizenId: CitizenId;
  /** As received; anything may be wrong with it. */
  readonly deviceId: unknown;
  readonly location: unknown;
  readonly clientTime: unknown;
  /** The body was not a JSON object of the contract: served all the same, and flagged. */
  readonly bodyMalformed: boolean;
  readonly idempotencyKey: string | null;
  /** SHA-256 (hex) of the raw body, to tell a replay from another body under the same key. */
  readonly bodyHash: string;
  /** When the request arrived: t0. */
  readonly receivedAt: Instant;
}

export interface Gateway {
  activate(request: ActivateRequest): Promise<GatewayResult<Activated>>;
  arm(request: ActivateRequest): Promise<GatewayResult<Activated>>;
  activateArmed(caller: Caller, id: SessionId, receivedAt: Instant): Promise<GatewayResult<Activated>>;
  release(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>>;
  resolve(caller: Caller, id: SessionId, reason: string | null): Promise<GatewayResult<SessionView>>;
  redial(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>>;
  /** Hands her to `to`, or to the next one who is free (`null`). By who has her, or a supervisor of her zone. */
  transfer(
    caller: Caller,
    id: SessionId,
    to: OperatorId | null,
    reason: string | null,
  ): Promise<GatewayResult<SessionView>>;
  /** The caller's panel (`clientId` null: the newest) is called into her session. */
  join(caller: Caller, id: SessionId, clientId: ClientId | null): Promise<GatewayResult<SessionView>>;
  listen(caller: Caller, id: SessionId, clientId: ClientId | null): Promise<GatewayResult<SessionView>>;
  stopListening(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>>;
  /** A citizen sees her own session, without the operator's name or alerts; operators their zones; others all. */
  view(caller: Caller, id: SessionId): Promise<GatewayResult<SessionView>>;
  timeline(caller: Caller, id: SessionId): Promise<GatewayResult<Timeline>>;
  list(
    caller: Caller,
    open: boolean | null,
    before: SessionId | null,
    limit: number,
    withSynthetic?: boolean,
  ): Promise<GatewayResult<readonly SessionView[]>>;

  /** The panel's word that packets arrive at its end. Ignored unless the leg is this operator's. */
  heard(operatorId: OperatorId, sessionId: SessionId, legId: LegId, packets: number): Promise<void>;
  /** By an operator, a supervisor or an admin. */
  acknowledgeAlert(
    caller: Caller,
    sessionId: SessionId,
    kind: AlertKind,
  ): Promise<GatewayResult<SessionView>>;
  /** A panel client began or ended its shift, or its feed went (`aor` is its SIP address of record). */
  shift(operatorId: OperatorId, aor: AddressOfRecord, onShift: boolean): Promise<void>;

  /** The feed wrote this to at least one panel: noted once the rush is over, never waited for. */
  panelTold(sessionId: SessionId, news: ToldNews, at: Instant): void;

  /**
   * A device asks to be let in at the edge: its endpoint exists when this resolves, and goes again unless the device
   * comes within 15 s. ERR_GATEWAY_BUSY: this token brings one new device after the other; one that is here now, or that
   * the directory knows as its holder's, is not counted.
   */
  deviceExpected(aor: AddressOfRecord, by: Caller): Promise<GatewayResult<null>>;
  /**
   * A device is at the edge (again): its endpoint exists when this resolves. Repeatable. `by` is whose token let it in,
   * where that is known: when it is revoked, the device's socket and calls end.
   */
  deviceAdmitted(aor: AddressOfRecord, by?: Caller): Promise<GatewayResult<null>>;
  /** The edge saw the offer go out or the answer come in. */
  stamped(
    legId: LegId,
    kind: 'offer-sent' | 'answer-received' | 'refused',
    status: number | null,
    at: Instant,
  ): void;
  /** Its socket went, and may come back: nobody is offered to it meanwhile. */
  deviceLost(aor: AddressOfRecord): void;
  /** The device's socket is gone for good: its endpoint may go, unless a session needs it. */
  deviceLeft(aor: AddressOfRecord): void;

  /** `journal`: decisions that the database does not have yet, and whether they would survive this process. */
  health(): Promise<{
    readonly engine: boolean;
    readonly database: boolean;
    readonly journal: { readonly entries: number; readonly durable: boolean };
  }>;
}

/** The panel feed's source: committed changes in order, and the state to begin from. */
export interface FeedSource {
  /** Called once per committed row, in order of seq. */
  subscribe(listener: (row: FeedRow) => void): () => void;
  /** What is open in these zones (`null`: in all), and what this operator has. */
  snapshot(
    zones: readonly ZoneId[] | null,
    operatorId?: OperatorId,
  ): Promise<{ readonly seq: number; readonly sessions: readonly SessionView[] }>;
  after(seq: number, limit: number): Promise<{ readonly rows: readonly FeedRow[]; readonly tooOld: boolean }>;
  viewOf(session: Session, sessionSeq: number, location: Location | null): SessionView;
  /** The zones in which this person is on duty now, whatever the duty, or with this one; none when inactive. */
  zonesOf(operatorId: OperatorId, duty?: 'operator' | 'supervisor'): Promise<readonly ZoneId[]>;
}
