/** The names by which everything in a session is known, and how one is derived from another. */
import type { Brand } from './brand.ts';

/** One SOS; a UUID. */
export type SessionId = Brand<string, 'SessionId'>;
/** One attempt of one leg. It is also the engine's channel id, so dialling it twice is harmless while it lives. */
export type LegId = Brand<string, 'LegId'>;
/** A mixing bridge of a session. */
export type BridgeId = Brand<string, 'BridgeId'>;
export type CitizenId = Brand<string, 'CitizenId'>;
export type DeviceId = Brand<string, 'DeviceId'>;
export type OperatorId = Brand<string, 'OperatorId'>;
/** One tab or app of an operator. */
export type ClientId = Brand<string, 'ClientId'>;
export type ZoneId = Brand<string, 'ZoneId'>;
/** SIP address of record's user part, one per device: `citizen-<id>-<device>`, `operator-<id>-<client>`. */
export type AddressOfRecord = Brand<string, 'AddressOfRecord'>;
/** Milliseconds since 1970-01-01T00:00:00Z by the server's clock; the fraction is meaningful. */
export type Instant = Brand<number, 'Instant'>;

export type LegKind = 'citizen-app' | 'operator-app' | 'supervisor-app' | 'citizen-phone' | 'operator-phone';
export const LEG_KINDS: readonly LegKind[] = [
  'citizen-app',
  'operator-app',
  'supervisor-app',
  'citizen-phone',
  'operator-phone',
];

/** Legs that go to a client of ours over the edge. */
export type AppLegKind = Extract<LegKind, 'citizen-app' | 'operator-app' | 'supervisor-app'>;

/** `<session>.<kind>.<attempt>`: derived, so that a repeated command names the same channel. */
export function legIdOf(sessionId: SessionId, kind: LegKind, attempt: number): LegId {
  return `${sessionId}.${kind}.${attempt}` as LegId;
}

/** What a leg id says of itself, or `null` for a channel that is not one of ours. */
export function parseLegId(text: string): { sessionId: SessionId; kind: LegKind; attempt: number } | null {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([a-z-]+)\.(\d{1,6})$/.exec(text);
  if (!match) return null;
  const [, sessionId, kind, attempt] = match;
  if (!LEG_KINDS.includes(kind as LegKind)) return null;
  return { sessionId: sessionId as SessionId, kind: kind as LegKind, attempt: Number(attempt) };
}

/** A telephone call that the backend asked for; a UUID. */
export type CallId = Brand<string, 'CallId'>;
/** `call-to`: who is called first; `call-bridge-to`: who is joined with it. */
export type CallLegKind = 'call-to' | 'call-bridge-to';

export function callLegIdOf(callId: CallId, kind: CallLegKind, attempt: number): LegId {
  return `${callId}.${kind}.${attempt}` as LegId;
}

/** What a call's leg id says of itself, or `null` (a session's leg, or no leg at all). */
export function parseCallLegId(text: string): { callId: CallId; kind: CallLegKind; attempt: number } | null {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(call-to|call-bridge-to)\.(\d{1,6})$/.exec(
    text,
  );
  if (!match) return null;
  const [, callId, kind, attempt] = match;
  return { callId: callId as CallId, kind: kind as CallLegKind, attempt: Number(attempt) };
}

/** `<call>.call` joins the parties of a call. */
export function callBridgeIdOf(callId: CallId): BridgeId {
  return `${callId}.call` as BridgeId;
}

export function parseCallBridgeId(text: string): CallId | null {
  return (/^([0-9a-f-]{36})\.call$/.exec(text)?.[1] ?? null) as CallId | null;
}

/** Each try of a telephone leg is a channel of its own: the first bears the leg's id, later ones `<leg>.<try>`. */
export function tryIdOf(legId: LegId, number: number): LegId {
  return number === 1 ? legId : (`${legId}.${number}` as LegId);
}

/** The leg and try that a channel id names, or `null` for a channel that is not one of ours. */
export function parseChannelId(text: string): { legId: LegId; try: number } | null {
  const match = /^([^.]{36}\.[a-z-]{1,30}\.\d{1,6})(?:\.(\d{1,4}))?$/.exec(text);
  const legId = match?.[1];
  if (legId === undefined || (parseLegId(legId) === null && parseCallLegId(legId) === null)) return null;
  return { legId: legId as LegId, try: Number(match?.[2] ?? 1) };
}

export type BridgeKind = 'stream' | 'phone';

/** `<session>.stream` carries her microphone to the operator, `<session>.phone` the two phones. */
export function bridgeIdOf(sessionId: SessionId, kind: BridgeKind): BridgeId {
  return `${sessionId}.${kind}` as BridgeId;
}

/** The session and kind of one of our bridges, or `null`. */
export function parseBridgeId(text: string): { sessionId: SessionId; kind: BridgeKind } | null {
  const match = /^([0-9a-f-]{36})\.(stream|phone)$/.exec(text);
  return match ? { sessionId: match[1] as SessionId, kind: match[2] as BridgeKind } : null;
}

const AOR_PART = /^[A-Za-z0-9_]{1,64}$/;

/** Whether a citizen's, device's or operator's id may stand in an address of record (and so in SIP and file names). */
export function isAorPart(text: string): boolean {
  return AOR_PART.test(text);
}

export function citizenAor(citizenId: CitizenId, deviceId: DeviceId): AddressOfRecord {
  return `citizen-${citizenId}-${deviceId}` as AddressOfRecord;
}

export function operatorAor(operatorId: OperatorId, clientId: ClientId): AddressOfRecord {
  return `operator-${operatorId}-${clientId}` as AddressOfRecord;
}

export type AorOwner =
  | { readonly role: 'citizen'; readonly citizenId: CitizenId; readonly deviceId: DeviceId }
  | { readonly role: 'operator'; readonly operatorId: OperatorId; readonly clientId: ClientId };

/** Whose device an address of record is, or `null`. Ids hold no hyphen, so the split is unambiguous. */
export function parseAor(aor: string): AorOwner | null {
  const [role, id, device, ...rest] = aor.split('-');
  if (id === undefined || device === undefined || rest.length > 0 || !isAorPart(id) || !isAorPart(device))
    return null;
  if (role === 'citizen') return { role, citizenId: id as CitizenId, deviceId: device as DeviceId };
  if (role === 'operator') return { role, operatorId: id as OperatorId, clientId: device as ClientId };
  return null;
}
