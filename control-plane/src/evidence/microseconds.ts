/** Time as it is hashed: the microseconds that PostgreSQL keeps, as whole numbers. */
import type { Instant } from '../domain/ids.ts';

/** Whole microseconds since 1970. */
export function microsecondsOf(instant: Instant): number {
  return Math.round(instant * 1000);
}
