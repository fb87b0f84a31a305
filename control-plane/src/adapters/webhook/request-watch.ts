/** One request under way: what it comes to, within its deadlines, whatever the other side does. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Instant } from '../../domain/ids.ts';
import type { AttemptResult, UnansweredReason } from '../../domain/webhook/judge-attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { ADDRESS_REFUSED, HOST_UNKNOWN } from './guarded-lookup.ts';
import { retryAfterMs } from './retry-after.ts';

/** From the name to a connection that may be written to, TLS included. */
export const CONNECT_MS = 5000;
/** Of the answer's body, which nobody looks at; what is longer ends the connection. */
export const MAX_ANSWER_BYTES = 4096;
/** An answer that is known gets this long to end, so that its connection can be used again. */
const DRAIN_MS = 1000;

/** Nothing came back. `wasStale`: the connection had lain idle, and was closed from the other side. */
export interface Unanswered {
  readonly reason: UnansweredReason;
  readonly wasStale: boolean;
}

export class RequestWatch {
  readonly #clock: Clock;
  readonly #request: ClientRequest;
  readonly #settle: (result: AttemptResult | Unanswered) => void;
  readonly #cancels: (() => void)[] = [];
  #isSettled = false;
  #isShakingHands = false;

  constructor(
    clock: Clock,
    request: ClientRequest,
    deadline: Instant,
    settle: (result: AttemptResult | Unanswered) => void,
  ) {
    this.#clock = clock;
    this.#request = request;
    this.#settle = settle;
    this.#cancels.push(clock.at(deadline, () => this.#giveUp('timeout')));
    request.on('socket', (socket) => this.#connecting(socket));
    request.on('response', (response) => this.#answered(response));
    request.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    // An upgrade that nobody asked for, or any other end without a word.
    request.on('close', () => this.#giveUp('connection'));
  }

  #connecting(socket: Socket): void {
    if (this.#request.reusedSocket || !socket.connecting) return;
    const cancel = this.#clock.at((this.#clock.now() + CONNECT_MS) as Instant, () =>
      this.#giveUp('connect-timeout'),
    );
    this.#cancels.push(cancel);
    if (!(socket instanceof TLSSocket)) {
      socket.once('connect', cancel);
      return;
    }
    socket.once('connect', () => {
      this.#isShakingHands = true;
    });
    socket.once('secureConnect', () => {
      this.#isShakingHands = false;
      cancel();
    });
  }

  #answered(response: IncomingMessage): void {
    const retryAfter = retryAfterMs(response.headers['retry-after'], this.#clock.wall());
    // The status says everything: a body that comes slowly changes nothing.
    this.#end({ kind: 'answered', status: response.statusCode ?? 0, retryAfterMs: retryAfter });
    const cancel = this.#clock.at((this.#clock.now() + DRAIN_MS) as Instant, () => response.destroy());
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) response.destroy();
    });
    response.on('error', () => undefined);
    response.on('close', cancel);
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { code = '' } = error;
    const wasCut = code === 'ECONNRESET' || code === 'EPIPE';
    this.#end({ reason: this.#reasonOf(code, wasCut), wasStale: wasCut && this.#request.reusedSocket });
  }

  #reasonOf(code: string, wasCut: boolean): UnansweredReason {
    if (code === ADDRESS_REFUSED) return 'refused-address';
    if (code === HOST_UNKNOWN) return 'unknown-host';
    if (code.startsWith('HPE_')) return 'malformed-answer';
    return this.#isShakingHands && !wasCut ? 'tls' : 'connection';
  }

  #giveUp(reason: UnansweredReason): void {
    if (this.#isSettled) return;
    this.#end({ reason, wasStale: false });
    this.#request.destroy();
  }

  #end(result: AttemptResult | Unanswered): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const cancel of this.#cancels) cancel();
    this.#settle(result);
  }
}
