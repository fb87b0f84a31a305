/** Requests per identity and minute. Addresses count nothing: Indian mobiles share them behind CGNAT. */
import type { Instant } from '../../domain/ids.ts';
import type { Caller } from '../../ports/gateway.ts';

export interface RateLimitSettings {
  readonly citizenPerMin: number;
  /** Operators, supervisors, admins. */
  readonly staffPerMin: number;
  readonly backendPerMin: number;
}

const WINDOW_MS = 60_000;
/** Beyond so many identities in one minute, the newcomers share one allowance. */
const MAX_IDENTITIES = 100_000;

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
    const own = `${caller.role}:${caller.subject}`;
    const key = this.#counts.has(own) || this.#counts.size < MAX_IDENTITIES ? own : 'others';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= this.#limitOf(caller)) return null;
    return Math.max(1, Math.ceil((this.#windowFrom + WINDOW_MS - now) / 1000));
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
