/** How long a trunk's calls took of late until they rang: from the INVITE to the first 18x. */
import type { Instant } from '../ids.ts';

const MAX_KEPT = 200;
/** An SOS is rare: what was measured hours ago still says more than a default. */
const KEPT_MS = 6 * 3_600_000;
const MIN_SAMPLES = 20;

export class PostDialDelays {
  /** Oldest first. */
  #samples: { readonly delayMs: number; readonly at: Instant }[] = [];

  note(delayMs: number, at: Instant): void {
    this.#samples.push({ delayMs, at });
    if (this.#samples.length > MAX_KEPT) this.#samples.shift();
  }

  /** The value that the share `p` of the samples does not exceed; `null`: too few to say. */
  percentile(p: number, now: Instant): number | null {
    this.#samples = this.#samples.filter(({ at }) => at > now - KEPT_MS);
    if (this.#samples.length < MIN_SAMPLES) return null;
    const sorted = this.#samples.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? null;
  }
}
