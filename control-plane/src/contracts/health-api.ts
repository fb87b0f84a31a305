/** What the probes of an orchestrator or load balancer read. */
import { z } from 'zod';

export const liveness = z.object({ alive: z.literal(true) }).meta({ id: 'Liveness' });

const check = z.object({
  ok: z.boolean(),
  reason: z.string().nullable().meta({ description: 'Why not; null when it is ok.' }),
});
const journal = z.object({
  ok: z.boolean().meta({ description: 'False: what is decided now would not survive a crash of this node.' }),
  entries: z.int().nonnegative().meta({ description: 'Decisions that the database does not have yet.' }),
});
const alerting = z.object({
  ok: z.boolean().meta({ description: 'Whether whoever is on call would hear of an alert now.' }),
  reason: z.string().nullable(),
});
export const readiness = z
  .object({
    ready: z
      .boolean()
      .meta({ description: 'It serves an SOS. Without its database it does so from its journal.' }),
    standby: z.boolean().meta({
      description:
        'It listens and does not serve: another node does (this one takes over when that falls silent), or it has just been started and waits for its database (`checks.database`).',
    }),
    degraded: z.boolean().meta({ description: 'Not whole: somebody has to look.' }),
    checks: z.object({ engine: check, database: check, journal, alerting, trunks: check }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof readiness>;
