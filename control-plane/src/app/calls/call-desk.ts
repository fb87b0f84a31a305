/** The use cases around telephone calls, as HTTP calls them. */
import type { CallView } from '../../contracts/call-api.ts';
import type { CallEvent } from '../../domain/call/event.ts';
import { isLiveCall } from '../../domain/call/call.ts';
import type { CallId } from '../../domain/ids.ts';
import { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import type { NumberRefusal } from '../../domain/numbering/number-policy.ts';
import { KeyedRate } from '../../domain/rate/keyed-rate.ts';
import type { CallPersonal, CallRecordFilter, CallStore, CallTx, KnownCall } from '../../ports/call-store.ts';
import type {
  CallListRequest,
  CallRequest,
  Calls,
  CallsErrorCode,
  CallsFailure,
  CallsResult,
} from '../../ports/calls.ts';
import type { Clock } from '../../ports/clock.ts';
import { nameOf, tokenOf } from '../../ports/gateway.ts';
import type { Caller } from '../../ports/gateway.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { CallLoop, CallOutcome } from './call-loop.ts';
import type { CallFound } from './call-write-of.ts';

/** What is asked of a call, as its transaction found it. */
type Asked = CallFound & { readonly event: CallEvent };
import type { CallNumbers } from './call-numbers.ts';
import { callRecordViewOf, callViewOf } from './call-view.ts';
import type { NumberJudge } from './number-judge.ts';

/** Of one call; each has a number of its own, or one that was called before. */
const MAX_PARTIES = 20;

export interface CallDeskPorts {
  readonly store: CallStore;
  readonly loop: CallLoop;
  readonly numbers: CallNumbers;
  readonly judge: NumberJudge;
  readonly ownsCallerId: (number: PhoneNumber) => boolean;
  readonly open: { readonly size: number };
  readonly maxOpen: number;
  readonly ratePerS: number;
  readonly newId: () => CallId;
  /** The engine takes orders. */
  readonly isEngineThere: () => boolean;
  readonly isStoreAway: () => boolean;
  readonly clock: Clock;
}

/** What a transaction found instead of an event. */
class Refusal extends Error {
  readonly failure: CallsFailure;
  constructor(failure: CallsFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

export class CallDesk implements Calls {
  readonly #ports: CallDeskPorts;
  readonly #rate: KeyedRate;
  /** Begun, and not yet known as open. */
  #beginning = 0;

  constructor(ports: CallDeskPorts) {
    this.#ports = ports;
    this.#rate = new KeyedRate({ perSecond: ports.ratePerS, burst: 2 * ports.ratePerS });
  }

  async create(
    caller: Caller,
    request: CallRequest,
  ): Promise<CallsResult<{ readonly call: CallView; readonly isNew: boolean }>> {
    const judged = this.#judged(request);
    if ('code' in judged) return judged;
    const unable = this.#unable(caller);
    if (unable) return unable;
    const { newId, loop, numbers } = this.#ports;
    const id = newId();
    // Before the commit: the call is dialled the moment after it.
    numbers.remember(id, judged);
    this.#beginning += 1;
    try {
      const found: { other: CallId | null } = { other: null };
      const outcome = await loop.asked(id, request.receivedAt, (tx) =>
        this.#begin(tx, caller, request, id, judged, found),
      );
      if (found.other !== null) {
        numbers.forget(id);
        const known = await this.#own(caller, found.other);
        return known.ok ? { ok: true, value: { call: known.value, isNew: false } } : known;
      }
      if (!outcome) throw new Error('a call began and is not there');
      const call = callViewOf({ call: outcome.after, seq: outcome.seq, personal: judged }, true);
      return { ok: true, value: { call, isNew: true } };
    } catch (error) {
      numbers.forget(id);
      if (error instanceof Refusal) return error.failure;
      throw error;
    } finally {
      this.#beginning -= 1;
    }
  }

  async view(caller: Caller, id: CallId): Promise<CallsResult<CallView>> {
    return this.#own(caller, id);
  }

  async list(caller: Caller, request: CallListRequest): Promise<CallsResult<readonly CallView[]>> {
    const createdBy = nameOf(caller);
    const { metadata, ...filter } = request;
    const found = await this.#ports.store.list({
      ...filter,
      createdBy: caller.role === 'admin' ? null : createdBy,
      metadata: metadata && { ...metadata, createdBy },
    });
    return { ok: true, value: found.map((known) => callViewOf(known, isOwn(caller, known))) };
  }

  hangUp(caller: Caller, id: CallId): Promise<CallsResult<CallView>> {
    return this.#act(caller, id, { type: 'api.hung-up' }, '');
  }

  hold(caller: Caller, id: CallId): Promise<CallsResult<CallView>> {
    return this.#act(caller, id, { type: 'api.hold-requested' }, 'Nobody speaks with anybody in this call.');
  }

  unhold(caller: Caller, id: CallId): Promise<CallsResult<CallView>> {
    return this.#act(caller, id, { type: 'api.unhold-requested' }, 'This call is not on hold.');
  }

  async transfer(caller: Caller, id: CallId, to: string): Promise<CallsResult<CallView>> {
    const { numbers, errors } = this.#ports.judge.judge([['to', to]]);
    const [number] = numbers;
    if (!number) return refusedNumbers(errors);
    const unable = this.#unable(caller);
    if (unable) return unable;
    const known = await this.#own(caller, id);
    if (!known.ok) return known;
    const refusal =
      'Only a party that has answered, and for whom nobody is being called, is transferred; and not to itself, nor to who is being hung up.';
    return this.#asked(caller, id, (tx) => this.#transferTo(tx, id, number), refusal);
  }

  async records(filter: CallRecordFilter): ReturnType<Calls['records']> {
    return (await this.#ports.store.records(filter)).map(callRecordViewOf);
  }

  registrationRefusal(number: PhoneNumber): NumberRefusal | null {
    return this.#ports.judge.registrationRefusal(number);
  }

  async #begin(
    tx: CallTx,
    caller: Caller,
    request: CallRequest,
    id: CallId,
    personal: CallPersonal,
    found: { other: CallId | null },
  ): Promise<Asked | null> {
    const createdBy = nameOf(caller);
    const { idempotencyKey, bodyHash, purpose, bridgeWhen } = request;
    const claim = await tx.claimKey(createdBy, idempotencyKey, bodyHash, id);
    if (claim.seen === 'other-body')
      throw new Refusal(failed('ERR_CALL_KEY_REUSED', 'Another body came under this key within 24 hours.'));
    if (claim.seen === 'same') {
      // Under our own id: a commit whose outcome nobody knew was made after all.
      const before = claim.callId === id ? await tx.load(id) : null;
      if (before) return { before, event: { type: 'api.created', call: before.call } };
      found.other = claim.callId;
      return null;
    }
    const { open, maxOpen } = this.#ports;
    if (open.size + this.#beginning > maxOpen)
      throw new Refusal({
        ...failed('ERR_CALL_TOO_MANY', `At most ${maxOpen} calls are open at once.`),
        retryAfterS: 1,
      });
    const plan = {
      bridges: request.bridgeTo.length,
      bridgeWhen,
      ringTimeoutMs: request.ringTimeoutS * 1000,
      maxDurationMs: request.maxDurationS * 1000,
    };
    const event: CallEvent = { type: 'api.created', call: { id, createdBy, purpose, plan } };
    return { before: null, event, personal };
  }

  async #transferTo(tx: CallTx, id: CallId, number: PhoneNumber): Promise<Asked | null> {
    const before = await tx.load(id);
    if (!before) return null;
    const parties = await tx.numbers(id);
    const known = parties.findIndex((party) => party.equals(number));
    const place = known === -1 ? parties.length : known;
    if (parties.length === 0 || place >= MAX_PARTIES)
      throw new Refusal(failed('ERR_CALL_STATE', `A call has at most ${MAX_PARTIES} parties.`));
    this.#ports.numbers.forget(id);
    const event: CallEvent = { type: 'api.transfer-requested', place };
    return { before, event, ...(known === -1 ? { added: number } : {}) };
  }

  #judged(request: CallRequest): CallPersonal | CallsFailure {
    const { judge, ownsCallerId } = this.#ports;
    const fields = request.bridgeTo.map((text, index) => [`bridgeTo.${index}`, text] as const);
    const { numbers, errors } = judge.judge([['to', request.to], ...fields]);
    if (errors.length > 0) return refusedNumbers(errors);
    const callerId = request.callerId === null ? null : PhoneNumber.parse(request.callerId);
    if (request.callerId !== null && (callerId === null || !ownsCallerId(callerId)))
      return failed('ERR_CALL_CALLER_ID', 'callerId is not one of a trunk’s own numbers.');
    return { numbers, callerId, metadata: request.metadata };
  }

  /** What keeps this node from calling anybody for this caller now. */
  #unable(caller: Caller): CallsFailure | null {
    const { isStoreAway, isEngineThere, clock } = this.#ports;
    if (!this.#rate.take(tokenOf(caller), clock.now()))
      return {
        ...failed('ERR_HTTP_RATE_LIMITED', 'More calls a second than a token may place.'),
        retryAfterS: 1,
      };
    if (isStoreAway()) throw new StoreError('ERR_STORE_UNAVAILABLE', 'the database is away');
    return isEngineThere() ? null : failed('ERR_CALL_UNAVAILABLE', 'The engine is out of reach.');
  }

  async #act(caller: Caller, id: CallId, event: CallEvent, refusal: string): Promise<CallsResult<CallView>> {
    const known = await this.#own(caller, id);
    if (!known.ok) return known;
    const find = async (tx: CallTx): Promise<Asked | null> => {
      const before = await tx.load(id);
      return before && { before, event };
    };
    return this.#asked(caller, id, find, refusal);
  }

  async #asked(
    caller: Caller,
    id: CallId,
    find: (tx: CallTx) => Promise<Asked | null>,
    refusal: string,
  ): Promise<CallsResult<CallView>> {
    const { loop, clock, isStoreAway } = this.#ports;
    if (isStoreAway()) throw new StoreError('ERR_STORE_UNAVAILABLE', 'the database is away');
    let outcome: CallOutcome | null;
    try {
      outcome = await loop.asked(id, clock.now(), find);
    } catch (error) {
      if (error instanceof Refusal) return error.failure;
      throw error;
    }
    if (!outcome) return notFound();
    if (outcome.verdict !== 'refused') return this.#own(caller, id);
    return failed('ERR_CALL_STATE', isLiveCall(outcome.after) ? refusal : 'This call is over.');
  }

  /** A backend has the calls that it asked for; an admin sees all of them. */
  async #own(caller: Caller, id: CallId): Promise<CallsResult<CallView>> {
    const known = await this.#ports.store.find(id);
    if (!known || (caller.role !== 'admin' && !isOwn(caller, known))) return notFound();
    return { ok: true, value: callViewOf(known, isOwn(caller, known)) };
  }
}

function isOwn(caller: Caller, { call }: KnownCall): boolean {
  return call.createdBy === nameOf(caller);
}

function failed(code: CallsErrorCode, detail: string): CallsFailure {
  return { ok: false, code, detail };
}

function notFound(): CallsFailure {
  return failed('ERR_CALL_NOT_FOUND', 'There is no such call.');
}

function refusedNumbers(errors: readonly { path: string; message: string }[]): CallsFailure {
  return {
    ...failed('ERR_CALL_NUMBER_REFUSED', 'A number cannot be called.'),
    errors: errors.map(({ path, message }) => ({ path, message })),
  };
}
