/** How a leg ended, from what Asterisk says when its channel is destroyed. */
import { parseLegId } from '../../domain/ids.ts';
import type { LegOutcome } from '../../domain/session/leg.ts';
import { outcomeOfCarrier, outcomeOfClient } from '../../domain/trunk/outcome-of-sip.ts';
import type { ChannelDestroyed } from './ari.gen.ts';
import type { LegRecord } from './leg-record.ts';

/** Which of the 3xx it was is not told where Asterisk has let the channel go before the response was handed on. */
const MOVED = 302;

export interface LegEnding {
  readonly outcome: LegOutcome;
  /** What the far end answered; null when nobody answered anything. */
  readonly sipStatus: number | null;
  readonly q850: number | null;
}

/**
 * `tech_cause` is the SIP status that ended the channel, but Asterisk also writes 480 there when its own timeout
 * ended the dial: only a hangup request from the far end before it makes the status real.
 */
export function legEnding(
  record: LegRecord,
  event: Pick<ChannelDestroyed, 'cause' | 'tech_cause'>,
): LegEnding {
  const q850 = event.cause === 0 ? null : event.cause;
  const told = record.remoteEnded ? (event.tech_cause ?? null) : null;
  const sipStatus = told ?? (record.sentOn ? MOVED : null);
  if (record.state === 'answered')
    return { outcome: answeredOutcome(record, sipStatus, event.cause), sipStatus, q850 };
  return { outcome: unansweredOutcome(record, sipStatus, q850), sipStatus, q850 };
}

function answeredOutcome(record: LegRecord, sipStatus: number | null, cause: number): LegOutcome {
  if (record.hangup !== null || !isApp(record)) return 'completed';
  // A client whose ICE failed says BYE with Reason: SIP;cause=408. Where DTLS fails, Asterisk ends the call by itself: nobody
  // asked for it, and the cause is none, or 16 out of a bridge.
  return sipStatus === 408 || cause === 0 || !record.remoteEnded ? 'media-failed' : 'completed';
}

function unansweredOutcome(record: LegRecord, sipStatus: number | null, q850: number | null): LegOutcome {
  const { rang, hangup, trunk } = record;
  if (sipStatus !== null && !(hangup !== null && sipStatus === 487)) {
    const refusal = { sipStatus, q850, rang };
    return isApp(record) ? outcomeOfClient(refusal) : outcomeOfCarrier(refusal, trunk?.causeOverrides ?? []);
  }
  if (hangup !== null) return hangup === 'no-answer' ? 'no-answer' : 'cancelled';
  if (rang || record.progressed) return 'no-answer';
  return isApp(record) ? 'unreachable' : 'trunk-unreachable';
}

function isApp({ legId }: LegRecord): boolean {
  const kind = parseLegId(legId)?.kind;
  return kind === 'citizen-app' || kind === 'operator-app' || kind === 'supervisor-app';
}
