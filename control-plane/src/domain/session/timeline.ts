/** The milestones of one session: what its events say of its way, in milliseconds since t0. */
import { parseBridgeId, parseLegId } from '../ids.ts';
import type { Instant } from '../ids.ts';
import type { SessionEvent } from './event.ts';

export interface Milestone {
  readonly name: string;
  readonly at: Instant;
  /** Since activation; negative before it (warm-up). */
  readonly ms: number;
}

/** `null`: an event that marks no way. */
export function milestoneName(event: SessionEvent): string | null {
  const kind = 'legId' in event ? parseLegId(event.legId)?.kind : undefined;
  switch (event.type) {
    case 'api.armed':
      return 'armed';
    case 'api.activated':
      return 'activated';
    case 'api.resolved':
      return 'resolved';
    case 'api.redial-requested':
      return 'redial-requested';
    case 'api.transfer-requested':
      return 'transfer-requested';
    case 'api.join-requested':
      return 'join-requested';
    case 'api.listen-requested':
      return 'listen-requested';
    case 'api.listen-ended':
      return 'listen-ended';
    case 'roster.hand-over-found':
      return 'hand-over-begun';
    case 'contact.online':
      return event.aor.startsWith('citizen-') ? 'contact-online' : null;
    case 'edge.offer-sent':
      return kind === 'citizen-app' ? 'offer-sent' : kind === 'operator-app' ? 'operator-offer-sent' : null;
    case 'edge.answer-received':
      if (kind === 'citizen-app') return 'answer-received';
      return kind === 'operator-app' ? 'operator-answer-received' : null;
    case 'pbx.ringing':
    case 'pbx.answered':
    case 'pbx.ended':
      return kind ? `${kind}-${event.type.slice('pbx.'.length)}` : null;
    case 'pbx.bridged':
      return parseBridgeId(event.bridgeId)?.kind === 'phone' ? 'phone-bridged' : null;
    case 'media.first-packet':
      return 'first-packet';
    case 'media.streaming':
      return 'streaming';
    case 'media.lost':
      return 'media-lost';
    case 'media.sound':
      return 'sound';
    case 'pbx.carrier-reference':
      return kind ? `${kind}-invited` : null;
    case 'panel.told':
      return event.news === 'sos.activated' ? 'panel-told' : 'fallback-told';
    case 'panel.heard':
      return 'heard';
    case 'panel.silent':
      return 'panel-silent';
    case 'roster.assigned':
      return 'operator-assigned';
    case 'roster.nobody-free':
      return 'queued';
    case 'roster.chain-found':
      return 'fallback-initiated';
    case 'timer.due':
      return `${event.timer}-due`;
    default:
      return null;
  }
}

export interface TimedEvent {
  readonly seq: number;
  readonly event: SessionEvent;
  readonly at: Instant;
}

/** A panel's word counts as heard while her packets flow, or from the moment they do: before that it gets a bridge's silence. */
class Hearing {
  #flows = false;
  #claimed = false;

  /** `true`: with this event she is heard (again). */
  note(event: SessionEvent): boolean {
    switch (event.type) {
      case 'panel.heard':
        this.#claimed = true;
        return this.#flows;
      case 'media.streaming':
      case 'media.back':
        this.#flows = true;
        return this.#claimed;
      case 'media.lost':
        this.#flows = false;
        return false;
      case 'panel.silent':
        this.#claimed = false;
        return false;
      default:
        return false;
    }
  }
}

/** A milestone with the number of the event that it comes from. */
export interface NumberedMilestone extends Milestone {
  readonly seq: number;
}

/** In the order of the events. A device that was registered when she pressed counts as there at that moment. */
export function milestonesOf(events: readonly TimedEvent[]): readonly NumberedMilestone[] {
  const t0 = events.find(({ event }) => event.type === 'api.activated')?.at ?? events[0]?.at;
  if (t0 === undefined) return [];
  const hearing = new Hearing();
  return events.flatMap(({ seq, event, at }) => {
    const name = event.type === 'panel.heard' ? null : milestoneName(event);
    const names = name === null ? [] : [name];
    if (hearing.note(event)) names.push('heard');
    if (event.type === 'api.activated' && event.contactOnline) names.push('contact-online');
    return names.map((one) => ({ seq, name: one, at, ms: Math.round((at - t0) * 100) / 100 }));
  });
}
