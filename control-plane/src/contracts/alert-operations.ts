/** The operations on alerts for whoever is on call. */
import { z } from 'zod';
import { opsAlertList, opsAlertQuery, opsAlertView } from './alert-api.ts';
import type { Operation } from './operation.ts';

export const ALERT_OPERATIONS = {
  listAlerts: {
    method: 'get',
    path: '/v1/alerts',
    tag: 'alert',
    summary: 'Alerts for whoever is on call, the newest first',
    description:
      'What stands, and the last thousand that do not. Answered from memory: it works while the database is away.',
    roles: ['supervisor', 'admin', 'backend'],
    query: opsAlertQuery,
    responses: { 200: opsAlertList },
    errors: [],
  },
  acknowledgeAlert: {
    method: 'post',
    path: '/v1/alerts/{id}/acknowledge',
    tag: 'alert',
    summary: 'Somebody cares for it: it is not repeated any more',
    description: 'Repeatable; who was first stays named. It ends when its cause does, and not by this.',
    roles: ['supervisor', 'admin'],
    params: z.object({ id: z.uuid() }),
    responses: { 200: opsAlertView },
    errors: ['ERR_ALERT_NOT_FOUND', 'ERR_ALERT_RESOLVED'],
  },
} as const satisfies Record<string, Operation>;
