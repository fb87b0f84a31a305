/**
 * Tells whoever is on call of sessions that need a supervisor: the panel may be the very thing that fails. One alert for a
 * session, whatever troubles it has; over when all are acknowledged, or the session is.
 */
import type { SessionId, ZoneId } from '../domain/ids.ts';
import { isLive } from '../domain/session/session.ts';
import type { AlertKind, Session } from '../domain/session/session.ts';
import type { OpsAlerts } from '../ports/ops-alerts.ts';

const WORDS: Readonly<Record<AlertKind, string>> = {
  'no-operator': 'no operator is free',
  'operator-absent': 'no operator hears her',
  'operators-unreachable': 'no duty phone was answered',
  'trunks-dead': 'no telephone network takes a call',
  'citizen-unanswered': 'she does not answer her phone',
  'citizen-hung-up': 'she hung up',
  'voice-lost': 'her voice is gone',
  'phone-unusable': 'her phone cannot be called',
  'citizen-silent': 'her phone may not ring',
  'no-voice': 'nobody has a voice of her',
  'long-session': 'it has been open for long',
  'record-doubtful': 'its record is in doubt',
};

/** Nobody's help is late because of these. */
const CAN_WAIT: ReadonlySet<AlertKind> = new Set(['long-session', 'record-doubtful']);

export class SessionAlerts {
  readonly #alerts: OpsAlerts;
  /** Nobody is woken for a synthetic session: the probe says itself what was wrong. */
  readonly #syntheticZone: ZoneId | null;
  readonly #standing = new Set<SessionId>();

  constructor(alerts: OpsAlerts, syntheticZone: ZoneId | null = null) {
    this.#alerts = alerts;
    this.#syntheticZone = syntheticZone;
  }

  /** A session as it is now. Harmless when repeated. */
  note(session: Session): void {
    if (session.zoneId !== null && session.zoneId === this.#syntheticZone) return;
    const open = isLive(session) ? session.alerts.filter((alert) => alert.acknowledgedBy === null) : [];
    if (open.length === 0) {
      this.forget(session.id);
      return;
    }
    this.#standing.add(session.id);
    const kinds = [...new Set(open.map(({ kind }) => kind))];
    this.#alerts.raise({
      kind: 'session-alert',
      subject: session.id,
      severity: kinds.every((kind) => CAN_WAIT.has(kind)) ? 'warning' : 'critical',
      summary: `An SOS needs a supervisor: ${kinds.map((kind) => WORDS[kind]).join('; ')}.`,
    });
  }

  forget(id: SessionId): void {
    if (this.#standing.delete(id)) this.#alerts.resolve('session-alert', id);
  }
}
