/**
 * What a final SIP status means for a leg. Engines' own causes are too coarse (403 and 603 both become Q.850 21),
 * so the status decides where there is one, and the cause only refines it (RFC 3398, RFC 6432).
 */
import type { LegOutcome } from '../session/leg.ts';
import type { CauseOverride } from './trunk.ts';

/** What refused a call that never rang is the network's, not the person's. */
export interface Refusal {
  readonly sipStatus: number;
  /** Q.850 cause; a carrier's Reason header, where it sent one. */
  readonly q850: number | null;
  /** A 180 was seen. 183 is no ringing: announcements ("switched off") come in early media. */
  readonly rang: boolean;
}

/** Q.850 causes of a network without room, which a carrier may give beside 480. */
const NO_ROOM: ReadonlySet<number> = new Set([34, 38, 41, 42, 47]);

/** Of a leg that a carrier refused. `overrides`: the trunk's own table. */
export function outcomeOfCarrier(refusal: Refusal, overrides: readonly CauseOverride[]): LegOutcome {
  const { sipStatus, q850, rang } = refusal;
  const override = overrides.find((entry) => entry.sipStatus === sipStatus);
  if (override !== undefined) return override.outcome;
  switch (sipStatus) {
    case 486:
    case 600:
      return 'busy';
    case 603:
    case 607:
    case 608:
      return 'rejected';
    case 480:
      if (q850 !== null && NO_ROOM.has(q850)) return 'congestion';
      return rang ? 'no-answer' : 'unreachable';
    case 408:
      return rang ? 'no-answer' : 'trunk-unreachable';
    case 404:
    case 410:
    case 484:
    case 485:
    case 604:
      return 'invalid-number';
    // refused by address, account, caller id or codec: another trunk may do; 487 that nobody asked for (some
    // carriers answer so when `;user=phone` is missing)
    case 401:
    case 402:
    case 403:
    case 407:
    case 415:
    case 487:
    case 488:
    case 504:
    case 606:
      return 'trunk-unreachable';
    default:
      if (sipStatus >= 600) return 'rejected';
      return sipStatus >= 500 ? 'congestion' : 'unreachable';
  }
}

/** Of a leg that a client of ours (an app, a panel) refused. */
export function outcomeOfClient({ sipStatus, rang }: Refusal): LegOutcome {
  switch (sipStatus) {
    case 486:
    case 600:
      return 'busy';
    case 603:
      return 'rejected';
    // no common codec, or media that could not be set up
    case 488:
    case 606:
      return 'media-failed';
    case 408:
    case 480:
      return rang ? 'no-answer' : 'unreachable';
    // nobody is there; 430 and 503: the way to the client broke
    case 404:
    case 410:
    case 430:
    case 503:
      return 'unreachable';
    // an app that answers with an error has been reached (RTC-7)
    default:
      return 'rejected';
  }
}
