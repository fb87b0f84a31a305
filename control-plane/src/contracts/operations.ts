/**
 * The HTTP interface as one table: path, who may call, what goes in and out. The server registers its routes from
 * it and checks roles by it, and OpenAPI is generated from it, so the three cannot drift apart.
 */
import { z } from 'zod';
import { CALL_OPERATIONS } from './call-operations.ts';
import { ALERT_OPERATIONS } from './alert-operations.ts';
import { subjectId } from './common.ts';
import { DIRECTORY_OPERATIONS } from './directory-operations.ts';
import { liveness, readiness } from './health-api.ts';
import { STAFF } from './operation.ts';
import type { Operation } from './operation.ts';
import { clientConfig, revocation, revokeBody, ticket, ticketBody } from './sos-api.ts';
import { SOS_OPERATIONS } from './sos-operations.ts';
import { TRUNK_OPERATIONS } from './trunk-operations.ts';
import { WEBHOOK_OPERATIONS } from './webhook-operations.ts';

const clientOperations = {
  createTicket: {
    method: 'post',
    path: '/v1/tickets',
    tag: 'client',
    summary: 'A single-use ticket for a browser WebSocket',
    description: '`sip`: citizens, operators and supervisors; `feed`: operators, supervisors and admins.',
    roles: ['citizen', ...STAFF],
    body: ticketBody,
    responses: { 201: ticket },
    errors: [],
  },
  revokeTokens: {
    method: 'post',
    path: '/v1/tokens/revoke',
    tag: 'client',
    summary: 'Shut out a token, or all tokens that somebody has now',
    description:
      'In force everywhere within 5 s, on open sockets too (close code 4005). An operator hears nothing more and the next one is offered; an SOS that runs is never ended by it. A supervisor revokes operators, or a token by its id.',
    roles: ['supervisor', 'admin'],
    body: revokeBody,
    responses: { 200: revocation },
    errors: ['ERR_AUTH_REVOCATIONS_FULL'],
  },
  getClientConfig: {
    method: 'get',
    path: '/v1/client-config',
    tag: 'client',
    summary: 'How this client reaches the gateway: SIP URI, WebSocket and ICE servers',
    roles: ['citizen', 'operator', 'supervisor'],
    query: z.object({ deviceId: subjectId }),
    responses: { 200: clientConfig },
    errors: [],
  },
} as const satisfies Record<string, Operation>;

const probeOperations = {
  getHealthz: {
    method: 'get',
    path: '/healthz',
    tag: 'probe',
    summary: 'The process is alive',
    roles: 'public',
    responses: { 200: liveness },
    errors: [],
  },
  getReadyz: {
    method: 'get',
    path: '/readyz',
    tag: 'probe',
    summary: 'Engine and database answer',
    roles: 'public',
    responses: { 200: readiness, 503: readiness },
    errors: [],
  },
} as const satisfies Record<string, Operation>;

export const OPERATIONS = {
  ...SOS_OPERATIONS,
  ...CALL_OPERATIONS,
  ...clientOperations,
  ...DIRECTORY_OPERATIONS,
  ...TRUNK_OPERATIONS,
  ...WEBHOOK_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...probeOperations,
} as const satisfies Record<string, Operation>;
export type OperationId = keyof typeof OPERATIONS;
