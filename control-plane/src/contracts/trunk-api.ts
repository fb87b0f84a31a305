/** Trunks as people and monitoring see them. No number of the account is in it. */
import { z } from 'zod';

const trunkName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

export const trunkView = z
  .object({
    name: trunkName,
    description: z.string(),
    priority: z.int().meta({ description: 'Lower is tried first.' }),
    usable: z.boolean(),
    reason: z
      .object({
        code: z.string().meta({
          description:
            'ERR_TRUNK_NOT_PROVISIONED: the account is not complete. ERR_TRUNK_CALLER_ID_NOT_OWNED: its own number is none of its own. ERR_NUMBER_NOT_NATIONAL: it cannot be written as the trunk wants it.',
        }),
        fields: z.array(z.string()).max(20).meta({ description: 'Dotted paths in the trunk file.' }),
        detail: z.string(),
      })
      .nullable()
      .meta({ description: 'Why it is not used; null when it is.' }),
  })
  .meta({ id: 'Trunk' });

export const trunkList = z
  .object({ trunks: z.array(trunkView).max(100).meta({ description: 'In the order of their priority.' }) })
  .meta({ id: 'TrunkList' });

export const trunkReload = z
  .object({
    changes: z
      .array(
        z.object({
          trunk: trunkName,
          change: z.enum(['added', 'changed', 'removed']),
          needs: z
            .array(z.enum(['engine-configuration', 'firewall']))
            .max(2)
            .meta({
              description:
                '`engine-configuration`: render pjsip.conf anew and reload it. `firewall`: packet filter and host routes. Empty: it is in force.',
            }),
        }),
      )
      .max(200),
    trunks: trunkList.shape.trunks,
  })
  .meta({ id: 'TrunkReload', description: 'What is in force from the next call on.' });

export type TrunkView = z.infer<typeof trunkView>;
