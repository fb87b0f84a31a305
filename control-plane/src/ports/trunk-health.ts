/** What is known of how trunks do. It orders them; it never empties the list (decision: one missed OPTIONS vetoes no SOS). */
import type { Instant } from '../domain/ids.ts';
import type { TrunkState } from '../domain/trunk/trunk-evidence.ts';
import type { TryReport } from '../domain/trunk/try-report.ts';

export type { TrunkState } from '../domain/trunk/trunk-evidence.ts';
export type { CallPurpose, TryReport } from '../domain/trunk/try-report.ts';

export interface TrunkHealth {
  report(report: TryReport): void;
  /** The engine's word by OPTIONS. */
  qualified(trunk: string, up: boolean, at: Instant): void;
  /** Nobody hears any more whether carriers answer. */
  engineLost(): void;
  stateOf(trunk: string): TrunkState;
  /** From the INVITE to the first 18x, as measured of late; null: too few calls to say. */
  p95PostDialDelayMs(trunk: string): number | null;
}

/** Tries that are written down, as they would have been reported: what a process that has just begun knows of the last minutes. */
export interface TryHistory {
  /** In the order in which things happened; at most `limit` tries, the newest. Errors throw `StoreError`. */
  since(at: Instant, limit: number): Promise<readonly TryReport[]>;
}
