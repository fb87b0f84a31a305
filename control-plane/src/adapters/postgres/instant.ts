/** Instants as timestamptz and back, exact to the microsecond that PostgreSQL keeps. */
import type { Instant } from '../../domain/ids.ts';
import { microsecondsOf } from '../../evidence/microseconds.ts';

/** As the database will return it. */
export function toMicrosecond(instant: Instant): Instant {
  return (microsecondsOf(instant) / 1000) as Instant;
}

/** `2026-01-31T12:00:00.123456Z`. Throws RangeError for what is no time. */
export function timestampText(instant: Instant): string {
  const microseconds = microsecondsOf(instant);
  const seconds = Math.floor(microseconds / 1_000_000);
  const fraction = String(microseconds - seconds * 1_000_000).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${fraction}Z`;
}

export function timestampTextOrNull(instant: Instant | null): string | null {
  return instant === null ? null : timestampText(instant);
}

/** The SQL that reads a timestamptz as an instant; computed in numeric, so that no digit is lost. */
export function instantSql(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}
