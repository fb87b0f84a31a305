/**
 * Who is on shift by which connection. One connection holds the shift of an address of record; a newer one takes it
 * over. What the gateway is told about one address comes in order, and an end is repeated until it is heard:
 * a presence that outlives its panel would have calls offered to nobody.
 */
import type { AddressOfRecord, Instant, OperatorId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Log } from '../../ports/log.ts';

export interface ShiftHolder {
  /** Another connection of the same client has taken the shift. */
  shiftTaken(): void;
}

export interface ShiftDeskOptions {
  readonly gateway: Pick<Gateway, 'shift'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly retryMs?: number;
  readonly maxRetries?: number;
}

interface Desk {
  readonly operatorId: OperatorId;
  readonly aor: AddressOfRecord;
  holder: ShiftHolder | null;
  /** The last thing to be told; never rejects. */
  tail: Promise<void>;
  waiting: number;
}

export class ShiftDesk {
  readonly #options: Required<ShiftDeskOptions>;
  readonly #desks = new Map<AddressOfRecord, Desk>();

  constructor(options: ShiftDeskOptions) {
    this.#options = { retryMs: 1000, maxRetries: 600, ...options };
  }

  holds(aor: AddressOfRecord, holder: ShiftHolder): boolean {
    return this.#desks.get(aor)?.holder === holder;
  }

  /** Resolves when the gateway knows; rejects as the gateway does, and then nobody holds the shift. */
  async begin(operatorId: OperatorId, aor: AddressOfRecord, holder: ShiftHolder): Promise<void> {
    const desk = this.#deskOf(operatorId, aor);
    const previous = desk.holder;
    desk.holder = holder;
    if (previous && previous !== holder) previous.shiftTaken();
    try {
      await this.#enqueue(desk, () => this.#options.gateway.shift(operatorId, aor, true));
    } catch (error) {
      // Whether it was written is unknown: take it back.
      void this.end(aor, holder);
      throw error;
    }
  }

  /** Resolves when the gateway knows, or somebody began anew meanwhile. Nothing to do for who holds no shift. */
  async end(aor: AddressOfRecord, holder: ShiftHolder): Promise<void> {
    const desk = this.#desks.get(aor);
    if (desk?.holder !== holder) return;
    desk.holder = null;
    await this.#enqueue(desk, () => this.#tellEnd(desk));
  }

  /** When everything that is to be told now was told. */
  async settled(): Promise<void> {
    await Promise.all([...this.#desks.values()].map((desk) => desk.tail));
  }

  async #tellEnd(desk: Desk): Promise<void> {
    const { gateway, log, retryMs, maxRetries } = this.#options;
    for (let attempt = 0; this.#isFree(desk); attempt++) {
      try {
        await gateway.shift(desk.operatorId, desk.aor, false);
        return;
      } catch (error) {
        log.error('the end of a shift could not be recorded', {
          aor: desk.aor,
          attempt,
          reason: String(error),
        });
        if (attempt >= maxRetries) return;
        await this.#pause(retryMs);
      }
    }
  }

  #isFree(desk: Desk): boolean {
    return desk.holder === null;
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      clock.at((clock.now() + ms) as Instant, resolve);
    });
  }

  #deskOf(operatorId: OperatorId, aor: AddressOfRecord): Desk {
    let desk = this.#desks.get(aor);
    if (!desk) {
      desk = { operatorId, aor, holder: null, tail: Promise.resolve(), waiting: 0 };
      this.#desks.set(aor, desk);
    }
    return desk;
  }

  async #enqueue(desk: Desk, work: () => Promise<void>): Promise<void> {
    desk.waiting += 1;
    const done = desk.tail.then(work);
    desk.tail = done.catch(() => undefined);
    try {
      await done;
    } finally {
      desk.waiting -= 1;
      if (desk.waiting === 0 && this.#isFree(desk)) this.#desks.delete(desk.aor);
    }
  }
}
