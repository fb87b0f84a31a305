/** Requests that wait for their answer: each has a deadline, and there is a limit to their number. */
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PbxErrorCode } from '../../ports/pbx-driver.ts';
import { codeOfHttpStatus, type AriResult } from './ari-result.ts';

/** The answer as it stands in a `RESTResponse`. */
export interface AriAnswer {
  readonly status: number;
  readonly body: string | undefined;
}

interface Pending {
  /** `GET /channels/{channelId}`, for messages. */
  readonly name: string;
  readonly settle: (result: AriResult<unknown>) => void;
  readonly cancelDeadline: () => void;
}

export class PendingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Opens a request; `result` settles by answer(), at the deadline, or by failAll(), whichever comes first. */
  open(name: string, timeoutMs: number): { id: string; result: Promise<AriResult<unknown>> } {
    this.#lastId += 1;
    const id = String(this.#lastId);
    const result = new Promise<AriResult<unknown>>((settle) => {
      const deadline = (this.#clock.now() + timeoutMs) as Instant;
      const cancelDeadline = this.#clock.at(deadline, () => this.#fail(id, 'ERR_PBX_TIMEOUT'));
      this.#pending.set(id, { name, settle, cancelDeadline });
    });
    return { id, result };
  }

  /** Returns false for an answer that nobody waits for any more. */
  answer(id: string, { status, body }: AriAnswer): boolean {
    const pending = this.#take(id);
    if (pending === undefined) return false;
    if (status >= 200 && status < 300) {
      pending.settle(parsed(pending.name, body));
    } else {
      const detail = `${pending.name}: ${status}`;
      pending.settle({ ok: false, code: codeOfHttpStatus(status), httpStatus: status, detail });
    }
    return true;
  }

  failAll(code: PbxErrorCode): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, code);
  }

  #fail(id: string, code: PbxErrorCode): void {
    const pending = this.#take(id);
    pending?.settle({ ok: false, code, httpStatus: null, detail: `${pending.name}: no answer` });
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cancelDeadline();
    return pending;
  }
}

function parsed(name: string, body: string | undefined): AriResult<unknown> {
  if (body === undefined || body === '') return { ok: true, value: null };
  try {
    return { ok: true, value: JSON.parse(body) };
  } catch {
    return { ok: false, code: 'ERR_PBX_REFUSED', httpStatus: null, detail: `${name}: the answer is no JSON` };
  }
}
