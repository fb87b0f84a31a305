/** What can happen to a session: past facts, named by their source. */
import type {
  AddressOfRecord,
  BridgeId,
  CitizenId,
  DeviceId,
  LegId,
  OperatorId,
  SessionId,
  ZoneId,
} from '../ids.ts';
import type { Acceptance, LegOutcome, Party } from './leg.ts';
import type { Policy } from './policy.ts';
import type { AlertKind, CitizenProfile, Flag } from './session.ts';

/** What an arming or an activation knows about the citizen and her device. */
export interface Subject {
  readonly sessionId: SessionId;
  readonly citizenId: CitizenId;
  readonly deviceId: DeviceId;
  readonly aor: AddressOfRecord;
  readonly zoneId: ZoneId | null;
  readonly profile: CitizenProfile;
  readonly flags: readonly Flag[];
  readonly policy: Policy;
}

export type TimerName =
  | 'arming-expiry'
  | 'retry'
  | 'watchdog'
  | 'no-operator'
  | 'operator-reoffer'
  | 'transfer'
  | 'citizen-ring'
  | 'operator-ring'
  | 'citizen-redial'
  | 'hand-over'
  | 'alert-repeat'
  | 'long-session';

/** The news whose way to the panel has a limit (RTC-6, FB-5). */
export type ToldNews = 'sos.activated' | 'phone-fallback-active';

export type SessionEvent =
  | { readonly type: 'api.armed'; readonly subject: Subject }
  /** The first activation, or a second one of the same citizen (folded). */
  | { readonly type: 'api.activated'; readonly subject: Subject; readonly contactOnline: boolean }
  | { readonly type: 'api.released' }
  | { readonly type: 'api.resolved'; readonly by: string }
  | { readonly type: 'api.redial-requested'; readonly by: string }
  /** `to` null: the next one who is free. `asker` null: a supervisor or admin; else only who has her may ask. */
  | {
      readonly type: 'api.transfer-requested';
      readonly to: OperatorId | null;
      readonly asker: OperatorId | null;
      readonly by: string;
    }
  /** Her operator wants her voice (again), or a supervisor takes her over. `aor`: the asker's panel. */
  | {
      readonly type: 'api.join-requested';
      readonly operatorId: OperatorId;
      readonly role: 'operator' | 'supervisor';
      readonly aor: AddressOfRecord | null;
      readonly by: string;
    }
  | {
      readonly type: 'api.listen-requested';
      readonly operatorId: OperatorId;
      readonly aor: AddressOfRecord;
      readonly by: string;
    }
  | { readonly type: 'api.listen-ended'; readonly operatorId: OperatorId; readonly by: string }
  | { readonly type: 'panel.alert-acknowledged'; readonly kind: AlertKind; readonly by: OperatorId }
  /** Her contact, or a contact of the assigned operator. */
  | { readonly type: 'contact.online'; readonly aor: AddressOfRecord }
  | { readonly type: 'contact.offline'; readonly aor: AddressOfRecord }
  | { readonly type: 'edge.offer-sent'; readonly legId: LegId }
  | { readonly type: 'edge.answer-received'; readonly legId: LegId; readonly status: number | null }
  | { readonly type: 'pbx.ringing'; readonly legId: LegId }
  | { readonly type: 'pbx.progress'; readonly legId: LegId }
  | { readonly type: 'pbx.answered'; readonly legId: LegId; readonly trunk?: string }
  /** The call went out by a trunk; a later try may follow or run beside it. */
  | { readonly type: 'pbx.tried'; readonly legId: LegId; readonly try: number; readonly trunk: string }
  | {
      readonly type: 'pbx.try-ended';
      readonly legId: LegId;
      readonly try: number;
      readonly trunk: string;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  | {
      readonly type: 'pbx.ended';
      readonly legId: LegId;
      readonly outcome: LegOutcome;
      readonly sipStatus: number | null;
      readonly q850: number | null;
    }
  | {
      readonly type: 'pbx.bridged';
      readonly bridgeId: BridgeId;
      readonly legIds: readonly LegId[];
      readonly technology: string;
    }
  | {
      readonly type: 'pbx.carrier-reference';
      readonly legId: LegId;
      readonly try?: number;
      readonly callId: string;
    }
  /** A key was pressed at a phone: `0`–`9`, `*`, `#`. */
  | { readonly type: 'pbx.key-pressed'; readonly legId: LegId; readonly key: string }
  | { readonly type: 'media.first-packet'; readonly legId: LegId }
  | { readonly type: 'media.streaming'; readonly legId: LegId }
  | { readonly type: 'media.lost'; readonly legId: LegId }
  | { readonly type: 'media.back'; readonly legId: LegId }
  | { readonly type: 'media.sound'; readonly legId: LegId; readonly talking: boolean }
  /** The operator's end counted packets on this leg. */
  | { readonly type: 'panel.heard'; readonly legId: LegId; readonly operatorId: OperatorId }
  /** The panel that heard her has said nothing for half of `policy.operatorReofferMs`: perhaps nobody listens any more. */
  | { readonly type: 'panel.silent'; readonly legId: LegId }
  /** The feed has written this news of the session to at least one panel. */
  | { readonly type: 'panel.told'; readonly news: ToldNews }
  /** Answers to `roster.assign` and `roster.chain`, found inside the same transaction. */
  | { readonly type: 'roster.assigned'; readonly operatorId: OperatorId; readonly aor: AddressOfRecord }
  | { readonly type: 'roster.nobody-free' }
  | { readonly type: 'roster.chain-found'; readonly chain: readonly Party[] }
  | {
      readonly type: 'roster.hand-over-found';
      readonly operatorId: OperatorId;
      /** The panel to call; `null`: the duty phone. */
      readonly aor: AddressOfRecord | null;
      /** The duty phone has to accept. */
      readonly acceptance?: Acceptance;
    }
  | { readonly type: 'roster.hand-over-nobody' }
  /** Somebody came free or on line: a queued session may be assigned. */
  | { readonly type: 'roster.changed' }
  /** This client of an operator was shut out: its token was revoked, or the directory calls the operator inactive. */
  | { readonly type: 'operator.revoked'; readonly operatorId: OperatorId; readonly aor: AddressOfRecord }
  /** What a node did while the database was away does not fit what the database has: somebody has to look. */
  | { readonly type: 'record.doubtful' }
  | { readonly type: 'timer.due'; readonly timer: TimerName };

export type EventOf<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>;
