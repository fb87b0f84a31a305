/**
 * The HTTP interface as one table: path, who may call, what goes in and out. The server registers its routes from
 * it and checks roles by it, and OpenAPI is generated from it, so the three cannot drift apart.
 */
import { z } from 'zod';
import { sessionId, subjectId, type Role } from './common.ts';
import * as directory from './directory-api.ts';
import type { ErrorCode } from './error-table.ts';
import { liveness, readiness } from './health-api.ts';
import { sessionView } from './session-view.ts';
import {
  activateBody,
  activated,
  clientConfig,
  ownPanelBody,
  resolveBody,
  revocation,
  revokeBody,
  sessionList,
  ticket,
  ticketBody,
  timeline,
  transferBody,
} from './sos-api.ts';

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI form: `/v1/sos/{id}`. */
  readonly path: string;
  readonly tag: 'sos' | 'client' | 'directory' | 'probe';
  readonly summary: string;
  readonly description?: string;
  /** Who may call it; `public`: no token. */
  readonly roles: readonly Role[] | 'public';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** An activation's body is never a reason to refuse a citizen (see `activateBody`). */
  readonly lenient?: true;
  /** Never refused by a rate limit. */
  readonly unlimited?: true;
  readonly maxBodyBytes?: number;
  /** Bodies by status; `null`: none. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  /** Codes beyond those that every operation shares. */
  readonly errors: readonly ErrorCode[];
}

const STAFF = ['operator', 'supervisor', 'admin'] as const;
const KEEPERS = ['backend', 'admin'] as const;
const session = z.object({ id: sessionId });
const subject = z.object({ id: subjectId });
const zone = z.object({ id: directory.zoneId });

const activation = {
  method: 'post',
  tag: 'sos',
  roles: ['citizen', 'backend'],
  body: activateBody,
  lenient: true,
  unlimited: true,
  responses: { 200: activated, 201: activated },
  errors: [
    'ERR_SOS_FOREIGN',
    'ERR_SOS_CITIZEN_REQUIRED',
    'ERR_HTTP_MALFORMED_JSON',
    'ERR_HTTP_BODY_TOO_LARGE',
  ],
} as const;

