/** Whom a place of a call stands for: remembered while the call lives, so that dialling asks the store for nothing. */
import type { CallId } from '../../domain/ids.ts';
import type { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { CallPersonal, CallStore } from '../../ports/call-store.ts';

/** More than can be open at once, with those that are about to be. */
const MAX_REMEMBERED = 20_000;

type Parties = Pick<CallPersonal, 'numbers' | 'callerId'>;

export class CallNumbers {
  readonly #store: Pick<CallStore, 'find'>;
  readonly #known = new Map<CallId, Parties>();

  constructor(store: Pick<CallStore, 'find'>) {
    this.#store = store;
  }

  remember(callId: CallId, { numbers, callerId }: Parties): void {
    this.#known.delete(callId);
    this.#known.set(callId, { numbers, callerId });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }

  forget(callId: CallId): void {
    this.#known.delete(callId);
  }

  /** `null`: nobody knows, it was erased. Throws `StoreError`. */
  async of(
    callId: CallId,
    place: number,
  ): Promise<{ readonly number: PhoneNumber; readonly callerId: PhoneNumber | null } | null> {
    const known = this.#known.get(callId);
    const parties = known?.numbers[place] === undefined ? await this.#read(callId) : known;
    const number = parties?.numbers[place];
    return parties && number ? { number, callerId: parties.callerId } : null;
  }

  async #read(callId: CallId): Promise<Parties | null> {
    const personal = (await this.#store.find(callId))?.personal ?? null;
    if (personal) this.remember(callId, personal);
    return personal;
  }
}
