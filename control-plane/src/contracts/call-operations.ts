/** The operations around telephone calls that a backend asks for, and the detail records of all telephone legs. */
import { z } from 'zod';
import {
  callBody,
  callId,
  callList,
  callListQuery,
  callRecordList,
  callRecordQuery,
  callTransferBody,
  callView,
} from './call-api.ts';
import { KEEPERS } from './operation.ts';
import type { Operation } from './operation.ts';

const one = z.object({ id: callId });
const deed = {
  method: 'post',
  tag: 'calls',
  roles: KEEPERS,
  params: one,
  responses: { 200: callView },
} as const;
const MAX_BODY_BYTES = 8192;

export const CALL_OPERATIONS = {
  createCall: {
    method: 'post',
    path: '/v1/calls',
    tag: 'calls',
    summary: 'Call somebody, and join somebody with them',
    description:
      'The call goes out at once (`queued`, then `dialing`, `ringing`, `answered`, `ended` or `failed`); webhooks tell of each step. The same key with the same body is the same call (200).',
    roles: KEEPERS,
    keyed: true,
    body: callBody,
    maxBodyBytes: MAX_BODY_BYTES,
    responses: { 200: callView, 201: callView },
    errors: [
      'ERR_CALL_KEY_REQUIRED',
      'ERR_CALL_KEY_REUSED',
      'ERR_CALL_NUMBER_REFUSED',
      'ERR_CALL_CALLER_ID',
      'ERR_CALL_TOO_MANY',
      'ERR_CALL_UNAVAILABLE',
    ],
  },
  listCalls: {
    method: 'get',
    path: '/v1/calls',
    tag: 'calls',
    summary: 'Calls, newest first',
    description: 'A backend sees its own, an admin all of them.',
    roles: KEEPERS,
    query: callListQuery,
    responses: { 200: callList },
    errors: [],
  },
  getCall: {
    method: 'get',
    path: '/v1/calls/{id}',
    tag: 'calls',
    summary: 'One call',
    roles: KEEPERS,
    params: one,
    responses: { 200: callView },
    errors: ['ERR_CALL_NOT_FOUND'],
  },
  deleteCall: {
    method: 'delete',
    path: '/v1/calls/{id}',
    tag: 'calls',
    summary: 'Hang up, in every state; repeatable',
    roles: KEEPERS,
    params: one,
    responses: { 200: callView },
    errors: ['ERR_CALL_NOT_FOUND'],
  },
  holdCall: {
    ...deed,
    path: '/v1/calls/{id}/hold',
    summary: 'Both parties hear the holding prompt, and not each other; repeatable',
    errors: ['ERR_CALL_NOT_FOUND', 'ERR_CALL_STATE'],
  },
  unholdCall: {
    ...deed,
    path: '/v1/calls/{id}/unhold',
    summary: 'They hear each other again; repeatable',
    errors: ['ERR_CALL_NOT_FOUND', 'ERR_CALL_STATE'],
  },
  transferCall: {
    ...deed,
    path: '/v1/calls/{id}/transfer',
    summary: 'Somebody else is called for `to`',
    description:
      'Both are held meanwhile. Who answers is joined with `to`, and who spoke with it before is hung up; when nobody answers, they are joined again. 200: the call goes out.',
    body: callTransferBody,
    maxBodyBytes: MAX_BODY_BYTES,
    errors: ['ERR_CALL_NOT_FOUND', 'ERR_CALL_STATE', 'ERR_CALL_NUMBER_REFUSED'],
  },
  listCallRecords: {
    method: 'get',
    path: '/v1/call-records',
    tag: 'calls',
    summary: 'Call detail records of every telephone leg, of SOS and calls alike, newest first',
    roles: KEEPERS,
    query: callRecordQuery,
    responses: { 200: callRecordList },
    errors: [],
  },
} as const satisfies Record<string, Operation>;
