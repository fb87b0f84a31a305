/** OpenAPI 3.1 of the HTTP interface, generated from the operation table. */
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { problem } from './common.ts';
import { ERROR_TABLE, type ErrorCode } from './error-table.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS, type OperationId } from './operations.ts';
import { openapiWebhooks } from './openapi-webhooks.ts';

export const API_VERSION = '0.1.0';

const SHARED_ERRORS: readonly ErrorCode[] = [
  'ERR_AUTH_MISSING',
  'ERR_AUTH_INVALID',
  'ERR_AUTH_EXPIRED',
  'ERR_AUTH_REVOKED',
  'ERR_AUTH_ROLE',
  'ERR_AUTH_UNAVAILABLE',
  'ERR_HTTP_DEADLINE',
  'ERR_HTTP_INTERNAL',
  'ERR_GATEWAY_BUSY',
  'ERR_GATEWAY_UNAVAILABLE',
  'ERR_STORE_UNAVAILABLE',
  'ERR_STORE_CONFLICT',
  'ERR_STORE_UNKNOWN_OUTCOME',
];
const BODY_ERRORS: readonly ErrorCode[] = [
  'ERR_HTTP_MALFORMED_JSON',
  'ERR_HTTP_TIMEOUT',
  'ERR_HTTP_BODY_TOO_LARGE',
  'ERR_HTTP_MEDIA_TYPE',
];

const TAGS = {
  sos: 'Activation and life of an SOS session.',
  calls: 'Telephone calls that a backend asks for, and call detail records.',
  client: 'What apps and panels need to connect.',
  directory: 'Citizens, operators, zones and the duty roster.',
  webhooks: 'Who is told of what, and what became of it.',
  trunk: 'The ways to the telephone network.',
  alert: 'For whoever is on call.',
  probe: 'For orchestrators and monitoring.',
} as const;

export function openapiDocument() {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Ham Rahi voice gateway',
      version: API_VERSION,
      description:
        'Activation of an SOS, its sessions, telephone calls, and the master data behind them. Errors are problem documents (RFC 9457) with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The gateway that serves this document.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths: paths(),
    webhooks: openapiWebhooks(),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Claims: sub, role, exp, jti.',
        },
      },
    },
  });
}

function paths(): ZodOpenApiPathsObject {
  const all: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const operation: Operation = OPERATIONS[id];
    (all[operation.path] ??= {})[operation.method] = operationObject(id, operation);
  }
  all['/metrics'] = { get: textOperation() };
  return all;
}

function operationObject(id: OperationId, operation: Operation): ZodOpenApiOperationObject {
  return {
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    description: [operation.description, `Roles: ${rolesOf(operation)}.`].filter(Boolean).join('\n\n'),
    ...(operation.roles === 'public' ? { security: [] } : {}),
    requestParams: {
      ...(operation.params ? { path: operation.params } : {}),
      ...(operation.query ? { query: operation.query } : {}),
      ...(operation.lenient ? { header: idempotencyHeader } : {}),
      ...(operation.keyed ? { header: requiredKeyHeader } : {}),
    },
    ...(operation.body
      ? {
          requestBody: {
            required: !operation.lenient,
            content: { 'application/json': { schema: operation.body } },
          },
        }
      : {}),
    responses: { ...successes(operation), ...failures(operation) },
  };
}

const idempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .max(255)
    .optional()
    .meta({ description: 'The same key repeats the same activation; kept for 24 h.' }),
});

const requiredKeyHeader = z.object({
  'Idempotency-Key': z.string().min(1).max(255).meta({
    description:
      'Yours to choose, one for each call: the same key repeats the same call; kept for 24 h. Best a random UUID.',
  }),
});

function rolesOf(operation: Operation): string {
  return operation.roles === 'public' ? 'anybody, without a token' : operation.roles.join(', ');
}

function successes(operation: Operation): ZodOpenApiResponsesObject {
  return Object.fromEntries(
    Object.entries(operation.responses).map(([status, schema]) => [
      status,
      {
        description: SUCCESS_WORDS[status] ?? 'Done',
        ...(schema ? { content: { 'application/json': { schema } } } : {}),
      },
    ]),
  );
}

const SUCCESS_WORDS: Readonly<Record<string, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Taken; it is done soon',
  204: 'Removed',
  503: 'Not ready; the checks say why',
};

/** One response for each status; its description lists the codes that it can carry. */
function failures(operation: Operation): ZodOpenApiResponsesObject {
  if (operation.roles === 'public') return {};
  const validated = operation.params ?? operation.query ?? (operation.lenient ? undefined : operation.body);
  const codes = new Set<ErrorCode>([
    ...SHARED_ERRORS,
    ...operation.errors,
    ...(operation.body && !operation.lenient ? BODY_ERRORS : []),
    ...(validated ? (['ERR_HTTP_VALIDATION'] as const) : []),
    ...(operation.lenient ? (['ERR_HTTP_TIMEOUT'] as const) : []),
    ...(operation.unlimited ? [] : (['ERR_HTTP_RATE_LIMITED'] as const)),
  ]);
  const byStatus = Map.groupBy([...codes].sort(), (code) => String(ERROR_TABLE[code].status));
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      { description: list.join(', '), content: { 'application/problem+json': { schema: problem } } },
    ]),
  );
}

function textOperation(): ZodOpenApiOperationObject {
  return {
    operationId: 'getMetrics',
    tags: ['probe'],
    summary: 'Metrics in the Prometheus text format',
    description: "Asks for the metrics' own bearer token where one is configured.",
    security: [{}, { bearer: [] }],
    responses: {
      200: { description: 'OK', content: { 'text/plain': { schema: { type: 'string' } } } },
      401: {
        description: 'ERR_AUTH_INVALID',
        content: { 'application/problem+json': { schema: problem } },
      },
    },
  };
}
