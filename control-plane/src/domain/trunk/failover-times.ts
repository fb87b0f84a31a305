/** When an SOS that shows no sign of life on a trunk gets another trunk beside it. */
import type { Trunk } from './trunk.ts';

/**
 * Milliseconds from the INVITE; null: never on this trunk. `measuredMs`: its p95 from INVITE to the first 18x as measured
 * of late, null: too few calls to say. Never before what the file says: a quick morning must not hedge a slow mobile.
 */
export function hedgeAfterMs(
  { failover, p95PostDialDelayMs }: Pick<Trunk, 'failover' | 'p95PostDialDelayMs'>,
  measuredMs: number | null,
): number | null {
  if (!failover.hedge) return null;
  return Math.max(p95PostDialDelayMs, Math.min(measuredMs ?? 0, failover.hedgeMostMs));
}
