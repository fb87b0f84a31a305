import type { Instant } from '../../domain/ids.ts';

/** RFC 3339, UTC, milliseconds. */
export function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}
