/** What is known of one trunk's health: its state, how its calls ended of late, and how long they took to ring. */
import type { Instant } from '../ids.ts';
import type { LegOutcome } from '../session/leg.ts';
import { answerSeizureRatio, CallWindow, isRateLow, successRate } from './call-window.ts';
import { PostDialDelays } from './post-dial-delays.ts';
import { evidenceOfEnd, resultOfEnd } from './try-evidence.ts';
import type { TryReport } from './try-report.ts';
import {
  groundsForDown,
  judge,
  noteCall,
  noteWord,
  NO_EVIDENCE,
  type EvidenceTimes,
  type TrunkGround,
  type TrunkState,
} from './trunk-evidence.ts';

export const RATE_WINDOW_MS = 300_000;
const RATE_LIMIT = { minAttempts: 10, minRate: 0.9, wellRate: 0.92 };
/** Tries of which a first 18x was seen; more are not under way at once. */
const MAX_RUNG = 2000;

export interface TrunkFailure {
  readonly at: Instant;
  readonly outcome: LegOutcome;
  readonly sipStatus: number | null;
  readonly q850: number | null;
  readonly silent: boolean;
}

export interface TrunkOverview {
  readonly state: TrunkState;
  /** Why it is down. */
  readonly against: readonly TrunkGround[];
  readonly attempts: number;
  readonly successRate: number | null;
  readonly isRateLow: boolean;
  readonly answerSeizureRatio: number | null;
  readonly p50PostDialDelayMs: number | null;
  readonly p95PostDialDelayMs: number | null;
  readonly lastFailure: TrunkFailure | null;
}

export class TrunkHealthRecord {
  readonly #times: EvidenceTimes;
  readonly #calls = new CallWindow(RATE_WINDOW_MS);
  readonly #delays = new PostDialDelays();
  readonly #rung = new Set<string>();
  #evidence = NO_EVIDENCE;
  #isRateLow = false;
  #lastFailure: TrunkFailure | null = null;

  constructor(times: EvidenceTimes) {
    this.#times = times;
  }

  /** `firstRingMs`: the post-dial delay, where this was the first 18x of its try. */
  note(report: TryReport): { readonly firstRingMs: number | null } {
    const { what, at, purpose } = report;
    switch (what) {
      case 'dialled':
        return { firstRingMs: null };
      case 'progress':
      case 'ringing':
        this.#evidence = noteCall(this.#evidence, 'good', at);
        return { firstRingMs: this.#ring(report) };
      case 'answered':
        this.#evidence = noteCall(this.#evidence, 'good', at);
        if (purpose !== 'synthetic') this.#calls.note('answered', at);
        return { firstRingMs: null };
      case 'ended':
        this.#end(report);
        return { firstRingMs: null };
    }
  }

  /** A word of OPTIONS or of the registration; `null`: nobody can tell any more. */
  told(from: 'options' | 'registration', good: boolean | null, at: Instant): void {
    this.#evidence = noteWord(this.#evidence, from, good, at);
  }

  state(now: Instant): TrunkState {
    this.#evidence = judge(this.#evidence, this.#times, now);
    return this.#evidence.state;
  }

  p95PostDialDelayMs(now: Instant): number | null {
    return this.#delays.percentile(0.95, now);
  }

  overview(now: Instant): TrunkOverview {
    const counts = this.#calls.counts(now);
    this.#isRateLow = isRateLow(counts, this.#isRateLow, RATE_LIMIT);
    return {
      state: this.state(now),
      against: groundsForDown(this.#evidence, this.#times, now),
      attempts: counts.attempts,
      successRate: successRate(counts),
      isRateLow: this.#isRateLow,
      answerSeizureRatio: answerSeizureRatio(counts),
      p50PostDialDelayMs: this.#delays.percentile(0.5, now),
      p95PostDialDelayMs: this.p95PostDialDelayMs(now),
      lastFailure: this.#lastFailure,
    };
  }

  #ring({ id, purpose, at, afterMs }: TryReport): number | null {
    if (id !== undefined) {
      if (this.#rung.has(id)) return null;
      this.#rung.add(id);
      const [oldest] = this.#rung;
      if (this.#rung.size > MAX_RUNG && oldest !== undefined) this.#rung.delete(oldest);
    }
    if (purpose === 'synthetic') return null;
    this.#delays.note(afterMs, at);
    return afterMs;
  }

  #end(report: Extract<TryReport, { what: 'ended' }>): void {
    const { id, at, purpose, outcome, sipStatus, q850, silent } = report;
    if (id !== undefined) this.#rung.delete(id);
    const evidence = evidenceOfEnd(report);
    if (evidence !== null) this.#evidence = noteCall(this.#evidence, evidence, at);
    const result = resultOfEnd(report);
    if (result === null) return;
    if (purpose !== 'synthetic') this.#calls.note(result, at);
    if (result === 'failed') this.#lastFailure = { at, outcome, sipStatus, q850, silent };
  }
}
