/**
 * The telephone engine as the gateway sees it: legs, bridges and outcomes, never a word of ARI or ESL.
 * One contract suite runs against every implementation (test/contract).
 */
import type { AddressOfRecord, AppLegKind, BridgeId, Instant, LegId, SessionId } from '../domain/ids.ts';
import type { LegOutcome } from '../domain/session/leg.ts';
import type { TrunkHost } from '../domain/trunk/trunk.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';

export type PbxErrorCode =
  | 'ERR_PBX_DISCONNECTED'
  | 'ERR_PBX_TIMEOUT'
  | 'ERR_PBX_REPLACED'
  /** This node holds the lease no more: the command was not sent. */
  | 'ERR_PBX_FENCED'
  | 'ERR_PBX_NO_CONTACT'
  | 'ERR_PBX_NOT_FOUND'
  | 'ERR_PBX_CONFLICT'
  | 'ERR_PBX_OVERLOAD'
  | 'ERR_PBX_REFUSED';

export type PbxResult<T = void> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: PbxErrorCode; readonly detail: string };

/** What a leg's voice may do in a bridge. `listens`: it hears and is not heard (enforced in the engine, before bridging). */
export type Voice = 'speaks' | 'listens' | 'both';

export interface AppDial {
  readonly legId: LegId;
  readonly sessionId: SessionId;
  readonly kind: AppLegKind;
  readonly aor: AddressOfRecord;
  /** The engine gives up by itself after this long, as a backstop behind the session's own timers. */
  readonly ringTimeoutMs: number;
}

export interface PhoneDial {
  /** With the number of the try where it is not the first (`tryIdOf`). */
  readonly legId: LegId;
  readonly number: PhoneNumber;
  /** Name of the trunk (sip-trunks/<name>.yml). */
  readonly trunk: string;
  /** Of the trunk's hosts; none: the first by priority. */
  readonly host?: TrunkHost | null;
  /** One of the trunk's own numbers; none: its default. */
  readonly callerId?: PhoneNumber | null;
  readonly ringTimeoutMs: number;
  /** The engine ends it by itself so long after the order, answered or not, whatever has become of us. None: it never does. */
  readonly longestMs?: number;
}

export type HangupReason =
  'normal' | 'no-answer' | 'cancelled' | 'stream-won' | 'phone-won' | 'session-ended';

export interface LegSnapshot {
  readonly legId: LegId;
  readonly state: 'dialing' | 'ringing' | 'answered';
  readonly bridgeId: BridgeId | null;
  /** The trunk by which it goes; absent for apps. */
  readonly trunk?: string;
}

export interface PbxSnapshot {
  readonly legs: readonly LegSnapshot[];
  readonly bridges: readonly { readonly bridgeId: BridgeId; readonly legIds: readonly LegId[] }[];
  /** Addresses of record with a live contact. */
  readonly contacts: readonly AddressOfRecord[];
}

