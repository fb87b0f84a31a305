/** Says that something was refused: always in the metric, in the log no more often than somebody could read. */
import { TokenBucket } from '../../domain/rate/token-bucket.ts';
import type { EdgeCode } from './edge-codes.ts';
import type { EdgeContext } from './edge-options.ts';
import type { SipRefusalCode } from '../../domain/sip/refusal-code.ts';

const LINES_PER_SECOND = 0.5;
const LINES_AT_ONCE = 10;

export class Refusals {
  readonly #context: EdgeContext;
  readonly #aor: string | null;
  readonly #lines: TokenBucket;

  /** `aor`: whose they are, where that is known. Never a message's content, a token or a ticket. */
  constructor(context: EdgeContext, aor: string | null = null) {
    this.#context = context;
    this.#aor = aor;
    this.#lines = new TokenBucket(LINES_PER_SECOND, LINES_AT_ONCE, context.clock.now());
  }

  note(code: EdgeCode | SipRefusalCode, side: 'client' | 'engine' = 'client'): void {
    this.#context.metrics.count('hamrahi_edge_refused_total', { code, side });
    if (this.#lines.take(this.#context.clock.now()))
      this.#context.log.warn('edge refused', { code, side, aor: this.#aor });
  }

  /** A refusal whose code came from the core: counted under one name, as labels come from a closed list. */
  noteAdmission(code: string): void {
    this.#context.metrics.count('hamrahi_edge_refused_total', { code: 'ERR_EDGE_ADMISSION', side: 'client' });
    if (this.#lines.take(this.#context.clock.now()))
      this.#context.log.warn('edge refused', { code, side: 'client' });
  }
}
