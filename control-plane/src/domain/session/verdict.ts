/** What a verdict on a session is, and the limits that it is judged by. */
import type { Policy } from './policy.ts';

export interface Verdict {
  readonly id: string;
  /** Milliseconds; `null`: a rule without a time. */
  readonly limitMs: number | null;
  readonly valueMs: number | null;
  /** `null`: it does not apply to this session, or cannot be said yet; `reason` tells. */
  readonly ok: boolean | null;
  readonly reason: string | null;
}

/**
 * Limits in milliseconds. The first five are the seeds'; the others are our own and belong to rules that name no time
 * ("cleanly", "nothing is left behind").
 */
export const LIMITS = {
  offerMs: 500,
  activeMs: 3000,
  panelToldMs: 3000,
  fallbackMs: 2000,
  fallbackToldMs: 1000,
  /** How late a timer may be and count as on time. */
  lateMs: 500,
  /** For a leg that is given up to be gone. */
  releaseMs: 2000,
} as const;

/** What a session is judged by besides its milestones. */
export interface JudgedSession {
  readonly policy: Policy;
  readonly phase: string;
  /** Legs that the session still knows. */
  readonly standingLegs: number;
}
