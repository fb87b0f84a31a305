/** What one attempt to deliver means, and when the next one is due (Standard Webhooks, "Webhooks reliability"). */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first failure, the second, …: close together at first, because an SOS is over within minutes. */
export const RETRY_DELAYS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 5, 30].map((minutes) => minutes * MINUTE_MS),
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
];
/** Either way, so that what failed together does not come back together. */
const JITTER = 0.1;
/** With it all retries together take four days at the most, whatever is wished. */
const LONGEST_WISH_MS = HOUR_MS;

/** Why nobody answered; `refused-address`: the guard against requests into our own network. */
export type UnansweredReason =
  | 'refused-address'
  | 'unknown-host'
  | 'connect-timeout'
  | 'timeout'
  | 'connection'
  | 'tls'
  | 'malformed-answer'
  /** The endpoint's secret cannot be opened: nothing was sent. */
  | 'secret-unreadable';

/** As the delivery log has it. */
export type AttemptReason = UnansweredReason | 'status' | 'redirect' | 'gone';

export type AttemptResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** What Retry-After asked for, from the answer on. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'unanswered'; readonly reason: UnansweredReason };

export type AttemptVerdict =
  | { readonly next: 'delivered' }
  | { readonly next: 'again'; readonly afterMs: number }
  /** For good; by hand it can be sent again. */
  | { readonly next: 'given-up' }
  /** The receiver wants no more of any (410). */
  | { readonly next: 'gone' };

/** Too many requests, or a server that is away for the moment: it knows best when to come back, within reason. */
const THROTTLES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** `failuresBefore`: of this delivery. `chance`: from 0 to 1. */
export function judgeAttempt(result: AttemptResult, failuresBefore: number, chance: number): AttemptVerdict {
  if (result.kind === 'answered' && result.status >= 200 && result.status < 300) return { next: 'delivered' };
  if (result.kind === 'answered' && result.status === 410) return { next: 'gone' };
  const delayMs = RETRY_DELAYS_MS[failuresBefore];
  if (delayMs === undefined) return { next: 'given-up' };
  const jittered = delayMs * (1 - JITTER + 2 * JITTER * chance);
  const isThrottled = result.kind === 'answered' && THROTTLES.has(result.status);
  const wishMs = isThrottled ? Math.min(result.retryAfterMs ?? 0, LONGEST_WISH_MS) : 0;
  return { next: 'again', afterMs: Math.max(jittered, wishMs) };
}

/** Of a failure. A redirect is never followed: it leads where nobody has agreed to. */
export function reasonOf(result: AttemptResult): AttemptReason {
  if (result.kind === 'unanswered') return result.reason;
  if (result.status >= 300 && result.status < 400) return 'redirect';
  return result.status === 410 ? 'gone' : 'status';
}
