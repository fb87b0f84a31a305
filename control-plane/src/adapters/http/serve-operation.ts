/** The way of every API request: who is it, may they, is the request good, what does the use case say. */
import type { Request, RequestHandler } from 'express';
import type { z } from 'zod';
import type { Problem } from '../../contracts/common.ts';
import { isErrorCode } from '../../contracts/error-table.ts';
import type { Operation } from '../../contracts/operation.ts';
import type { Instant } from '../../domain/ids.ts';
import { bearerOf, type Authenticator } from '../../ports/authenticator.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Caller } from '../../ports/gateway.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { arrivalOf } from './arrival.ts';
import { failure, type Outcome } from './http-call.ts';
import type { RateLimits } from './rate-limits.ts';
import { NO_BODY, parseJson, readBody, type ReadBody } from './read-body.ts';
import { DeadlineExceeded, withDeadline } from './with-deadline.ts';
import { writeOutcome } from './write-reply.ts';

export interface ServeContext {
  readonly authenticator: Authenticator;
  readonly rateLimits: RateLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bodyTimeoutMs: number;
  /** How long an activation waits for its body before it is served without. */
  readonly activationBodyTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  /** The request showed a good token. */
  readonly recognised: (request: Request, caller: Caller) => void;
}

/** A handler whose call was checked against the operation it is registered for. */
export type AnyHandler = (call: {
  readonly caller: Caller | null;
  readonly receivedAt: Instant;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly raw: ReadBody;
  readonly idempotencyKey: string | null;
}) => Promise<Outcome>;

const MAX_BODY_BYTES = 16_384;

export function serveOperation(
  context: ServeContext,
  operation: Operation,
  handler: AnyHandler,
): RequestHandler {
  return async (request, response) => {
    let outcome: Outcome;
    try {
      outcome = await outcomeFor(context, operation, handler, request);
    } catch (error) {
      outcome = failureOf(error, context.log, response.getHeader('X-Request-Id'));
    }
    if (!outcome.ok) context.metrics.count('hamrahi_http_refused_total', { code: outcome.code });
    writeOutcome(response, outcome);
  };
}

async function outcomeFor(
  context: ServeContext,
  operation: Operation,
  handler: AnyHandler,
  request: Request,
): Promise<Outcome> {
  const receivedAt = arrivalOf(request);
  const identified = operation.roles === 'public' ? null : await identify(context, operation, request);
  if (identified && 'ok' in identified) return identified;
  const params = check(operation.params, request.params, 'the path');
  if (!params.ok) return params;
  const query = check(operation.query, request.query, 'the query');
  if (!query.ok) return query;
  const raw = await rawBodyOf(context, operation, request);
  const body = bodyOf(operation, request, raw);
  if (!body.ok) return body;
  const key = request.headers['idempotency-key'];
  const call = {
    caller: identified,
    receivedAt,
    params: params.body,
    query: query.body,
    body: body.body,
    raw,
    idempotencyKey: typeof key === 'string' ? key : null,
  };
  return withDeadline(handler(call), context.handlerTimeoutMs);
}

async function identify(
  context: ServeContext,
  operation: Operation,
  request: Request,
): Promise<Caller | Outcome> {
  const result = await context.authenticator.authenticate(bearerOf(request.headers.authorization));
  if (!result.ok) return failure(result.code, result.detail);
  const { caller } = result;
  context.recognised(request, caller);
  if (operation.roles !== 'public' && !operation.roles.includes(caller.role))
    return failure('ERR_AUTH_ROLE', `not permitted to the role ${caller.role}`);
  if (operation.unlimited) return caller;
  const waitS = context.rateLimits.take(caller, context.clock.now());
  if (waitS === null) return caller;
  return { ...refuse('ERR_HTTP_RATE_LIMITED', `wait ${waitS} s`), retryAfterS: waitS };
}

function rawBodyOf(context: ServeContext, operation: Operation, request: Request): Promise<ReadBody> {
  if (!operation.body) return Promise.resolve(NO_BODY);
  const timeoutMs = operation.lenient ? context.activationBodyTimeoutMs : context.bodyTimeoutMs;
  return readBody(request, operation.maxBodyBytes ?? MAX_BODY_BYTES, timeoutMs);
}

type Checked = Extract<Outcome, { ok: false }> | { readonly ok: true; readonly body: unknown };

function bodyOf(operation: Operation, request: Request, raw: ReadBody): Checked {
  if (!operation.body || operation.lenient) return { ok: true, body: undefined };
  switch (raw.kind) {
    case 'too-large':
      return refuse(
        'ERR_HTTP_BODY_TOO_LARGE',
        `the limit is ${operation.maxBodyBytes ?? MAX_BODY_BYTES} bytes`,
      );
    case 'late':
    case 'aborted':
      return refuse('ERR_HTTP_TIMEOUT', 'the body did not come in time');
    case 'complete':
      break;
  }
  if (raw.bytes.length === 0) return check(operation.body, {}, 'the body');
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    return refuse('ERR_HTTP_MEDIA_TYPE', 'the body must be application/json');
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    return refuse('ERR_HTTP_MEDIA_TYPE', 'the body must not be encoded');
  const json = parseJson(raw.bytes);
  if (!json.ok) return refuse('ERR_HTTP_MALFORMED_JSON', 'the body is not JSON in UTF-8');
  return check(operation.body, json.value, 'the body');
}

/** Fits the schema, or says per field what does not; values are not repeated, they may be personal. */
function check(schema: z.ZodType | undefined, value: unknown, what: string): Checked {
  if (!schema) return { ok: true, body: undefined };
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, body: result.data };
  const errors = result.error.issues.slice(0, 50).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, 200),
    message: issue.message.slice(0, 300),
  }));
  return refuse('ERR_HTTP_VALIDATION', `${what} does not fit the contract`, errors);
}

function refuse(
  code: Extract<Outcome, { ok: false }>['code'],
  detail: string,
  errors?: Problem['errors'],
): Extract<Outcome, { ok: false }> {
  return { ok: false, code, detail, ...(errors ? { errors } : {}) };
}

/** A failure of a port carries its code; anything else is a bug: logged whole, told as nothing but a 500. */
export function failureOf(error: unknown, log: Log, requestId: unknown): Outcome {
  if (error instanceof DeadlineExceeded) {
    log.error('a request met its deadline', { code: 'ERR_HTTP_DEADLINE', requestId: String(requestId) });
    return failure('ERR_HTTP_DEADLINE', error.message);
  }
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (isErrorCode(code)) {
    log.warn('a request could not be served', { code, requestId: String(requestId), reason: String(error) });
    return failure(code, 'see the title');
  }
  log.error('a request failed', {
    code: 'ERR_HTTP_INTERNAL',
    requestId: String(requestId),
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return failure('ERR_HTTP_INTERNAL', 'see the log of the gateway');
}
