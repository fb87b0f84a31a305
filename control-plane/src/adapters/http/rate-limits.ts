/**
 * Requests per minute, of a person and of each of her tokens. Addresses count nothing: Indian mobiles share them behind
 * CGNAT. Whoever has one token of hers can use up what is hers together, but not the share of her other tokens.
 */
import type { Instant } from '../../domain/ids.ts';
import { tokenOf, type Caller } from '../../ports/gateway.ts';

export interface RateLimitSettings {
  readonly citizenPerMin: number;
  /** Operators, supervisors, admins. */
  readonly staffPerMin: number;
  readonly backendPerMin: number;
}

const WINDOW_MS = 60_000;
/** Beyond so many identities in one minute, the newcomers share one allowance. */
const MAX_IDENTITIES = 100_000;
/** Of what a person may: a token that has used no more than this is served, whatever her other tokens did. */
const SHARE_OF_A_TOKEN = 0.25;

export class RateLimits {
  readonly #settings: RateLimitSettings;
  #windowFrom = 0;
  #counts = new Map<string, number>();

  constructor(settings: RateLimitSettings) {
    this.#settings = settings;
  }

  /** Counts one request; seconds to wait when it is one too many, else `null`. */
  take(caller: Caller, now: Instant): number | null {
    if (now - this.#windowFrom >= WINDOW_MS || now < this.#windowFrom) {
      this.#windowFrom = now;
      this.#counts = new Map();
    }
    const limit = this.#limitOf(caller);
    const ofToken = this.#count(tokenOf(caller));
    const isWithinShare = ofToken <= Math.ceil(limit * SHARE_OF_A_TOKEN);
    // What a token is sure to get counts for the person too: many tokens are not many times as much beyond their shares.
    const ofPerson = this.#count(`${caller.role}:${caller.subject}`);
    if (isWithinShare || ofPerson <= limit) return null;
    return Math.max(1, Math.ceil((this.#windowFrom + WINDOW_MS - now) / 1000));
  }

  #count(own: string): number {
    const key = this.#counts.has(own) || this.#counts.size < MAX_IDENTITIES ? own : 'others';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }

  #limitOf(caller: Caller): number {
    switch (caller.role) {
      case 'citizen':
        return this.#settings.citizenPerMin;
      case 'backend':
        return this.#settings.backendPerMin;
      case 'operator':
      case 'supervisor':
      case 'admin':
        return this.#settings.staffPerMin;
    }
  }
}