const sosOperations = {
  activateSos: {
    ...activation,
    path: '/v1/sos',
    summary: 'Activate an SOS',
    description:
      'Refuses nothing but a failed identity. What is wrong with the body is flagged and worked around; a second activation of the same citizen folds into her open session.',
  },
  armSos: {
    ...activation,
    path: '/v1/sos/arm',
    summary: 'Warm up: connect before the activation',
    description: 'No watchdog and no call begin; release or activate it.',
  },
  activateArmedSos: {
    method: 'post',
    path: '/v1/sos/{id}/activate',
    tag: 'sos',
    summary: 'Activate an armed session',
    roles: ['citizen', 'backend'],
    unlimited: true,
    params: session,
    responses: { 200: activated },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE'],
  },
  releaseSos: {
    method: 'post',
    path: '/v1/sos/{id}/release',
    tag: 'sos',
    summary: 'Release early: only while arming',
    roles: ['citizen', 'backend'],
    params: session,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE'],
  },
  resolveSos: {
    method: 'post',
    path: '/v1/sos/{id}/resolve',
    tag: 'sos',
    summary: 'End the incident',
    roles: [...STAFF, 'backend'],
    params: session,
    body: resolveBody,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE', 'ERR_SOS_REASON_REQUIRED'],
  },
  redialSos: {
    method: 'post',
    path: '/v1/sos/{id}/redial',
    tag: 'sos',
    summary: 'Not reached: call her phone again',
    roles: STAFF,
    params: session,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE'],
  },
  transferSos: {
    method: 'post',
    path: '/v1/sos/{id}/transfer',
    tag: 'sos',
    summary: 'Hand her to another operator',
    description:
      'By the operator who has her, or a supervisor of her zone. The new one is called beside the old one, who keeps her until the new one hears her (a stream) or has answered (a telephone call). 200: the call goes out; the feed tells how it ends.',
    roles: STAFF,
    params: session,
    body: transferBody,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE', 'ERR_SOS_OPERATOR_UNAVAILABLE'],
  },
  joinSos: {
    method: 'post',
    path: '/v1/sos/{id}/join',
    tag: 'sos',
    summary: 'Be called into her session by its id',
    description:
      "The operator who has her, after a restart of the panel; or a supervisor of her zone, who takes her over. The panel is called; once her telephone is connected, the caller's duty phone instead, as panels only listen.",
    roles: ['operator', 'supervisor'],
    params: session,
    body: ownPanelBody,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE', 'ERR_SOS_PANEL_ABSENT'],
  },
  listenSos: {
    method: 'post',
    path: '/v1/sos/{id}/listen',
    tag: 'sos',
    summary: 'Listen in: one way, heard by nobody',
    description: 'By a supervisor of her zone. It counts for nothing: she is not heard by it, nor kept open.',
    roles: ['supervisor'],
    params: session,
    body: ownPanelBody,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN', 'ERR_SOS_PHASE', 'ERR_SOS_PANEL_ABSENT'],
  },
  stopListeningSos: {
    method: 'delete',
    path: '/v1/sos/{id}/listen',
    tag: 'sos',
    summary: 'Stop listening in',
    roles: ['supervisor'],
    params: session,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN'],
  },
  listSos: {
    method: 'get',
    path: '/v1/sos',
    tag: 'sos',
    summary: 'Sessions, newest first',
    roles: [...STAFF, 'backend'],
    query: z.object({
      open: z.enum(['true', 'false']).optional().meta({ description: 'Only open, or only ended ones.' }),
      before: sessionId.optional().meta({ description: '`next` of the page before.' }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: sessionList },
    errors: [],
  },
  getSos: {
    method: 'get',
    path: '/v1/sos/{id}',
    tag: 'sos',
    summary: 'One session',
    roles: ['citizen', ...STAFF, 'backend'],
    params: session,
    responses: { 200: sessionView },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN'],
  },
  getTimeline: {
    method: 'get',
    path: '/v1/sos/{id}/timeline',
    tag: 'sos',
    summary: 'Milestones and verdicts of one session',
    roles: [...STAFF, 'backend'],
    params: session,
    responses: { 200: timeline },
    errors: ['ERR_SOS_NOT_FOUND', 'ERR_SOS_FOREIGN'],
  },
} as const satisfies Record<string, Operation>;

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

const peopleOperations = {
  putCitizen: {
    method: 'put',
    path: '/v1/citizens/{id}',
    tag: 'directory',
    summary: 'Create or replace a citizen',
    roles: KEEPERS,
    params: subject,
    body: directory.citizenBody,
    responses: { 200: directory.citizenView },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_CONFLICT'],
  },
  getCitizen: {
    method: 'get',
    path: '/v1/citizens/{id}',
    tag: 'directory',
    summary: 'One citizen',
    roles: KEEPERS,
    params: subject,
    responses: { 200: directory.citizenView },
    errors: ['ERR_DIRECTORY_NOT_FOUND'],
  },
  deleteCitizen: {
    method: 'delete',
    path: '/v1/citizens/{id}',
    tag: 'directory',
    summary: 'Remove a citizen',
    roles: KEEPERS,
    params: subject,
    responses: { 204: null },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_IN_USE'],
  },
  putOperator: {
    method: 'put',
    path: '/v1/operators/{id}',
    tag: 'directory',
    summary: 'Create or replace an operator',
    roles: KEEPERS,
    params: subject,
    body: directory.operatorBody,
    responses: { 200: directory.operatorView },
    errors: ['ERR_DIRECTORY_CONFLICT'],
  },
  getOperator: {
    method: 'get',
    path: '/v1/operators/{id}',
    tag: 'directory',
    summary: 'One operator',
    roles: [...KEEPERS, 'supervisor'],
    params: subject,
    responses: { 200: directory.operatorView },
    errors: ['ERR_DIRECTORY_NOT_FOUND'],
  },
  deleteOperator: {
    method: 'delete',
    path: '/v1/operators/{id}',
    tag: 'directory',
    summary: 'Remove an operator',
    roles: KEEPERS,
    params: subject,
    responses: { 204: null },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_IN_USE'],
  },
  listOperators: {
    method: 'get',
    path: '/v1/operators',
    tag: 'directory',
    summary: 'Operators in id order',
    roles: [...KEEPERS, 'supervisor'],
    query: z.object({
      after: subjectId.optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: directory.operatorList },
    errors: [],
  },
} as const satisfies Record<string, Operation>;

const zoneOperations = {
  putZone: {
    method: 'put',
    path: '/v1/zones/{id}',
    tag: 'directory',
    summary: 'Create or replace a zone',
    roles: KEEPERS,
    params: zone,
    body: directory.zoneBody,
    maxBodyBytes: 262_144,
    responses: { 200: directory.zoneView },
    errors: ['ERR_DIRECTORY_CONFLICT'],
  },
  getZone: {
    method: 'get',
    path: '/v1/zones/{id}',
    tag: 'directory',
    summary: 'One zone',
    roles: [...KEEPERS, 'supervisor', 'operator'],
    params: zone,
    responses: { 200: directory.zoneView },
    errors: ['ERR_DIRECTORY_NOT_FOUND'],
  },
  deleteZone: {
    method: 'delete',
    path: '/v1/zones/{id}',
    tag: 'directory',
    summary: 'Remove a zone',
    roles: KEEPERS,
    params: zone,
    responses: { 204: null },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_IN_USE'],
  },
  putRoster: {
    method: 'put',
    path: '/v1/zones/{id}/roster',
    tag: 'directory',
    summary: "Replace a zone's duty roster",
    roles: [...KEEPERS, 'supervisor'],
    params: zone,
    body: directory.rosterBody,
    maxBodyBytes: 262_144,
    responses: { 200: directory.rosterView },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_CONFLICT'],
  },
  getRoster: {
    method: 'get',
    path: '/v1/zones/{id}/roster',
    tag: 'directory',
    summary: "A zone's duty roster",
    roles: [...KEEPERS, 'supervisor', 'operator'],
    params: zone,
    responses: { 200: directory.rosterView },
    errors: ['ERR_DIRECTORY_NOT_FOUND'],
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
  ...sosOperations,
  ...clientOperations,
  ...peopleOperations,
  ...zoneOperations,
  ...probeOperations,
} as const satisfies Record<string, Operation>;
export type OperationId = keyof typeof OPERATIONS;
