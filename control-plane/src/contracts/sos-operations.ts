/** The operations around one SOS. */
import { z } from 'zod';
import { sessionId } from './common.ts';
import { STAFF } from './operation.ts';
import type { Operation } from './operation.ts';
import { sessionView } from './session-view.ts';
import {
  activateBody,
  activated,
  ownPanelBody,
  resolveBody,
  sessionList,
  timeline,
  transferBody,
} from './sos-api.ts';

const session = z.object({ id: sessionId });

const activation = {
  method: 'post',
  tag: 'sos',
  roles: ['citizen', 'backend'],
  body: activateBody,
  lenient: true,
  responses: { 200: activated, 201: activated },
  errors: [
    'ERR_SOS_FOREIGN',
    'ERR_SOS_CITIZEN_REQUIRED',
    'ERR_HTTP_MALFORMED_JSON',
    'ERR_HTTP_BODY_TOO_LARGE',
  ],
} as const;

export const SOS_OPERATIONS = {
  activateSos: {
    ...activation,
    path: '/v1/sos',
    unlimited: true,
    summary: 'Activate an SOS',
    description:
      'Refuses nothing but a failed identity. What is wrong with the body is flagged and worked around; a second activation of the same citizen folds into her open session.',
  },
  armSos: {
    ...activation,
    path: '/v1/sos/arm',
    summary: 'Warm up: connect before the activation',
    description:
      'No watchdog and no call begin; release or activate it. Refused for its rate, it takes nothing from the activation.',
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
    description:
      'By an operator of her zone or who has her, a supervisor of her zone, an admin, or the backend with a reason.',
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
    description: 'By an operator of her zone or who has her, a supervisor of her zone, or an admin.',
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
      synthetic: z.enum(['true', 'false']).optional().meta({
        description: 'true: with the synthetic SOS that probes press, which are left out else.',
      }),
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
