/** How calls by a trunk ended of late: a sliding window of bounded memory. */
import type { Instant } from '../ids.ts';

/** `reached`: not answered, but the carrier did its part (busy, no answer, declined). */
export type TryResult = 'answered' | 'reached' | 'failed';

export interface CallCounts {
  readonly attempts: number;
  readonly answered: number;
  readonly failed: number;
}

/** More than a trunk takes in five minutes, but for a flood: then the newest of them count. */
const MAX_KEPT = 4096;

interface Entry {
  readonly result: TryResult;
  readonly at: Instant;
}

export class CallWindow {
  readonly #lengthMs: number;
  /** Oldest first, from `#first` on. */
  #entries: Entry[] = [];
  #first = 0;
  readonly #count: Record<TryResult, number> = { answered: 0, reached: 0, failed: 0 };

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  note(result: TryResult, at: Instant): void {
    this.#entries.push({ result, at });
    this.#count[result] += 1;
    if (this.#entries.length - this.#first > MAX_KEPT) this.#forgetFirst();
  }

  /** Of what was noted within the window before `now`. */
  counts(now: Instant): CallCounts {
    for (;;) {
      const first = this.#entries[this.#first];
      if (!first || first.at > now - this.#lengthMs) break;
      this.#forgetFirst();
    }
    const { answered, reached, failed } = this.#count;
    return { attempts: answered + reached + failed, answered, failed };
  }

  #forgetFirst(): void {
    const first = this.#entries[this.#first];
    if (first) this.#count[first.result] -= 1;
    this.#first += 1;
    if (this.#first < MAX_KEPT) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}

/** (Answered + busy + no answer + declined) of all attempts; `null`: there were none. */
export function successRate({ attempts, failed }: CallCounts): number | null {
  return attempts === 0 ? null : (attempts - failed) / attempts;
}

/** Answered of all attempts; `null`: there were none. */
export function answerSeizureRatio({ attempts, answered }: CallCounts): number | null {
  return attempts === 0 ? null : answered / attempts;
}

export interface RateLimit {
  readonly minAttempts: number;
  /** Below it: too low. */
  readonly minRate: number;
  /** From it on: well again. */
  readonly wellRate: number;
}

/**
 * Whether the rate is too low. Fewer attempts than `minAttempts` say nothing new: what was too low stays so until enough
 * calls went well, or none failed in the whole window.
 */
export function isRateLow(counts: CallCounts, wasLow: boolean, limit: RateLimit): boolean {
  const { minAttempts, minRate, wellRate } = limit;
  if (counts.attempts >= minAttempts) return (successRate(counts) ?? 1) < (wasLow ? wellRate : minRate);
  return wasLow && counts.failed > 0;
}
