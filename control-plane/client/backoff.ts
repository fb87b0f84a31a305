/** How long a client waits before it tries again: doubled each time, never given up. */

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maximumMs: number;
}

/** The gateway's advice for every connection of a client: 100 ms, doubled up to 2 s, for ever. */
export const RECONNECT_BACKOFF: BackoffOptions = { firstMs: 100, maximumMs: 2_000 };

export class Backoff {
  private readonly options: BackoffOptions;
  private failures = 0;
  private wake: (() => void) | null = null;

  constructor(options: BackoffOptions = RECONNECT_BACKOFF) {
    this.options = options;
  }

  /** The wait after this many failures in a row (0: the first); up to a fifth is left off by `random`, 0 to 1. */
  static delayMs(failures: number, random: number, options: BackoffOptions = RECONNECT_BACKOFF): number {
    const full = Math.min(options.maximumMs, options.firstMs * 2 ** Math.min(failures, 30));
    return full * (1 - random / 5);
  }

  /** It worked: the next failure starts at `firstMs` again. */
  reset(): void {
    this.failures = 0;
  }

  /** Waits after a failure, at least `leastMs`; resolves early when `hurry()` is called. */
  async wait(leastMs = 0): Promise<void> {
    const delayMs = Math.max(leastMs, Backoff.delayMs(this.failures, Math.random(), this.options));
    this.failures += 1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  /** There is a reason to try now: the network is back, or somebody pressed SOS. */
  hurry(): void {
    this.wake?.();
  }
}
