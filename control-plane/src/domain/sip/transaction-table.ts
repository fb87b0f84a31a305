/** The engine's requests that one client may answer (RFC 3261 §17.2.3), in the order in which they came. Bounded. */
import type { SipRequest } from './sip-message.ts';

export interface EngineTransaction {
  readonly request: SipRequest;
  /** As it goes to the client. */
  readonly text: string;
  /** `X-Hamrahi-Leg` of a first INVITE. */
  readonly legId: string | null;
  readonly startedAt: number;
  /** Its first INVITE was written to a socket of the client. */
  offered: boolean;
  finalStatus: number | null;
  finalAt: number | null;
  /** The client's 2xx was refused in its stead: the engine's ACK to that must not reach the client. */
  overruled: boolean;
}

const MAX_TRANSACTIONS = 64;
/** RFC 3261 timers B and F are 32 s. */
const KEEP_MS = 40_000;
const KEEP_RINGING_MS = 300_000;

export class TransactionTable {
  readonly #transactions = new Map<string, EngineTransaction>();

  /** `false`: the client has too many unanswered requests. */
  open(request: SipRequest, text: string, legId: string | null, now: number): boolean {
    const key = keyOf(request.via.branch ?? '', request.method);
    if (this.#transactions.has(key)) return true;
    if (this.#transactions.size >= MAX_TRANSACTIONS) this.#sweep(now);
    if (this.#transactions.size >= MAX_TRANSACTIONS && !this.#forgetOldestAnswered()) return false;
    const fresh = { offered: false, finalStatus: null, finalAt: null, overruled: false };
    this.#transactions.set(key, { request, text, legId, startedAt: now, ...fresh });
    return true;
  }

  find(branch: string, method: string): EngineTransaction | null {
    return this.#transactions.get(keyOf(branch, method)) ?? null;
  }

  /** Requests without a final response that the engine still waits for: a client that is back gets them (again). */
  unanswered(now: number): readonly EngineTransaction[] {
    this.#sweep(now);
    return [...this.#transactions.values()].filter((transaction) => transaction.finalStatus === null);
  }

  #forgetOldestAnswered(): boolean {
    for (const [key, { finalStatus }] of this.#transactions)
      if (finalStatus !== null) return this.#transactions.delete(key);
    return false;
  }

  #sweep(now: number): void {
    for (const [key, transaction] of this.#transactions) {
      const limit =
        transaction.finalAt === null && transaction.request.method === 'INVITE' ? KEEP_RINGING_MS : KEEP_MS;
      if (now - (transaction.finalAt ?? transaction.startedAt) > limit) this.#transactions.delete(key);
    }
  }
}

function keyOf(branch: string, method: string): string {
  return `${method} ${branch}`;
}
