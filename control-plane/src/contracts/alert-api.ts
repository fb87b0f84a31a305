/** Alerts for whoever is on call, as the API and the panel's feed show them. */
import { z } from 'zod';
import { OPS_ALERT_KINDS } from '../domain/alert/ops-alert.ts';
import { timestamp } from './common.ts';

export const opsAlertKind = z.enum(OPS_ALERT_KINDS).meta({ id: 'OpsAlertKind' });

export const opsAlertView = z
  .object({
    id: z.uuid(),
    kind: opsAlertKind,
    subject: z
      .string()
      .meta({ description: "What it is about: a trunk's name, a session's id and the like." }),
    severity: z.enum(['critical', 'warning']),
    summary: z
      .string()
      .meta({ description: 'One sentence for a human; it may change while the alert stands.' }),
    state: z.enum(['standing', 'resolved']),
    raisedAt: timestamp,
    acknowledged: z
      .object({ by: z.string(), at: timestamp })
      .nullable()
      .meta({ description: 'Who cares for it: it is not repeated any more. Null: nobody has said so.' }),
    resolvedAt: timestamp.nullable(),
    toldAt: timestamp.meta({ description: 'When whoever is on call was last told that it stands.' }),
    returns: z.int().nonnegative().meta({ description: 'How often it has come back soon after it went.' }),
  })
  .meta({ id: 'OpsAlert' });
export type OpsAlertView = z.infer<typeof opsAlertView>;

export const opsAlertList = z
  .object({
    alerts: z.array(opsAlertView),
    next: z.uuid().nullable().meta({ description: 'Continue with `?before=`; null at the end.' }),
  })
  .meta({ id: 'OpsAlertList' });

export const opsAlertQuery = z.object({
  state: z.enum(['standing', 'resolved']).optional(),
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
