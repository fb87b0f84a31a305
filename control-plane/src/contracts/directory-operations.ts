/** The operations on master data: citizens, operators, zones and their rosters. */
import { z } from 'zod';
import { subjectId } from './common.ts';
import * as directory from './directory-api.ts';
import { KEEPERS } from './operation.ts';
import type { Operation } from './operation.ts';

const subject = z.object({ id: subjectId });
const zone = z.object({ id: directory.zoneId });

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
    description:
      'A supervisor: only of a zone in which he is on duty as a supervisor; his own entries he may strike out, but neither add nor change.',
    roles: [...KEEPERS, 'supervisor'],
    params: zone,
    body: directory.rosterBody,
    maxBodyBytes: 262_144,
    responses: { 200: directory.rosterView },
    errors: ['ERR_DIRECTORY_NOT_FOUND', 'ERR_DIRECTORY_CONFLICT', 'ERR_DIRECTORY_FOREIGN'],
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

export const DIRECTORY_OPERATIONS = { ...peopleOperations, ...zoneOperations } as const;