export type PbxEvent =
  | { readonly type: 'leg.ringing'; readonly legId: LegId; readonly at: Instant }
  | { readonly type: 'leg.progress'; readonly legId: LegId; readonly at: Instant }
  /** `trunk`: by which the telephone was reached; absent for apps, and where it is not known. */
  | { readonly type: 'leg.answered'; readonly legId: LegId; readonly at: Instant; readonly trunk?: string }
  /** A key was pressed at the far end of an answered leg (DTMF): `0`–`9`, `*`, `#`. */
  | { readonly type: 'leg.key-pressed'; readonly legId: LegId; readonly key: string; readonly at: Instant }
  | {
      readonly type: 'leg.ended';
      readonly legId: LegId;
      readonly at: Instant;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  | {
      readonly type: 'leg.carrier-reference';
      readonly legId: LegId;
      /** Of which try; absent: the first. */
      readonly try?: number;
      readonly at: Instant;
      readonly callId: string;
    }
  /** A telephone leg was put on a trunk; a later try of the same leg may follow. */
  | {
      readonly type: 'leg.tried';
      readonly legId: LegId;
      readonly try: number;
      readonly trunk: string;
      readonly at: Instant;
    }
  /** That try is over; the leg itself ends by `leg.ended`. */
  | {
      readonly type: 'leg.try-ended';
      readonly legId: LegId;
      readonly try: number;
      readonly trunk: string;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
      readonly at: Instant;
    }
  | {
      readonly type: 'leg.bridged';
      readonly bridgeId: BridgeId;
      readonly legIds: readonly LegId[];
      readonly technology: string;
      readonly at: Instant;
    }
  /** The citizen's packets reach the gateway: the counter grew in two readings 100 ms apart, at least 5 packets. */
  | { readonly type: 'media.first-packet'; readonly legId: LegId; readonly at: Instant }
  | {
      readonly type: 'media.streaming';
      readonly legId: LegId;
      readonly at: Instant;
      readonly packets: number;
    }
  /** No packet for `silentForMs` on a leg that was streaming; and it flows again. */
  | { readonly type: 'media.lost'; readonly legId: LegId; readonly at: Instant; readonly silentForMs: number }
  | { readonly type: 'media.back'; readonly legId: LegId; readonly at: Instant }
  /** Sound, not only packets (talk detection). */
  | { readonly type: 'media.sound'; readonly legId: LegId; readonly at: Instant; readonly talking: boolean }
  | { readonly type: 'contact.online'; readonly aor: AddressOfRecord; readonly at: Instant }
  | { readonly type: 'contact.offline'; readonly aor: AddressOfRecord; readonly at: Instant }
  | { readonly type: 'trunk.up' | 'trunk.down'; readonly trunk: string; readonly at: Instant }
  /** A call that nobody ordered; the driver has already refused it with 480. `from` names the trunk or the address of record. */
  | {
      readonly type: 'call.unexpected';
      readonly source: 'trunk' | 'client';
      readonly from: string;
      readonly at: Instant;
    }
  | { readonly type: 'engine.lost'; readonly at: Instant }
  /** Another process commands the engine in our name; nothing is sent until start() takes it back. */
  | { readonly type: 'engine.replaced'; readonly at: Instant }
  /** Attached (again): what the engine really has, before any new event is delivered. */
  | { readonly type: 'engine.back'; readonly at: Instant; readonly snapshot: PbxSnapshot };

export interface PbxDriver {
  /**
   * Resolves once attached for the first time, or rejects at its deadline; afterwards it reconnects for ever by itself.
   * After `engine.replaced`: takes the engine back.
   */
  start(deadlineMs: number): Promise<void>;
  stop(): Promise<void>;
  readonly attached: boolean;
  /** Subscribe before start(): events are delivered in the engine's order, one at a time. */
  onEvent(listener: (event: PbxEvent) => void): void;

  /** Repeatable. After an engine restart the driver puts all provisioned endpoints again by itself. */
  provisionEndpoint(aor: AddressOfRecord): Promise<PbxResult>;
  /** Repeatable; a live call survives it. */
  removeEndpoint(aor: AddressOfRecord): Promise<PbxResult>;

  /** Repeatable while the leg lives. A failure here is definitive: no event for this leg will follow. */
  dialApp(dial: AppDial): Promise<PbxResult>;
  dialPhone(dial: PhoneDial): Promise<PbxResult>;
  /** Whether the far end has said anything yet to the call, if only 100 Trying; a leg that is gone has. */
  responded(legId: LegId): Promise<PbxResult<boolean>>;
  /** Repeatable; a leg that is gone is success. */
  hangup(legId: LegId, reason: HangupReason): Promise<PbxResult>;
  /** Creates the bridge when needed; repeatable; sets the voice before the leg can be heard; ends a prompt on it. */
  join(bridgeId: BridgeId, legId: LegId, voice: Voice): Promise<PbxResult>;
  /** Repeatable; legs in it live on. */
  closeBridge(bridgeId: BridgeId): Promise<PbxResult>;
  /** "Please hold": repeated until the leg is joined or ended. Repeatable. */
  startHoldingPrompt(legId: LegId): Promise<PbxResult>;
  /** "Press 1 to take the call": repeated until the leg is joined, held or ended. Repeatable. */
  startAcceptancePrompt(legId: LegId): Promise<PbxResult>;
  /** Watch a citizen's leg for packets: `media.*` events follow. Repeatable; ends by itself with the leg. */
  watchMedia(legId: LegId): void;
  /**
   * Listens to the far end of an answered leg until this tone has been heard for half a second, for so long at most; `false`:
   * it was not. Repeatable, one tone of a leg at a time. ERR_PBX_NOT_FOUND: the leg is gone; ERR_PBX_CONFLICT: not answered.
   */
  hearsTone(legId: LegId, hz: number, withinMs: number): Promise<PbxResult<boolean>>;
  list(): Promise<PbxResult<PbxSnapshot>>;
}
