/** Work that is done again and again by the clock, one round after the other, and at once when somebody asks. */
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** After a round that failed where none may. */
const AFTER_A_BUG_MS = 10_000;

export class Rounds {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #round: (isAsked: boolean) => Promise<number>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  /** `round` returns milliseconds until the next one. `isAsked`: it is not the clock that wants it. */
  constructor(clock: Clock, log: Log, round: (isAsked: boolean) => Promise<number>) {
    this.#clock = clock;
    this.#log = log;
    this.#round = round;
  }

  /** A whole round that begins after this call; many who ask share it. */
  now(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    if (!this.#running) return this.#begin(true);
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#isStopped ? undefined : this.#begin(true);
    });
    return this.#next;
  }

  /** The round that runs is waited for: its owner makes it end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
  }

  #begin(isAsked: boolean): Promise<void> {
    this.#cancel();
    this.#running = this.#run(isAsked).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(isAsked: boolean): Promise<void> {
    let nextInMs = AFTER_A_BUG_MS;
    try {
      nextInMs = await this.#round(isAsked);
    } catch (error) {
      this.#log.error('a look for secrets failed where it may not', { where: placeOf(error) });
    }
    if (this.#isStopped) return;
    const at = (this.#clock.now() + nextInMs) as Instant;
    this.#cancel = this.#clock.at(at, () => void this.#begin(false));
  }
}

/** Without its message, which may hold what was at hand. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 4).map((frame) => frame.trim())].join(' ');
}

/** Resolves when the work has, or when it has waited for so long. */
export function atMost(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at((clock.now() + ms) as Instant, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}
