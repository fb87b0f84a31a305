import type { Instant } from '../../domain/ids.ts';

export function instantAfter(now: Instant, ms: number): Instant {
  return (now + ms) as Instant;
}
