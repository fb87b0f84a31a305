/** Each session's milestones as histograms, the first of each kind, in milliseconds since its activation. */
import type { SessionId } from '../domain/ids.ts';
import type { SessionEvent } from '../domain/session/event.ts';
import { isLive } from '../domain/session/session.ts';
import type { Live } from '../domain/session/session.ts';
import { milestoneName } from '../domain/session/timeline.ts';
import type { Metrics } from '../ports/log.ts';
import type { Outcome } from './session-loop.ts';

/** Those that an alert rule can be made of. */
const MEASURED: ReadonlySet<string> = new Set([
  'offer-sent',
  'answer-received',
  'first-packet',
  'streaming',
  'heard',
  'panel-told',
  'operator-assigned',
  'fallback-initiated',
  'fallback-told',
  'citizen-phone-invited',
  'citizen-phone-ringing',
  'citizen-phone-answered',
  'operator-phone-answered',
  'phone-bridged',
]);

export class MilestoneMetrics {
  readonly #metrics: Metrics;
  /** Of open sessions. After a restart of the process a milestone that comes again may be counted again. */
  readonly #seen = new Map<SessionId, Set<string>>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  note({ before, after, events }: Outcome): void {
    if (!isLive(after)) {
      this.#seen.delete(after.id);
      return;
    }
    for (const { event, at } of events) {
      const sinceMs = at - after.activatedAt;
      const name = milestoneName(event);
      if (name !== null && MEASURED.has(name) && this.#isFirst(after.id, name))
        this.#metrics.observe('hamrahi_sos_milestone_ms', sinceMs, { milestone: name });
      const voice = voiceBy(event, after, before?.phase);
      if (voice !== null && this.#isFirst(after.id, 'voice'))
        this.#metrics.observe('hamrahi_sos_time_to_voice_ms', sinceMs, { voice });
    }
  }

  #isFirst(id: SessionId, name: string): boolean {
    const seen = this.#seen.get(id) ?? new Set();
    this.#seen.set(id, seen);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  }
}

/** Somebody hears her from this event on: over the stream, or on the phone. */
function voiceBy(
  event: SessionEvent,
  after: Live,
  phaseBefore: string | undefined,
): 'stream' | 'phone' | null {
  if (after.phase === 'active' && phaseBefore !== 'active') return 'stream';
  return after.phase === 'phone-connected' && event.type === 'pbx.bridged' ? 'phone' : null;
}
