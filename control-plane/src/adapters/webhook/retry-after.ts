/** `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. */

const SECONDS = /^\d{1,9}$/;
/** IMF-fixdate, and the two obsolete forms that a recipient has to take. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .{10,30}$/;

/** Milliseconds from `now` on, at least 0; null: it is missing, or says nothing that can be understood. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Number(text) * 1000;
  if (!DATE.test(text)) return null;
  // The oldest form (asctime) names no zone and means UTC, as all of them do.
  const at = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
