/** What the backend may ask of telephone calls. `app/calls` implements it. */
import type { CallRecordView, CallView } from '../contracts/call-api.ts';
import type { CallState } from '../domain/call/call.ts';
import type { CallId, Instant } from '../domain/ids.ts';
import type { NumberRefusal } from '../domain/numbering/number-policy.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { CallRecordFilter } from './call-store.ts';
import type { Caller } from './gateway.ts';

export type CallsErrorCode =
  | 'ERR_CALL_NOT_FOUND'
  | 'ERR_CALL_STATE'
  | 'ERR_CALL_KEY_REUSED'
  | 'ERR_CALL_NUMBER_REFUSED'
  | 'ERR_CALL_CALLER_ID'
  | 'ERR_CALL_TOO_MANY'
  | 'ERR_CALL_UNAVAILABLE'
  | 'ERR_HTTP_RATE_LIMITED';

export interface CallsFailure {
  readonly ok: false;
  readonly code: CallsErrorCode;
  readonly detail: string;
  /** By field; values are never repeated. */
  readonly errors?: { path: string; message: string }[];
  readonly retryAfterS?: number;
}

export type CallsResult<T> = { readonly ok: true; readonly value: T } | CallsFailure;

export interface CallRequest {
  readonly to: string;
  readonly bridgeTo: readonly string[];
  readonly bridgeWhen: 'answered' | 'at-once';
  readonly ringTimeoutS: number;
  readonly maxDurationS: number;
  readonly callerId: string | null;
  readonly purpose: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly idempotencyKey: string;
  /** Of the body, keyed by the idempotency key: it tells another body, and no number. */
  readonly bodyHash: string;
  readonly receivedAt: Instant;
}

export interface CallListRequest {
  readonly states: readonly CallState[];
  readonly since: Instant | null;
  readonly until: Instant | null;
  readonly metadata: { readonly key: string; readonly value: string } | null;
  readonly before: CallId | null;
  readonly limit: number;
}

export interface Calls {
  /** `isNew` false: the same key brought the same body before. */
  create(
    caller: Caller,
    request: CallRequest,
  ): Promise<CallsResult<{ readonly call: CallView; readonly isNew: boolean }>>;
  view(caller: Caller, id: CallId): Promise<CallsResult<CallView>>;
  list(caller: Caller, request: CallListRequest): Promise<CallsResult<readonly CallView[]>>;
  /** In every state, repeatable. */
  hangUp(caller: Caller, id: CallId): Promise<CallsResult<CallView>>;
  hold(caller: Caller, id: CallId): Promise<CallsResult<CallView>>;
  unhold(caller: Caller, id: CallId): Promise<CallsResult<CallView>>;
  transfer(caller: Caller, id: CallId, to: string): Promise<CallsResult<CallView>>;
  records(filter: CallRecordFilter): Promise<readonly CallRecordView[]>;
  /** Whether a number can be somebody's telephone at all; `null`: as far as anybody knows. */
  registrationRefusal(number: PhoneNumber): NumberRefusal | null;
}
