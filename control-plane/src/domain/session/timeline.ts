/** The milestones of one session in milliseconds since t0, and what the requirements say of them. */
import { parseBridgeId, parseLegId } from '../ids.ts';
import type { Instant } from '../ids.ts';
import type { SessionEvent } from './event.ts';

export interface Milestone {
  readonly name: string;
  readonly at: Instant;
  /** Since activation; negative before it (warm-up). */
  readonly ms: number;
}

export interface Verdict {
  readonly id: string;
  readonly limitMs: number;
  /** `null`: it did not come about (yet). */
  readonly valueMs: number | null;
  readonly ok: boolean;
}

/** The limits of the seeds, in milliseconds. */
export const LIMITS = { offerMs: 500, activeMs: 3000, fallbackMs: 2000, watchdogMs: 5000 } as const;

function nameOf(event: SessionEvent): string | null {
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
    case 'contact.online':
      return event.aor.startsWith('citizen-') ? 'contact-online' : null;
    case 'edge.offer-sent':
      return kind === 'citizen-app' ? 'offer-sent' : 'operator-offer-sent';
    case 'edge.answer-received':
      return kind === 'citizen-app' ? 'answer-received' : 'operator-answer-received';
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

export function milestonesOf(
  events: readonly { readonly event: SessionEvent; readonly at: Instant }[],
): readonly Milestone[] {
  const t0 = events.find(({ event }) => event.type === 'api.activated')?.at ?? events[0]?.at;
  if (t0 === undefined) return [];
  return events.flatMap(({ event, at }) => {
    const name = nameOf(event);
    return name === null ? [] : [{ name, at, ms: Math.round((at - t0) * 100) / 100 }];
  });
}

/** What can be judged on the server: RTC-1 from activation and from the contact (decision 4), RTC-2, FB-2. */
export function verdictsOf(milestones: readonly Milestone[]): readonly Verdict[] {
  const first = (name: string): number | null => milestones.find((one) => one.name === name)?.ms ?? null;
  const offer = first('offer-sent');
  const contact = first('contact-online');
  const streaming = first('streaming');
  const heard = first('heard');
  const watchdog = first('watchdog-due');
  const initiated = first('fallback-initiated');
  const active = streaming === null || heard === null ? null : Math.max(streaming, heard);
  const judge = (id: string, limitMs: number, valueMs: number | null): Verdict => ({
    id,
    limitMs,
    valueMs,
    ok: valueMs !== null && valueMs <= limitMs,
  });
  const verdicts = [judge('RTC-1', LIMITS.offerMs, offer)];
  if (contact !== null && contact > 0 && offer !== null)
    verdicts.push(judge('RTC-1-from-contact', LIMITS.offerMs, offer - contact));
  verdicts.push(judge('RTC-2', LIMITS.activeMs, active));
  if (initiated !== null)
    verdicts.push(judge('FB-2', LIMITS.fallbackMs, initiated - (watchdog ?? initiated)));
  return verdicts;
}
