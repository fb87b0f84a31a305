/** What the probes of an orchestrator or load balancer read. */
import { z } from 'zod';

export const liveness = z.object({ alive: z.literal(true) }).meta({ id: 'Liveness' });

const check = z.object({
  ok: z.boolean(),
  reason: z.string().nullable().meta({ description: 'Why not; null when it is ok.' }),
});
export const readiness = z
  .object({
    ready: z.boolean(),
    standby: z
      .boolean()
      .meta({ description: 'Another node serves; this one takes over when it falls silent.' }),
    checks: z.object({ engine: check, database: check }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof readiness>;
