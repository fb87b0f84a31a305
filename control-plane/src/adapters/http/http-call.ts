/** One request as a handler sees it, and what a handler answers: plain values, no Express. */
import type { z } from 'zod';
import type { Problem } from '../../contracts/common.ts';
import type { ErrorCode } from '../../contracts/error-table.ts';
import type { Operation } from '../../contracts/operation.ts';
import type { OPERATIONS, OperationId } from '../../contracts/operations.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Caller } from '../../ports/gateway.ts';
import type { ReadBody } from './read-body.ts';

type Table = typeof OPERATIONS;
type Parsed<O, Part extends 'params' | 'query' | 'body'> =
  O extends Record<Part, infer S extends z.ZodType> ? z.output<S> : undefined;

export interface Call<K extends OperationId = OperationId> {
  /** From the verified token, of a role that the operation permits. */
  readonly caller: Table[K]['roles'] extends 'public' ? null : Caller;
  /** When the request's head arrived, before its body was read. */
  readonly receivedAt: Instant;
  readonly params: Parsed<Table[K], 'params'>;
  readonly query: Parsed<Table[K], 'query'>;
  /** Checked by the contract, except for lenient operations, which read `raw` themselves. */
  readonly body: Table[K] extends { lenient: true } ? undefined : Parsed<Table[K], 'body'>;
  readonly raw: ReadBody;
  readonly idempotencyKey: string | null;
}

export type Outcome =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly errors?: Problem['errors'];
      readonly retryAfterS?: number;
    };

export type Handler<K extends OperationId> = (call: Call<K>) => Promise<Outcome>;
export type Handlers = { readonly [K in OperationId]: Handler<K> };

export function operationOf(operations: Table, id: OperationId): Operation {
  return operations[id];
}

export function reply(status: number, body: unknown): Outcome {
  return { ok: true, status, body };
}

export function failure(code: ErrorCode, detail: string, errors?: Problem['errors']): Outcome {
  return { ok: false, code, detail, ...(errors ? { errors } : {}) };
}

/** The value of a use case as the body of a response, or its failure. */
export function outcomeOf(
  result:
    | { readonly ok: true; readonly value: unknown }
    | { readonly ok: false; readonly code: ErrorCode; readonly detail: string },
  status = 200,
): Outcome {
  return result.ok ? reply(status, result.value) : failure(result.code, result.detail);
}
