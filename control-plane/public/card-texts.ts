/** A session in the words of an operator. */
import type { SessionView } from '../client/gateway-api.ts';
import type { AlertKind } from '../client/panel-client.ts';

/** `alarm`: somebody must act; `warn`: under way, not there yet; `ok`: the voice is here; `over`: nothing to do. */
export type Tone = 'alarm' | 'warn' | 'ok' | 'over';

const PHASES: Record<SessionView['phase'], { readonly text: string; readonly tone: Tone }> = {
  arming: { text: 'About to call', tone: 'over' },
  connecting: { text: 'Connecting', tone: 'warn' },
  degraded: { text: 'Connecting slowly, trying again', tone: 'warn' },
  active: { text: 'Voice connected', tone: 'ok' },
  'phone-fallback-active': { text: 'Calling by telephone', tone: 'alarm' },
  'phone-connected': { text: 'On the telephone', tone: 'ok' },
  resolved: { text: 'Resolved', tone: 'over' },
  released: { text: 'Let go early', tone: 'over' },
};

/** Why a voice that was there, or was to come, is not: what the officer has to know before acting. */
const DEGRADED: Readonly<Record<string, string>> = {
  'media-lost': 'Voice lost, trying to get it back',
  'stream-ended': 'Voice lost, trying to get it back',
  'operator-gone': 'Nobody hears the voice, calling an officer',
  'operator-silent': 'Nobody hears the voice, calling an officer',
  'operator-revoked': 'Nobody hears the voice, calling an officer',
  'citizen-unanswered': 'Not reached by telephone',
  'citizen-hung-up': 'The citizen hung up',
};

export function phaseText({ phase, degradedReason }: SessionView): {
  readonly text: string;
  readonly tone: Tone;
} {
  const why = phase === 'degraded' && degradedReason !== null ? DEGRADED[degradedReason] : undefined;
  return why === undefined ? PHASES[phase] : { text: why, tone: 'alarm' };
}

/** Her place among those who wait in her zone, the longest waiting first; `null`: she does not wait. */
export function placeInQueue(
  session: SessionView,
  all: readonly SessionView[],
): { readonly place: number; readonly of: number } | null {
  if (!session.queued || !isOpen(session)) return null;
  const waiting = all.filter((one) => one.queued && isOpen(one) && one.zoneId === session.zoneId);
  const since = ({ activatedAt }: SessionView): string => activatedAt ?? '';
  const before = waiting.filter((one) => since(one) < since(session));
  return { place: before.length + 1, of: waiting.length };
}

export function assignmentText(session: SessionView, queue: ReturnType<typeof placeInQueue> = null): string {
  if (session.queued)
    return `waiting for a free officer${queue === null ? '' : `, place ${queue.place} of ${queue.of}`}`;
  const has = session.operatorId === null ? 'not assigned' : `officer ${session.operatorId}`;
  const next = session.handOver === null ? '' : `, calling officer ${session.handOver.to} to take over`;
  const ears = session.listeners.length === 0 ? '' : `, ${session.listeners.join(', ')} listening in`;
  return `${has}${next}${ears}`;
}

const FLAGS: Record<SessionView['flags'][number], string> = {
  'unknown-citizen': 'This citizen is not registered',
  'unknown-device': 'Sent from an unknown device',
  'phone-missing': 'No phone number is known',
  'phone-unverified': 'The phone number is not verified: it is not called',
  'location-missing': 'No location was sent',
  'location-absurd': 'The location makes no sense',
  'unknown-zone': 'The place belongs to no zone',
  'body-malformed': 'The message was damaged',
  'idempotency-key-reused': 'The app repeated itself with other data',
  folded: 'Pressed again',
};

export function flagsText({ flags }: SessionView): string {
  return flags.map((flag) => FLAGS[flag]).join('. ');
}

const ALERTS: Record<AlertKind, string> = {
  'no-operator': 'No officer is free',
  'operator-absent': 'Nobody hears the voice yet',
  'operators-unreachable': 'No officer could be reached',
  'trunks-dead': 'No telephone network takes calls',
  'citizen-unanswered': 'The citizen does not answer the phone',
  'citizen-hung-up': 'The citizen hung up',
  'voice-lost': 'The voice was lost',
  'phone-unusable': 'The phone number cannot be called',
  'citizen-silent': 'The citizen’s phone is not rung: silent, or hung up',
  'no-voice': 'Still no voice',
  'long-session': 'This SOS has been open for long',
  'record-doubtful': 'Two machines handled this SOS: check who was called',
};

export function alertText(kind: AlertKind): string {
  return ALERTS[kind];
}

type PhoneState = NonNullable<SessionView['fallback']>['citizenPhone'];

const PHONES: Record<PhoneState, string> = {
  idle: 'not called',
  dialing: 'is being dialled',
  ringing: 'rings',
  answered: 'answered',
  ended: 'ended',
};

const REASONS: Record<NonNullable<SessionView['fallback']>['reason'], string> = {
  timeout: 'no voice in time',
  'signalling-error': 'the connection failed',
  'operator-absent': 'nobody heard the voice',
  'media-lost': 'the voice was lost',
  redial: 'called again',
};

export function fallbackText({ fallback }: SessionView): string {
  if (fallback === null) return '';
  const citizens =
    fallback.mode === 'operators-only'
      ? 'The citizen’s phone does not ring'
      : `Citizen’s phone ${PHONES[fallback.citizenPhone]}`;
  const reference = fallback.callReference === null ? '' : ` Reference ${fallback.callReference}.`;
  const why = REASONS[fallback.reason];
  return `${citizens}, officer’s phone ${PHONES[fallback.operatorPhone]} (${why}).${reference}`;
}

/** Whether a second call to the citizen's phone makes sense now. */
export function mayRedial({ phase, fallback }: SessionView): boolean {
  return (
    fallback !== null &&
    (phase === 'phone-connected' || phase === 'phone-fallback-active' || phase === 'degraded')
  );
}

type Staff = { readonly role: string; readonly subject: string };

const isOpen = ({ phase }: SessionView): boolean => phase !== 'resolved' && phase !== 'released';

/** Who may hand her over now: who has her, and whoever is above. */
export function mayHandOver(session: SessionView, { role, subject }: Staff): boolean {
  if (!isOpen(session) || session.handOver !== null) return false;
  return role === 'supervisor' || role === 'admin' || (role === 'operator' && session.operatorId === subject);
}

/** Whose panel may be called into her session. */
export function mayJoin(session: SessionView, { role, subject }: Staff): boolean {
  if (!isOpen(session) || session.handOver !== null) return false;
  return role === 'supervisor' || (role === 'operator' && session.operatorId === subject);
}

export function mayListen(session: SessionView, { role }: Staff): boolean {
  return role === 'supervisor' && isOpen(session);
}

/** `m:ss`, or `h:mm:ss` from an hour on. */
export function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}
