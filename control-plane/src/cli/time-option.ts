/** A point in time as somebody types it: an ISO 8601 date or time, or how long ago. */
import { InvalidArgumentError } from 'commander';
import type { Instant } from '../domain/ids.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** A date alone is its first moment in UTC; a time says its zone. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

export const TIME_HINT = 'such as 2026-10-01, 2026-10-01T06:00+05:30, or how long ago: 30d, 12h, 90m';

export function parseTime(text: string, now: Instant): Instant {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  if (ago) return (now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ''] ?? 0)) as Instant;
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError(`It is a time ${TIME_HINT}.`);
  return at as Instant;
}
